//! What a manager believes about an account, read back from its datastore.

use symbolon_encoding::{DecodeError, from_canonical};
use symbolon_fragments::names::AccountId;
use symbolon_store::manager::Rows;
use symbolon_store::{Reading, StoreError};
use symbolon_trust::{Documents, Seconds};

/// What is stored of an account is not what this manager would have stored.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// A document isn't a canonical encoding.
    #[error("a stored document is malformed")]
    Malformed(#[from] DecodeError),
    /// A document isn't valid.
    #[error("the stored documents are not valid")]
    Invalid(#[from] symbolon_trust::RecallError),
    /// The datastore failed.
    #[error("the datastore failed")]
    Store(#[from] StoreError),
}

/// The documents that were stored; nothing if the account is new here.
pub(crate) async fn recall(
    rows: &mut Rows<'_, impl Reading>,
    account: AccountId,
) -> Result<Option<Documents>, RecallError> {
    let roots = rows.roots().await?;
    if roots.is_empty() {
        return Ok(None);
    }
    let roots = roots.iter().map(|root| from_canonical(root)).collect::<Result<Vec<_>, _>>()?;
    let deny = rows.deny().await?.map(|deny| from_canonical(&deny)).transpose()?;
    let orders = rows.orders().await?.into_iter();
    let orders = orders.map(|row| Ok((from_canonical(&row.document)?, Seconds(row.received))));
    let orders = orders.collect::<Result<Vec<_>, DecodeError>>()?;
    Ok(Some(Documents::recall(account, roots, deny, orders)?))
}
