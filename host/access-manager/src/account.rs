//! An account as its owner's documents make it: root, deny document, orders. Rebuilt only when one of them changes.

use crate::failure::Failure;
use symbolon_encoding::from_canonical;
use symbolon_fragments::names::{AccountId, KeyId};
use symbolon_store::{
    Reading,
    access::{DocumentRow, OrderRow, Rows, Stamp},
};
use symbolon_trust::{Document, Documents, ProvenHolder, PublicKey, Seconds, Signed, TrustedRoot};

/// An account's documents, verified.
pub(crate) struct Account {
    pub(crate) documents: Documents,
    pub(crate) stamp: Stamp,
}

/// Who somebody is to an account, by key alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A key of one of the owner's roles.
    Owner,
    /// A member of the roster, retired or not.
    Member(symbolon_fragments::names::Index),
    /// Anybody else; grants may name them.
    Other,
}

/// Decodes a stored or received signed document; anything but its canonical encoding is refused.
pub(crate) fn decode<B>(bytes: &[u8]) -> Result<Signed<B>, Failure>
where
    B: Document + for<'b> minicbor::Decode<'b, ()>,
{
    from_canonical(bytes).map_err(|_| Failure::Encoding)
}

impl Account {
    /// Reads an account; nothing where there is none. What was stored is verified again, as if it came from outside.
    pub(crate) async fn load(
        rows: &mut Rows<'_, impl Reading>,
        id: AccountId,
        stamp: Stamp,
    ) -> Result<Option<Self>, Failure> {
        let roots = rows.roots().await?;
        if roots.is_empty() {
            return Ok(None);
        }
        let (deny, orders) = (rows.deny().await?, rows.orders(0, u32::MAX).await?);
        let documents = recall(id, &roots, deny.as_ref(), &orders)?;
        Ok(Some(Self { documents, stamp }))
    }

    /// The account's id.
    pub(crate) fn id(&self) -> AccountId {
        self.root().account()
    }

    /// The root document.
    pub(crate) const fn root(&self) -> &TrustedRoot {
        self.documents.root()
    }

    /// Who this is to the account.
    pub(crate) fn standing(&self, holder: &ProvenHolder) -> Standing {
        let document = self.root().document();
        let roles = &document.roles;
        let owner = |key: &PublicKey| {
            [&roles.root, &roles.policy, &roles.deny].iter().any(|role| role.keys.contains(key))
        };
        match document.member_by_key(holder.key()) {
            Some(member) => Standing::Member(member.index),
            None if owner(holder.key()) => Standing::Owner,
            None => Standing::Other,
        }
    }

    /// Whether the deny document disables a key.
    pub(crate) fn disables(&self, key: &KeyId) -> bool {
        self.documents.denials().check_key(key).is_err()
    }
}

fn recall(
    id: AccountId,
    roots: &[DocumentRow],
    deny: Option<&DocumentRow>,
    orders: &[OrderRow],
) -> Result<Documents, Failure> {
    let roots = roots.iter().map(|row| stored(&row.document)).collect::<Result<Vec<_>, _>>()?;
    let deny = deny.map(|row| stored(&row.document)).transpose()?;
    let orders = orders.iter().map(|row| Ok((stored(&row.document)?, Seconds(row.stored))));
    let orders = orders.collect::<Result<Vec<_>, Failure>>()?;
    Documents::recall(id, roots, deny, orders).map_err(Failure::internal)
}

/// A document that was verified before it was stored; if it isn't valid now, the datastore is not what was written.
fn stored<B>(bytes: &[u8]) -> Result<Signed<B>, Failure>
where
    B: Document + for<'b> minicbor::Decode<'b, ()>,
{
    from_canonical(bytes).map_err(Failure::internal)
}
