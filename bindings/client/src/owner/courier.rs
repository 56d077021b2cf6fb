//! Takes the owner's documents to every fragment manager, directly or else through the relay, and to the access manager.
//!
//! A manager that missed something is brought up to date on the way: root documents first, which decide whose signature
//! counts, then the deny document, then orders that can still be taken. Everything may be sent twice.

use super::delivery::{Delivery, DeliveryError, Report};
use super::folder::Owner;
use crate::access::{Access, AccessError, Subject, as_document};
use crate::clock::now;
use crate::error::{Bug, Error, Unavailable};
use futures_util::future::join_all;
use hyper::Method;
use minicbor::Encode;
use std::time::{Duration, Instant};
use symbolon_channel::relay::Destination;
use symbolon_channel::{Channel, DialError, Dialler, Identity, Route, Server, http};
use symbolon_fragments::names::AccountId;
use symbolon_protocol::api::{SignedDocument, path};
use symbolon_protocol::wire::{Request, Response, Status};
use symbolon_trust::{
    DenyDocument, Grant, Installable, KeyPair, Member, Order, Receipt, RootDocument, Signed, TrustedRoot,
    VerifiedDeny, VerifiedReceipt,
};

/// Time for a connection, handshakes included.
const DIAL_WITHIN: Duration = Duration::from_secs(5);
/// Time for the access manager to take everything: one that stalls keeps nobody waiting for what managers signed.
const INFORM_WITHIN: Duration = Duration::from_secs(10);
/// Time for an answer: a manager syncs its disk before it signs.
const CALL_WITHIN: Duration = Duration::from_secs(20);

/// A way to all managers of an account.
pub struct Courier {
    dialler: Dialler,
    access: Access,
    relay: Server,
    account: AccountId,
}

/// A document that managers install.
pub trait Delivered: Installable + Encode<()> + Clone + Send + Sync {
    /// The request that installs it.
    fn install(signed: Signed<Self>) -> Request;
    /// Whether the manager learns it anyway when it is brought up to date.
    fn is_behind(&self, status: &Status) -> bool;
}

impl Delivered for RootDocument {
    fn install(root: Signed<Self>) -> Request {
        Request::InstallRoot { root }
    }

    fn is_behind(&self, status: &Status) -> bool {
        self.version > status.root_version
    }
}

impl Delivered for DenyDocument {
    fn install(deny: Signed<Self>) -> Request {
        Request::InstallDeny { deny }
    }

    fn is_behind(&self, status: &Status) -> bool {
        self.version > status.deny_version
    }
}

impl Delivered for Order {
    fn install(order: Signed<Self>) -> Request {
        Request::InstallOrder { order }
    }

    fn is_behind(&self, status: &Status) -> bool {
        self.lives_at(status.time)
    }
}

impl Courier {
    /// A courier that shows this identity. Any will do for managers; the relay asks for one that it knows.
    pub fn new(
        identity: &KeyPair,
        root: &TrustedRoot,
        access_manager: Option<String>,
    ) -> Result<Self, Error> {
        let holder = identity.public().thumbprint();
        let identity = Identity::new(identity).map_err(|_| Bug::Internal("an identity for TLS"))?;
        let known = &root.document().access_manager;
        let address = access_manager.unwrap_or_else(|| known.address.clone());
        let relay = Server { address, key: known.key };
        let account = root.account();
        let access = Access::new(identity.clone(), relay.clone(), account, holder);
        Ok(Self { dialler: Dialler::new(identity, DIAL_WITHIN), access, relay, account })
    }

    /// The access manager.
    pub const fn access(&self) -> &Access {
        &self.access
    }

    /// Takes one of the owner's documents to everybody.
    pub async fn deliver<B: Delivered>(&self, owner: &Owner, signed: &Signed<B>) -> Report {
        let start = Instant::now();
        let members = owner.root().document().fragment_managers();
        let managers = join_all(members.map(|member| self.deliver_to(owner, member, signed)));
        let inform = tokio::time::timeout(INFORM_WITHIN, self.inform(owner));
        let (deliveries, informed) = tokio::join!(managers, inform);
        let access_manager =
            informed.unwrap_or_else(|_| Err(Unavailable::TimedOut { within: INFORM_WITHIN }.into()));
        Report { deliveries, access_manager, took: start.elapsed() }
    }

    /// Takes a grant to the access manager, which hands it to the holder.
    pub async fn publish_grant(&self, grant: &Signed<Grant>) -> Result<(), Error> {
        self.post(path::GRANTS, grant).await
    }

    /// Opens a channel to a manager: directly, or through the relay where it can't be reached.
    pub async fn channel(&self, member: &Member) -> Result<Channel, DialError> {
        let direct = Route::Direct { address: member.address.clone() };
        match self.dialler.channel(&direct, &member.key).await {
            Err(DialError::Unreachable { .. } | DialError::TimedOut { .. }) => {
                let destination = Destination { account: self.account, index: member.index };
                let relayed = Route::Relayed { relay: self.relay.clone(), destination };
                self.dialler.channel(&relayed, &member.key).await
            }
            other => other,
        }
    }

    async fn deliver_to<B: Delivered>(&self, owner: &Owner, member: &Member, signed: &Signed<B>) -> Delivery {
        let outcome = self.install_at(owner, member, signed).await;
        Delivery { index: member.index, name: member.name.clone(), outcome }
    }

    async fn install_at<B: Delivered>(
        &self,
        owner: &Owner,
        member: &Member,
        signed: &Signed<B>,
    ) -> Result<VerifiedReceipt, DeliveryError> {
        let channel = self.channel(member).await?;
        let status = status(&channel, self.account).await?;
        for root in owner.root().chain().iter().filter(|root| root.body().is_behind(&status)) {
            install(&channel, root).await?;
        }
        if let Some(deny) = owner.deny().filter(|deny| deny.document().is_behind(&status)) {
            install(&channel, deny.signed()).await?;
        }
        let orders = owner.orders().iter().map(|stored| stored.order.signed());
        for order in orders.filter(|order| order.body().is_behind(&status)) {
            // One that contradicts what the manager holds is told where it is the document at hand.
            let _refused = install(&channel, order).await;
        }
        let receipt = install(&channel, signed).await?;
        let verified = VerifiedReceipt::verify(&receipt, signed.body(), owner.root())?;
        if verified.receipt().index != member.index {
            return Err(DeliveryError::Protocol);
        }
        Ok(verified)
    }

    /// Gives the access manager everything that the owner keeps and that it can still take. What it has already it says so.
    async fn inform(&self, owner: &Owner) -> Result<(), Error> {
        for root in owner.root().chain().iter().skip(1) {
            self.put(path::ROOT, root).await?;
        }
        if let Some(deny) = owner.deny().map(VerifiedDeny::signed) {
            self.put(path::DENY, deny).await?;
        }
        let policy = &owner.root().document().roles.policy;
        let orders = owner.orders().iter().map(|stored| stored.order.signed());
        for order in orders.filter(|order| order.body().lives_at(now()) && policy.check(order).is_ok()) {
            self.post(path::ORDERS, order).await?;
        }
        Ok(())
    }

    async fn put<B: Encode<()>>(&self, template: &str, signed: &Signed<B>) -> Result<(), Error> {
        let sent = self.access.put(self.path(template), &document(signed)).await;
        self.known_is_fine(sent)
    }

    async fn post<B: Encode<()>>(&self, template: &str, signed: &Signed<B>) -> Result<(), Error> {
        let json = serde_json::to_vec(&document(signed)).map_err(|_| Bug::Internal("a document in JSON"))?;
        let request = http::Request::new(Method::POST, self.path(template)).with_json(json);
        self.known_is_fine(self.access.repeat(request).await.map(|_| ()))
    }

    /// A document that the access manager has a successor of was sent before.
    fn known_is_fine(&self, sent: Result<(), AccessError>) -> Result<(), Error> {
        use symbolon_protocol::api::ProblemType;
        match sent {
            Err(AccessError::Problem(problem)) if problem.kind == ProblemType::Superseded => Ok(()),
            other => other.map_err(|error| self.access.explain(error, Subject::default())),
        }
    }

    fn path(&self, template: &str) -> String {
        path::of_account(template, self.access.account())
    }
}

fn document<B: Encode<()>>(signed: &Signed<B>) -> SignedDocument {
    SignedDocument { document: as_document(signed) }
}

async fn status(channel: &Channel, account: AccountId) -> Result<Status, DeliveryError> {
    match channel.call(Request::Status { account }, CALL_WITHIN).await? {
        Response::Status(status) => Ok(status),
        Response::Error(error) => Err(DeliveryError::Refused(error)),
        _ => Err(DeliveryError::Protocol),
    }
}

async fn install<B: Delivered>(
    channel: &Channel,
    signed: &Signed<B>,
) -> Result<Signed<Receipt>, DeliveryError> {
    match channel.call(B::install(signed.clone()), CALL_WITHIN).await? {
        Response::Installed(receipt) => Ok(receipt),
        Response::Error(error) => Err(DeliveryError::Refused(error)),
        _ => Err(DeliveryError::Protocol),
    }
}
