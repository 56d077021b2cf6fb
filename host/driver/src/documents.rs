//! Taking the owner's documents: checked, stored, and only then in force.

use crate::journal::Journal;
use symbolon_encoding::{DecodeError, from_canonical, to_canonical};
use symbolon_fragments::names::Index;
use symbolon_store::{StoreError, driver::Document};
use symbolon_trust::{
    DenyDocument, DenyError, Documents, Now, Order, OrderConflict, OrderError, PublicKey, RecallError,
    RootDocument, RootError, Seconds, Signed, StoreLabel, TrustedRoot, VerifiedOrder,
};

/// Why a document is not taken, or what was stored is not what this driver would have stored.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// Not a canonical encoding of such a document.
    #[error("a document is malformed")]
    Malformed(#[from] DecodeError),
    /// What was stored.
    #[error("the stored documents are not valid")]
    Invalid(#[from] RecallError),
    /// A root document.
    #[error("a root document is not valid")]
    Root(#[from] RootError),
    /// The deny document.
    #[error("a deny document is not valid")]
    Deny(#[from] DenyError),
    /// An order.
    #[error("an order is not valid")]
    Order(#[from] OrderError),
    /// Two orders.
    #[error("two orders contradict each other")]
    Conflict(#[from] OrderConflict),
    /// The datastore.
    #[error("the datastore failed")]
    Store(#[from] StoreError),
}

/// What was stored, or the first root document where nothing was.
pub(crate) async fn recall(first: TrustedRoot, journal: &Journal) -> Result<Documents, DocumentsError> {
    let stored = journal.documents().await?;
    if stored.roots.is_empty() {
        journal.put_document(Document::Root, 1, to_canonical(first.signed())).await?;
        return Ok(Documents::new(first));
    }
    let roots =
        stored.roots.iter().map(|row| from_canonical(&row.document)).collect::<Result<Vec<_>, _>>()?;
    let deny = stored.deny.map(|row| from_canonical(&row.document)).transpose()?;
    let orders = stored.orders.iter();
    let orders = orders.map(|row| Ok((from_canonical(&row.document)?, Seconds(row.received))));
    let orders = orders.collect::<Result<Vec<_>, DecodeError>>()?;
    Ok(Documents::recall(first.account(), roots, deny, orders)?)
}

/// Takes a successor of the root document.
pub(crate) async fn take_root(
    held: &mut Documents,
    next: Signed<RootDocument>,
    journal: &Journal,
) -> Result<(), DocumentsError> {
    let (number, bytes) = (next.body().version, to_canonical(&next));
    let Some(next) = held.with_root(next)? else { return Ok(()) };
    journal.put_document(Document::Root, number, bytes).await?;
    *held = next;
    Ok(())
}

/// Takes a newer deny document.
pub(crate) async fn take_deny(
    held: &mut Documents,
    next: Signed<DenyDocument>,
    journal: &Journal,
) -> Result<(), DocumentsError> {
    let (number, bytes) = (next.body().version, to_canonical(&next));
    let Some(next) = held.with_deny(next)? else { return Ok(()) };
    journal.put_document(Document::Deny, number, bytes).await?;
    *held = next;
    Ok(())
}

/// Takes an order, and gives it back where it is new.
pub(crate) async fn take_order(
    held: &mut Documents,
    order: Signed<Order>,
    now: Now,
    journal: &Journal,
) -> Result<Option<VerifiedOrder>, DocumentsError> {
    let order = VerifiedOrder::verify(order, held.root(), now)?;
    let Some(next) = held.with_order(order.clone(), now.time())? else { return Ok(None) };
    journal.put_document(Document::Order, order.order().serial, to_canonical(order.signed())).await?;
    *held = next;
    Ok(Some(order))
}

/// The roster's number of the driver with this identity, if it is one of the store's and not retired.
pub(crate) fn enrolled(root: &TrustedRoot, key: &PublicKey, store: &StoreLabel) -> Option<Index> {
    let mut active = root.document().key_store(store)?.active(root);
    active.find(|(_, member)| member.key == *key).map(|(driver, _)| driver.index)
}
