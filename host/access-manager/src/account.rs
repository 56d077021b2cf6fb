//! An account as its owner's documents make it: root, deny document, orders. Rebuilt only when one of them changes.

use crate::failure::Failure;
use symbolon_encoding::from_canonical;
use symbolon_fragments::names::{AccountId, KeyId};
use symbolon_store::{
    Reading,
    access::{DocumentRow, OrderRow, Rows, Stamp},
};
use symbolon_trust::{
    Denials, Document, OrderBook, ProvenHolder, PublicKey, Seconds, Signed, TrustedRoot, VerifiedDeny,
    VerifiedOrder,
};

/// An account's documents, verified.
pub(crate) struct Account {
    pub(crate) root: TrustedRoot,
    pub(crate) deny: Option<VerifiedDeny>,
    pub(crate) orders: OrderBook,
    pub(crate) denials: Denials,
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
        let root = read_root(id, &roots).map_err(damaged)?;
        let deny = rows.deny().await?.map(|row| read_deny(&row, &root)).transpose().map_err(damaged)?;
        let orders = read_orders(&rows.orders(0, u32::MAX).await?, &root).map_err(damaged)?;
        let denials = Denials::new(deny.as_ref(), orders.iter().map(|stored| &stored.order));
        Ok(Some(Self { root, deny, orders, denials, stamp }))
    }

    /// The account's id.
    pub(crate) fn id(&self) -> AccountId {
        self.root.account()
    }

    /// Who this is to the account.
    pub(crate) fn standing(&self, holder: &ProvenHolder) -> Standing {
        let document = self.root.document();
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
        self.denials.check_key(key).is_err()
    }
}

/// A document that was verified before it was stored, and now isn't valid: the datastore is not what was written.
fn damaged(failure: Failure) -> Failure {
    Failure::internal(failure)
}

fn read_root(id: AccountId, rows: &[DocumentRow]) -> Result<TrustedRoot, Failure> {
    let chain = rows.iter().map(|row| decode(&row.document)).collect::<Result<Vec<_>, _>>()?;
    Ok(TrustedRoot::replay(id, chain)?)
}

fn read_deny(row: &DocumentRow, root: &TrustedRoot) -> Result<VerifiedDeny, Failure> {
    Ok(VerifiedDeny::recall(decode(&row.document)?, root)?)
}

fn read_orders(rows: &[OrderRow], root: &TrustedRoot) -> Result<OrderBook, Failure> {
    let mut book = OrderBook::default();
    for row in rows {
        book.take(VerifiedOrder::recall(decode(&row.document)?, root)?, Seconds(row.stored))?;
    }
    Ok(book)
}
