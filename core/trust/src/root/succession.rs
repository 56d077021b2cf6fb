//! How a root document comes to be trusted: installed by the account's id, or signed in by its predecessor.

use super::{Member, RootDocument, RootRule};
use crate::signed::{SignatureError, Signed};
use alloc::{vec, vec::Vec};
use symbolon_fragments::names::{AccountId, Index};

/// A root document that this account's owner made: the start of every other check.
///
/// It can't be made up:
/// ```compile_fail,E0451
/// # fn forge(account: symbolon_fragments::names::AccountId,
/// #     signed: symbolon_trust::Signed<symbolon_trust::RootDocument>) {
/// let root = symbolon_trust::TrustedRoot { account, chain: vec![signed] };
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedRoot {
    account: AccountId,
    /// From version 1 to the present one; never empty.
    chain: Vec<Signed<RootDocument>>,
}

/// Why a root document is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// A first document of another account.
    #[error("the root document founds {found}, not {expected}")]
    Account {
        /// The account that was expected.
        expected: AccountId,
        /// The account that the document founds.
        found: AccountId,
    },
    /// The document itself is wrong, or does not follow its predecessor.
    #[error("the root document breaks a rule")]
    Rule(#[from] RootRule),
    /// The document's own `root` role didn't sign it.
    #[error("the root document is not signed by its own role `root`")]
    OwnSignature(#[source] SignatureError),
    /// The predecessor's `root` role didn't sign it.
    #[error("the root document is not signed by its predecessor's role `root`")]
    PredecessorsSignature(#[source] SignatureError),
    /// A chain without its first document.
    #[error("there is no root document")]
    Missing,
}

impl TrustedRoot {
    /// Trusts a first document because its hash is the account id that was installed.
    pub fn install(account: AccountId, signed: Signed<RootDocument>) -> Result<Self, RootError> {
        let body = signed.body();
        let found = body.account();
        if body.version != 1 || found != account {
            return Err(RootError::Account { expected: account, found });
        }
        body.check()?;
        body.roles.root.check(&signed).map_err(RootError::OwnSignature)?;
        Ok(Self { account, chain: vec![signed] })
    }

    /// Trusts a successor because the role `root` of both documents signed it.
    pub fn succeed(&self, next: Signed<RootDocument>) -> Result<Self, RootError> {
        let body = next.body();
        body.check_succession(self.document())?;
        self.document().roles.root.check(&next).map_err(RootError::PredecessorsSignature)?;
        body.roles.root.check(&next).map_err(RootError::OwnSignature)?;
        let mut chain = self.chain.clone();
        chain.push(next);
        Ok(Self { account: self.account, chain })
    }

    /// Trusts the last of a chain of documents, first version first. A stored chain is read so, because a store is
    /// not trusted to make documents.
    pub fn replay(
        account: AccountId,
        chain: impl IntoIterator<Item = Signed<RootDocument>>,
    ) -> Result<Self, RootError> {
        let mut chain = chain.into_iter();
        let first = Self::install(account, chain.next().ok_or(RootError::Missing)?)?;
        chain.try_fold(first, |root, next| root.succeed(next))
    }

    /// The account.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The document.
    pub fn document(&self) -> &RootDocument {
        self.signed().body()
    }

    /// The document with its signatures, to store or to serve.
    ///
    /// # Panics
    /// Never: a chain has its first document.
    pub fn signed(&self) -> &Signed<RootDocument> {
        self.chain.last().expect("a chain has its first document")
    }

    /// All versions, the first one first.
    pub fn chain(&self) -> &[Signed<RootDocument>] {
        &self.chain
    }

    /// Passes if a check passes under any version, the newest first; else the newest version's error.
    pub(crate) fn check_any<T, E>(&self, check: impl Fn(&RootDocument) -> Result<T, E>) -> Result<T, E> {
        let mut earlier = self.chain.iter().rev().skip(1);
        check(self.document())
            .or_else(|newest| earlier.find_map(|signed| check(signed.body()).ok()).ok_or(newest))
    }

    /// The roster entry with this index.
    pub fn member(&self, index: Index) -> Result<&Member, UnknownMember> {
        self.document().member(index).ok_or(UnknownMember(index))
    }
}

/// The roster has no such entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the roster has no member {0}")]
pub struct UnknownMember(pub Index);
