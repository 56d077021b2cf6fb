//! What a driver believes about its account: root document, denials, orders. All of it was verified, and stored first.

use crate::journal::{Journal, Stored};
use symbolon_encoding::{DecodeError, from_canonical, to_canonical};
use symbolon_fragments::names::Index;
use symbolon_store::{StoreError, driver::Document};
use symbolon_trust::{
    Denials, DenyDocument, DenyError, Now, Order, OrderBook, OrderConflict, OrderError, PublicKey,
    RootDocument, RootError, Seconds, Signed, StoreLabel, Taken, TrustedRoot, VerifiedDeny, VerifiedOrder,
};

/// Why a document is not taken, or what was stored is not what this driver would have stored.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// Not a canonical encoding of such a document.
    #[error("a document is malformed")]
    Malformed(#[from] DecodeError),
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

/// The account's documents in force.
#[derive(Clone)]
pub(crate) struct Documents {
    root: TrustedRoot,
    deny: Option<VerifiedDeny>,
    orders: OrderBook,
    denials: Denials,
}

impl Documents {
    /// What was stored, or the first root document where nothing was.
    pub(crate) async fn recall(first: TrustedRoot, journal: &Journal) -> Result<Self, DocumentsError> {
        let Stored { roots, deny, orders } = journal.documents().await?;
        if roots.is_empty() {
            journal.put_document(Document::Root, 1, to_canonical(first.signed())).await?;
            return Ok(Self::new(first));
        }
        let chain = roots.iter().map(|row| from_canonical(&row.document)).collect::<Result<Vec<_>, _>>()?;
        let mut documents = Self::new(TrustedRoot::replay(first.account(), chain)?);
        if let Some(row) = deny {
            documents.deny = Some(VerifiedDeny::recall(from_canonical(&row.document)?, &documents.root)?);
        }
        for row in orders {
            let order = VerifiedOrder::recall(from_canonical(&row.document)?, &documents.root)?;
            documents.orders.take(order, Seconds(row.received))?;
        }
        documents.judge();
        Ok(documents)
    }

    fn new(root: TrustedRoot) -> Self {
        Self { root, deny: None, orders: OrderBook::default(), denials: Denials::default() }
    }

    pub(crate) const fn root(&self) -> &TrustedRoot {
        &self.root
    }

    pub(crate) const fn denials(&self) -> &Denials {
        &self.denials
    }

    /// How new they are: versions of the root and of the deny document, serial of the newest order.
    pub(crate) fn versions(&self) -> (u64, u64, u64) {
        let deny = self.deny.as_ref().map_or(0, |deny| deny.document().version);
        (self.root.document().version, deny, self.orders.highest_serial())
    }

    /// The roster's number of the driver with this identity, if it is one of the store's and not retired.
    pub(crate) fn enrolled(&self, key: &PublicKey, store: &StoreLabel) -> Option<Index> {
        let store = self.root.document().key_store(store)?;
        store.active(&self.root).find(|(_, member)| member.key == *key).map(|(driver, _)| driver.index)
    }

    /// With a successor of the root document, stored.
    pub(crate) async fn succeed(
        mut self,
        next: Signed<RootDocument>,
        journal: &Journal,
    ) -> Result<Self, DocumentsError> {
        self.root = self.root.succeed(next)?;
        let root = self.root.signed();
        journal.put_document(Document::Root, root.body().version, to_canonical(root)).await?;
        Ok(self)
    }

    /// With a newer deny document, stored.
    pub(crate) async fn deny(
        mut self,
        next: Signed<DenyDocument>,
        journal: &Journal,
    ) -> Result<Self, DocumentsError> {
        let next = VerifiedDeny::verify(next, &self.root)?;
        if let Some(held) = &self.deny {
            next.check_succession(held)?;
        }
        let version = next.document().version;
        journal.put_document(Document::Deny, version, to_canonical(next.signed())).await?;
        self.deny = Some(next);
        self.judge();
        Ok(self)
    }

    /// With an order, stored; says which, where it is new.
    pub(crate) async fn order(
        mut self,
        order: Signed<Order>,
        now: Now,
        journal: &Journal,
    ) -> Result<(Self, Option<VerifiedOrder>), DocumentsError> {
        let order = VerifiedOrder::verify(order, &self.root, now)?;
        if self.orders.take(order.clone(), now.time())? == Taken::Before {
            return Ok((self, None));
        }
        let serial = order.order().serial;
        journal.put_document(Document::Order, serial, to_canonical(order.signed())).await?;
        self.judge();
        Ok((self, Some(order)))
    }

    fn judge(&mut self) {
        let orders = self.orders.iter().map(|stored| &stored.order);
        self.denials = Denials::new(self.deny.as_ref(), orders);
    }
}
