//! Learning from the access manager what other administrators did. It can withhold documents, never make any: each is
//! verified, and what is kept here is never replaced by something older.

use super::courier::Courier;
use super::folder::{Owner, OwnerError};
use crate::access::{Access, AccessError, Subject, document};
use crate::error::Error;
use minicbor::{Decode, Encode};
use symbolon_protocol::api::{self, ProblemType, path};
use symbolon_trust::{DenyDocument, Grant, Order, RootDocument, Signed, VerifiedOrder};

/// Why the owner's folder can't be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The access manager, or what it answers.
    #[error("the access manager could not be asked for what other administrators did")]
    Access(#[from] Error),
    /// What it gives contradicts what is kept here.
    #[error("the access manager holds a document that contradicts the owner's")]
    Document(#[from] OwnerError),
}

impl Owner {
    /// Fetches what the access manager has and this folder hasn't.
    pub async fn learn(&mut self, courier: &Courier) -> Result<(), SyncError> {
        let access = courier.access();
        self.learn_roots(access).await?;
        if let Some(deny) =
            fetch::<DenyDocument>(access, path::of_account(path::DENY, access.account())).await?
        {
            self.hear_deny(deny)?;
        }
        self.learn_orders(access).await?;
        self.learn_grants(access).await
    }

    async fn learn_roots(&mut self, access: &Access) -> Result<(), SyncError> {
        loop {
            let next = self.root().document().version + 1;
            let path = format!("{}?version={next}", path::of_account(path::ROOT, access.account()));
            match fetch::<RootDocument>(access, path).await? {
                Some(root) => self.keep_root(root)?,
                None => return Ok(()),
            }
        }
    }

    async fn learn_orders(&mut self, access: &Access) -> Result<(), SyncError> {
        let mut cursor = None;
        loop {
            let page: api::OrderPage = page(access, path::ORDERS, cursor.as_deref()).await?;
            for order in page.orders {
                let signed: Signed<Order> = read(access, &order.document)?;
                if self.orders().get(signed.body().serial).is_none() {
                    let order = VerifiedOrder::recall(signed, self.root()).map_err(OwnerError::from)?;
                    self.keep_order(order)?;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    async fn learn_grants(&mut self, access: &Access) -> Result<(), SyncError> {
        let mut cursor = None;
        loop {
            let page: api::GrantPage = page(access, path::GRANTS, cursor.as_deref()).await?;
            for grant in page.grants {
                let signed: Signed<Grant> = read(access, &grant.document)?;
                self.learn_grant(signed)?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Keeps a grant that `policy` signed, and that is newer than the kept one.
    fn learn_grant(&mut self, signed: Signed<Grant>) -> Result<(), SyncError> {
        let body = signed.body();
        let newer = self.grant(body.id).is_none_or(|held| held.body().serial < body.serial);
        let ours = body.account == self.account();
        if newer && ours && self.root().document().roles.policy.check(&signed).is_ok() {
            self.keep_grant(signed)?;
        }
        Ok(())
    }
}

async fn fetch<B>(access: &Access, path: String) -> Result<Option<Signed<B>>, SyncError>
where
    B: Encode<()> + for<'b> Decode<'b, ()>,
{
    match access.get::<api::SignedDocument>(path).await {
        Ok(found) => Ok(Some(read(access, &found.document)?)),
        Err(AccessError::Problem(problem)) if problem.kind == ProblemType::NotFound => Ok(None),
        Err(error) => Err(access.explain(error, Subject::default()).into()),
    }
}

async fn page<T: serde::de::DeserializeOwned>(
    access: &Access,
    template: &str,
    cursor: Option<&str>,
) -> Result<T, SyncError> {
    let path = path::of_account(template, access.account());
    let path = cursor.map_or(path.clone(), |cursor| format!("{path}?cursor={}", path::segment(cursor)));
    Ok(access.get(path).await.map_err(|error| access.explain(error, Subject::default()))?)
}

fn read<B>(access: &Access, found: &api::Document) -> Result<Signed<B>, SyncError>
where
    B: Encode<()> + for<'b> Decode<'b, ()>,
{
    Ok(document(found).map_err(|error| access.explain(error, Subject::default()))?)
}
