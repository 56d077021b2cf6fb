//! The owner's documents in force in one account: what a newer one replaces, what is refused as a step back, and what
//! all of them deny together.
//!
//! Not here: where they are stored. What a document leads to is a value of its own, so that whoever believes them stores
//! a document first and takes the new value up then.

use crate::{
    deny::{Denials, DenyDocument, DenyError, VerifiedDeny},
    order::{Order, OrderBook, OrderConflict, OrderError, Taken, VerifiedOrder},
    root::{RootDocument, RootError, TrustedRoot},
    signed::Signed,
    time::Seconds,
};
use symbolon_fragments::names::AccountId;

/// The documents that are in force in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    root: TrustedRoot,
    deny: Option<VerifiedDeny>,
    orders: OrderBook,
    denials: Denials,
}

/// How new an account's documents are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The root document's version.
    pub root: u64,
    /// The deny document's version; 0 if nothing was denied so far.
    pub deny: u64,
    /// The highest serial of an order; 0 if there is none.
    pub order: u64,
}

/// Documents that were stored are not what anybody would have stored who checks them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecallError {
    /// The root documents.
    #[error("the root documents are not a chain")]
    Root(#[from] RootError),
    /// The deny document.
    #[error("the deny document is not valid")]
    Deny(#[from] DenyError),
    /// An order.
    #[error("an order is not valid")]
    Order(#[from] OrderError),
    /// Two orders.
    #[error("orders contradict each other")]
    Conflict(#[from] OrderConflict),
}

impl Documents {
    /// Those of an account of which only the root document is known: nothing is denied, nothing was ordered.
    pub fn new(root: TrustedRoot) -> Self {
        Self { root, deny: None, orders: OrderBook::default(), denials: Denials::default() }
    }

    /// Those that were in force when they were stored: all root documents from the first one on, the newest deny
    /// document, and every order with the time at which it was received. They are verified again, but stay in force
    /// although they expired or their signers were replaced.
    pub fn recall(
        account: AccountId,
        roots: impl IntoIterator<Item = Signed<RootDocument>>,
        deny: Option<Signed<DenyDocument>>,
        orders: impl IntoIterator<Item = (Signed<Order>, Seconds)>,
    ) -> Result<Self, RecallError> {
        let mut documents = Self::new(TrustedRoot::replay(account, roots)?);
        documents.deny = deny.map(|deny| VerifiedDeny::recall(deny, &documents.root)).transpose()?;
        for (order, received) in orders {
            documents.orders.take(VerifiedOrder::recall(order, &documents.root)?, received)?;
        }
        Ok(documents.judged())
    }

    /// With a successor of the root document; nothing if that very document is in force.
    pub fn with_root(&self, next: Signed<RootDocument>) -> Result<Option<Self>, RootError> {
        if next.body() == self.root.document() {
            return Ok(None);
        }
        Ok(Some(Self { root: self.root.succeed(next)?, ..self.clone() }))
    }

    /// With a newer deny document; nothing if that very document is in force.
    pub fn with_deny(&self, next: Signed<DenyDocument>) -> Result<Option<Self>, DenyError> {
        let next = VerifiedDeny::verify(next, &self.root)?;
        if let Some(held) = &self.deny {
            next.check_succession(held)?;
            if next.document() == held.document() {
                return Ok(None);
            }
        }
        Ok(Some(Self { deny: Some(next), ..self.clone() }.judged()))
    }

    /// With an order, received at that time; nothing if it was taken before.
    pub fn with_order(&self, order: VerifiedOrder, received: Seconds) -> Result<Option<Self>, OrderConflict> {
        let mut next = self.clone();
        match next.orders.take(order, received)? {
            Taken::Before => Ok(None),
            Taken::Now => Ok(Some(next.judged())),
        }
    }

    /// The root document.
    pub const fn root(&self) -> &TrustedRoot {
        &self.root
    }

    /// The deny document, if anything was ever denied.
    pub const fn deny(&self) -> Option<&VerifiedDeny> {
        self.deny.as_ref()
    }

    /// The orders.
    pub const fn orders(&self) -> &OrderBook {
        &self.orders
    }

    /// What is denied: by the deny document, less what orders gave back, and what orders destroy.
    pub const fn denials(&self) -> &Denials {
        &self.denials
    }

    /// How new they are.
    pub fn versions(&self) -> Versions {
        Versions {
            root: self.root.document().version,
            deny: self.denials.version(),
            order: self.orders.highest_serial(),
        }
    }

    fn judged(mut self) -> Self {
        let orders = self.orders.iter().map(|stored| &stored.order);
        self.denials = Denials::new(self.deny.as_ref(), orders);
        self
    }
}

impl Versions {
    /// Whether any document there is newer than the one here.
    pub const fn lack(self, there: Self) -> bool {
        there.root > self.root || there.deny > self.deny || there.order > self.order
    }
}
