//! What a manager believes about an account: root document, denials, orders. All of it was verified, and stored first.

use symbolon_encoding::from_canonical;
use symbolon_fragments::names::{AccountId, Index};
use symbolon_store::manager::Rows;
use symbolon_store::{Reading, StoreError};
use symbolon_trust::{
    Denials, DenyError, OrderBook, OrderConflict, OrderError, RootError, Seconds, Signed, TrustedRoot,
    VerifiedDeny, VerifiedOrder,
};

/// What is stored of an account is not what this manager would have stored.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// A document isn't a canonical encoding.
    #[error("a stored document is malformed")]
    Malformed(#[from] symbolon_encoding::DecodeError),
    /// The root documents.
    #[error("the stored root documents are not a chain")]
    Root(#[from] RootError),
    /// The deny document.
    #[error("the stored deny document is not valid")]
    Deny(#[from] DenyError),
    /// An order.
    #[error("a stored order is not valid")]
    Order(#[from] OrderError),
    /// Two orders.
    #[error("stored orders contradict each other")]
    Conflict(#[from] OrderConflict),
    /// The datastore failed.
    #[error("the datastore failed")]
    Store(#[from] StoreError),
}

/// The account's documents in force.
#[derive(Clone)]
pub struct Trust {
    root: TrustedRoot,
    deny: Option<VerifiedDeny>,
    orders: OrderBook,
    denials: Denials,
}

impl Trust {
    /// An account of which only the root document is known.
    pub fn new(root: TrustedRoot) -> Self {
        Self { root, deny: None, orders: OrderBook::default(), denials: Denials::default() }
    }

    /// What was stored; nothing if the account is new here.
    pub(crate) async fn recall(
        rows: &mut Rows<'_, impl Reading>,
        account: AccountId,
    ) -> Result<Option<Self>, RecallError> {
        let roots = rows.roots().await?;
        if roots.is_empty() {
            return Ok(None);
        }
        let chain = roots.iter().map(|root| from_canonical(root)).collect::<Result<Vec<_>, _>>()?;
        let mut trust = Self::new(TrustedRoot::replay(account, chain)?);
        if let Some(deny) = rows.deny().await? {
            trust.deny = Some(VerifiedDeny::recall(from_canonical(&deny)?, &trust.root)?);
        }
        for row in rows.orders().await? {
            let signed: Signed<_> = from_canonical(&row.document)?;
            trust.orders.take(VerifiedOrder::recall(signed, &trust.root)?, Seconds(row.received))?;
        }
        trust.judge();
        Ok(Some(trust))
    }

    /// The root document.
    pub const fn root(&self) -> &TrustedRoot {
        &self.root
    }

    /// The deny document, if one was installed.
    pub const fn deny(&self) -> Option<&VerifiedDeny> {
        self.deny.as_ref()
    }

    /// The orders.
    pub const fn orders(&self) -> &OrderBook {
        &self.orders
    }

    /// What is denied: by the deny document, less what orders enabled again.
    pub const fn denials(&self) -> &Denials {
        &self.denials
    }

    /// The roster's number of a member that has this key.
    pub(crate) fn index_of(&self, key: &symbolon_trust::PublicKey) -> Option<Index> {
        self.root.document().member_by_key(key).map(|member| member.index)
    }

    pub(crate) fn with_root(mut self, root: TrustedRoot) -> Self {
        self.root = root;
        self
    }

    pub(crate) fn with_deny(mut self, deny: VerifiedDeny) -> Self {
        self.deny = Some(deny);
        self.judge();
        self
    }

    /// With an order taken; `None` if it had been taken before.
    pub(crate) fn with_order(
        mut self,
        order: VerifiedOrder,
        received: Seconds,
    ) -> Result<Option<Self>, OrderConflict> {
        if self.orders.take(order, received)? == symbolon_trust::Taken::Before {
            return Ok(None);
        }
        self.judge();
        Ok(Some(self))
    }

    fn judge(&mut self) {
        let orders = self.orders.iter().map(|stored| &stored.order);
        self.denials = Denials::new(self.deny.as_ref(), orders);
    }
}
