//! The owner's root document: who speaks for the account, and in which role (specification §2.1).
//!
//! A [`RootDocument`] is text that somebody wrote; a [`TrustedRoot`] is one that was installed by the account's id or
//! succeeded such a one. Every other check starts from a `TrustedRoot`.

mod rules;
mod succession;

pub use rules::RootRule;
pub use succession::{RootError, TrustedRoot, UnknownMember};

use crate::{
    key_store::{KeyStore, StoreLabel},
    keys::PublicKey,
    signed::{Document, SignatureError, Signed, hash},
    time::Seconds,
};
use alloc::{string::String, vec::Vec};
use minicbor::{Decode, Encode};
use symbolon_encoding::Tuple;
use symbolon_fragments::names::{AccountId, Index};

/// An account's constitution: roles with their keys, the access manager, the roster, and rules for fragment sets.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RootDocument {
    /// 1 for the first document, one more for each successor.
    #[n(0)]
    pub version: u64,
    /// The hash of the predecessor; none in version 1.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub previous: Option<[u8; 32]>,
    /// When the owner made this version.
    #[n(2)]
    pub created: Seconds,
    /// Keeps apart accounts that were made with the same keys; the same in all versions.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// Who may sign what.
    #[n(4)]
    pub roles: Roles,
    /// The account's access manager.
    #[n(5)]
    pub access_manager: AccessManager,
    /// Fragment managers and drivers, ascending by index; retired ones stay listed.
    #[n(6)]
    pub roster: Vec<Member>,
    /// The least that a fragment set must have.
    #[n(7)]
    pub minimum: Shape,
    /// Where members of one set may not pile up.
    #[n(8)]
    pub spread: Spread,
    /// Key stores inside HSMs, ascending by label. Where there are none, the document ends before them.
    #[cbor(n(9), with = "crate::key_store::encoding", has_nil)]
    pub key_stores: Vec<KeyStore>,
}

/// The four roles that sign documents.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Roles {
    /// Signs root documents.
    #[n(0)]
    pub root: Role,
    /// Signs grants and orders.
    #[n(1)]
    pub policy: Role,
    /// Signs the deny document: can only take away.
    #[n(2)]
    pub deny: Role,
    /// Signs permits and audit checkpoints: the access manager's.
    #[n(3)]
    pub permit: Role,
}

/// Keys, and how many of them must sign.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Role {
    /// How many keys must sign: at least one, at most all.
    #[n(0)]
    pub threshold: u16,
    /// The keys, ascending.
    #[n(1)]
    pub keys: Vec<PublicKey>,
}

/// The access manager: its TLS identity and where it listens.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AccessManager {
    /// The key that it answers TLS connections with.
    #[n(0)]
    pub key: PublicKey,
    /// `host:port`; a hint, since the key alone decides who answers.
    #[n(1)]
    pub address: String,
}

/// What a roster member does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum MemberKind {
    /// Holds a fragment of each key of its sets.
    #[n(0)]
    FragmentManager,
    /// Drives an HSM.
    #[n(1)]
    Driver,
}

/// A roster entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Member {
    /// Its number, and the x-coordinate of its fragments.
    #[n(0)]
    pub index: Index,
    /// What it does.
    #[n(1)]
    pub kind: MemberKind,
    /// What people call it, unique in the roster.
    #[n(2)]
    pub name: String,
    /// Its identity: signs its receipts and certificates, answers its TLS connections.
    #[n(3)]
    pub key: PublicKey,
    /// `host:port` of the direct route; a hint.
    #[n(4)]
    pub address: String,
    /// Who runs it.
    #[n(5)]
    pub operator: String,
    /// Whose machines it runs on.
    #[n(6)]
    pub cloud: String,
    /// Where those stand.
    #[n(7)]
    pub region: String,
    /// No longer asked to join; its old signatures stay verifiable.
    #[n(8)]
    pub retired: bool,
}

/// `t`-of-`n`: any `t` of `n` fragments make the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Shape {
    /// Fragments that are needed.
    #[n(0)]
    pub t: u16,
    /// Fragments that there are.
    #[n(1)]
    pub n: u16,
}

/// What no single one of may have `t` or more members of one set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Spread {
    /// No rule.
    #[default]
    #[n(0)]
    None,
    /// Operator.
    #[n(1)]
    Operator,
    /// Cloud.
    #[n(2)]
    Cloud,
    /// Region.
    #[n(3)]
    Region,
}

impl Document for RootDocument {
    const LABEL: &'static str = "root";
}

impl RootDocument {
    /// The account that this first document founds: `SHA-256(T("account", body))`.
    pub fn account(&self) -> AccountId {
        Tuple::new("account").value(self).sha256().into()
    }

    /// The next version, in which nothing is changed yet.
    #[must_use]
    pub fn successor(&self, now: Seconds) -> Self {
        Self {
            version: self.version + 1,
            previous: Some(hash(self)),
            created: now.max(self.created),
            ..self.clone()
        }
    }

    /// The roster entry with this index.
    pub fn member(&self, index: Index) -> Option<&Member> {
        self.roster.iter().find(|member| member.index == index)
    }

    /// The roster entry with this identity key.
    pub fn member_by_key(&self, key: &PublicKey) -> Option<&Member> {
        self.roster.iter().find(|member| member.key == *key)
    }

    /// The key store with this label.
    pub fn key_store(&self, label: &StoreLabel) -> Option<&KeyStore> {
        self.key_stores.iter().find(|store| store.label == *label)
    }

    /// The key store that a driver belongs to.
    pub fn store_of(&self, driver: Index) -> Option<&KeyStore> {
        self.key_stores.iter().find(|store| store.driver(driver).is_some())
    }

    /// Fragment managers that are not retired, ascending by index.
    pub fn fragment_managers(&self) -> impl Iterator<Item = &Member> {
        self.roster.iter().filter(|member| member.kind == MemberKind::FragmentManager && !member.retired)
    }
}

impl Role {
    /// The role of these keys, of which so many must sign.
    pub fn new(threshold: u16, keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let mut keys: Vec<PublicKey> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        Self { threshold, keys }
    }

    /// Checks that enough of the role's keys signed the document.
    pub fn check<B: Document>(&self, signed: &Signed<B>) -> Result<(), SignatureError> {
        signed.check(&self.keys, self.threshold.into())
    }
}

impl Member {
    /// The label that a spread rule looks at.
    pub(crate) fn label(&self, spread: Spread) -> Option<&str> {
        match spread {
            Spread::None => None,
            Spread::Operator => Some(&self.operator),
            Spread::Cloud => Some(&self.cloud),
            Spread::Region => Some(&self.region),
        }
    }
}
