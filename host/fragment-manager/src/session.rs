//! One channel's requests, each sent to the account that it is about.

use std::sync::Arc;

use minicbor::bytes::ByteVec;
use symbolon_channel::server::Session as Answering;
use symbolon_fragments::names::AccountId;
use symbolon_protocol::wire::{Document, Error, LogPage, Refusal, Request, Response};
use symbolon_store::manager::Rows;
use symbolon_trust::{Grant, Operation, Signed, VerifiedGrant};

use crate::account::Account;
use crate::channels::Channel;
use crate::manager::Accounts;
use crate::refusal;

/// Most records in one page, whatever is asked for.
const MOST_RECORDS: u32 = 256;
/// Most bytes of records in one page: well below a frame, in which the signed head has to fit too.
const MOST_BYTES: usize = 63 * 1024;

/// One channel.
pub struct Session {
    accounts: Arc<Accounts>,
    channel: Arc<Channel>,
    number: u64,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.accounts.channels.close(self.number);
    }
}

impl Answering for Session {
    async fn answer(&self, request: Request) -> Response {
        let subject = refusal::subject(&request);
        let (account, answer) = match self.account_of(&request) {
            Ok(account) => (Some(account), self.answer_for(account, request).await),
            Err(error) => (None, Err(error)),
        };
        answer.unwrap_or_else(|error| {
            if let (Some(account), Some(subject), Some(reason)) = (account, subject, refusal::reason(&error))
            {
                account.log().refused(self.channel.holder.thumbprint(), subject, reason);
            }
            Response::Error(error)
        })
    }
}

impl Session {
    pub(crate) fn new(accounts: Arc<Accounts>, number: u64, channel: Arc<Channel>) -> Self {
        Self { accounts, channel, number }
    }

    /// The account that a request is about.
    fn account_of(&self, request: &Request) -> Result<&Arc<Account>, Error> {
        let id = match request {
            Request::Status { account } | Request::Instances { account, .. } => *account,
            Request::Authorise { grant, .. } | Request::Log { grant, .. } => grant.body().account,
            Request::Evaluate { handle, .. } => self.account_of_handle(*handle)?,
            Request::Certify { create, .. } => create.body().account,
            Request::InstallRoot { root } => {
                self.accounts.of_root(root.body()).ok_or(Error::UnknownAccount)?
            }
            Request::InstallDeny { deny } => deny.body().account,
            Request::InstallOrder { order } => order.body().account,
            Request::InstallKey { certificate } => certificate.body().account,
        };
        self.accounts.get(&id).ok_or(Error::UnknownAccount)
    }

    fn account_of_handle(&self, handle: u64) -> Result<AccountId, Error> {
        self.channel.verdict(handle).map(|verdict| verdict.authorised.account()).ok_or(Error::HandleUnknown)
    }

    async fn answer_for(&self, account: &Arc<Account>, request: Request) -> Result<Response, Error> {
        let holder = &self.channel.holder;
        match request {
            Request::Status { .. } => Ok(Response::Status(account.status())),
            Request::Authorise { grant, permit } => account.authorise(&self.channel, &grant, &permit).await,
            Request::Evaluate { handle, instance, prove, inputs } => {
                let verdict = self.channel.verdict(handle).ok_or(Error::HandleUnknown)?;
                account.evaluate(&verdict, instance, prove, &inputs).await
            }
            Request::Certify { create, grant, set } => account.certify(holder, &create, &grant, set).await,
            Request::InstallRoot { root } => Ok(Response::Installed(account.install_root(root).await?)),
            Request::InstallDeny { deny } => Ok(Response::Installed(account.install_deny(deny).await?)),
            Request::InstallOrder { order } => Ok(Response::Installed(account.install_order(order).await?)),
            Request::InstallKey { certificate } => account.install_key(certificate).await,
            Request::Instances { set, .. } => Ok(Response::Instances(account.sets().certificates(&set))),
            Request::Log { grant, after, limit } => {
                self.check_auditor(account, &grant)?;
                account.log_page(after, limit).await
            }
        }
    }

    /// Whether the channel's holder may read the account's log.
    fn check_auditor(&self, account: &Account, grant: &Signed<Grant>) -> Result<(), Error> {
        let now = account.now()?;
        let holder = &self.channel.holder;
        account.trust(|trust| {
            let grant = VerifiedGrant::verify(grant, trust.root(), now).map_err(refusal::grant)?;
            let grant = grant.grant();
            if !grant.principal.is(holder) {
                return Err(Error::Refused { document: Document::Grant, reason: Refusal::Holder });
            }
            trust.denials().check_holder(holder.thumbprint()).map_err(refusal::denied)?;
            trust.denials().check_grant(grant.id, grant.serial).map_err(refusal::denied)?;
            if !grant.operations.contains(Operation::Audit) {
                return Err(Error::NotAllowed { operation: Operation::Audit });
            }
            Ok(())
        })
    }
}

impl Account {
    /// Records from a number on, after writing what was gathered.
    async fn log_page(self: &Arc<Self>, after: u64, limit: u64) -> Result<Response, Error> {
        let now = self.now()?;
        self.flush().await.map_err(refusal::store)?;
        let head = self.log().head(now.time()).await;
        let limit = u32::try_from(limit).unwrap_or(u32::MAX).min(MOST_RECORDS);
        let mut read = self.store().read().await.map_err(refusal::store)?;
        let rows = Rows::of(&mut read, &self.id()).records(after, limit).await.map_err(refusal::store)?;
        let mut bytes = 0;
        let fitting = rows.into_iter().map(|row| ByteVec::from(row.record)).take_while(|record| {
            bytes += record.len() + 4;
            bytes <= MOST_BYTES
        });
        Ok(Response::Log(LogPage { records: fitting.collect(), head: self.sign(head) }))
    }
}
