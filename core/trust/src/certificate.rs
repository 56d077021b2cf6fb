//! What the members of a set vouch for: that a key is what it is, and that a sharing was made (specification §2.7, §2.8).

use crate::{
    members::EligibleMembers,
    root::{MemberKind, TrustedRoot, UnknownMember},
    signed::{Document, SignatureError, Signed},
    time::Seconds,
};
use alloc::vec::Vec;
use minicbor::{Decode, Encode, bytes::ByteVec};
use symbolon_encoding::Tuple;
use symbolon_fragments::names::{AccountId, Index, InstanceId, KeyId, Purpose, SetId, SuiteId};

/// Whether a set serves one key or many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum KeyKind {
    /// One key version: destroying the set destroys it.
    #[n(0)]
    Dedicated,
    /// Many keys, told apart by the derivation input.
    #[n(1)]
    Shared,
}

/// What a key version is: the only source of it for clients.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KeyCertificate {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The key.
    #[n(1)]
    pub key: KeyId,
    /// Its version.
    #[n(2)]
    pub version: u64,
    /// The fragment set behind it.
    #[n(3)]
    pub set: SetId,
    /// The set's public point, as the suite encodes it.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub y: Vec<u8>,
    /// The suite.
    #[n(5)]
    pub suite: SuiteId,
    /// Dedicated, or on a shared root.
    #[n(6)]
    pub kind: KeyKind,
    /// Whether using the key takes a customer fragment too.
    #[n(7)]
    pub customer_fragment: bool,
    /// What the key is for.
    #[n(8)]
    pub purpose: Purpose,
    /// Who vouches for it, ascending: the set's members when the key was made.
    #[n(9)]
    pub members: Vec<Index>,
    /// How many made the key then.
    #[n(10)]
    pub t: u16,
    /// The instance that was settled then.
    #[n(11)]
    pub instance: InstanceId,
    /// When the holder asked for the key.
    #[n(12)]
    pub created: Seconds,
    /// Whether the key existed whole once, outside.
    #[n(13)]
    pub imported: bool,
}

impl Document for KeyCertificate {
    const LABEL: &'static str = "key-certificate";
}

/// What a ceremony did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum CeremonyKind {
    /// Made a key.
    #[n(0)]
    Generate,
    /// Shared an existing key anew.
    #[n(1)]
    Reshare,
}

/// One sharing of a set.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EpochCertificate {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The set.
    #[n(1)]
    pub set: SetId,
    /// The suite.
    #[n(2)]
    pub suite: SuiteId,
    /// Generated or reshared.
    #[n(3)]
    pub kind: CeremonyKind,
    /// First part of the instance's number: the order's serial.
    #[n(4)]
    pub serial: u64,
    /// Second part: the epoch.
    #[n(5)]
    pub epoch: u64,
    /// The instance that was reshared.
    #[n(6)]
    pub predecessor: Option<InstanceId>,
    /// How many members make the key.
    #[n(7)]
    pub t: u16,
    /// The members, ascending.
    #[n(8)]
    pub members: Vec<Index>,
    /// Who dealt, ascending.
    #[n(9)]
    pub dealers: Vec<Index>,
    /// The ceremony's name.
    #[cbor(n(10), with = "minicbor::bytes")]
    pub ceremony: [u8; 32],
    /// The hash of all commitments of the ceremony.
    #[cbor(n(11), with = "minicbor::bytes")]
    pub h1: [u8; 32],
    /// The hash of all its sealed shares.
    #[cbor(n(12), with = "minicbor::bytes")]
    pub h2: [u8; 32],
    /// The root document under which it was held.
    #[n(13)]
    pub root_version: u64,
    /// The set's public point.
    #[cbor(n(14), with = "minicbor::bytes")]
    pub y: Vec<u8>,
    /// The summed commitment: `t` points, of which the first is `y`.
    #[n(15)]
    pub commitment: Vec<ByteVec>,
}

impl Document for EpochCertificate {
    const LABEL: &'static str = "epoch-certificate";
}

impl EpochCertificate {
    /// The instance that this certificate makes and names.
    pub fn instance(&self) -> InstanceId {
        Tuple::new("instance").value(self).sha256().into()
    }

    /// The instance's number: the order's serial, then the epoch. Members sign upwards only.
    pub const fn number(&self) -> (u64, u64) {
        (self.serial, self.epoch)
    }

    fn check_form(&self) -> Result<(), CertificateError> {
        let ascending = self.dealers.is_sorted_by(|a, b| a < b) && !self.dealers.is_empty();
        let first = self.commitment.first().is_some_and(|point| **point == self.y);
        let origin = (self.kind == CeremonyKind::Generate) == self.predecessor.is_none();
        let length = self.commitment.len() == usize::from(self.t);
        if ascending && first && origin && length { Ok(()) } else { Err(CertificateError::Form) }
    }
}

/// A key certificate that all its members signed.
///
/// ```compile_fail,E0423
/// # fn forge(certificate: symbolon_trust::Signed<symbolon_trust::KeyCertificate>) {
/// let verified = symbolon_trust::VerifiedKeyCertificate(certificate);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedKeyCertificate(Signed<KeyCertificate>);

/// An epoch certificate that all its members signed: the instance that it names exists.
///
/// ```compile_fail,E0451
/// # fn forge(signed: symbolon_trust::Signed<symbolon_trust::EpochCertificate>) {
/// let instance = signed.body().instance();
/// let verified = symbolon_trust::VerifiedEpochCertificate { signed, instance };
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEpochCertificate {
    signed: Signed<EpochCertificate>,
    instance: InstanceId,
}

/// Why a certificate is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is about another account.
    #[error("the certificate is another account's")]
    Account,
    /// Lists don't ascend, lengths don't fit, `t` is not between 2 and the number of members.
    #[error("the certificate contradicts itself")]
    Form,
    /// The roster has no such entry.
    #[error(transparent)]
    Unknown(#[from] UnknownMember),
    /// An HSM driver holds no fragments.
    #[error("member {0} is not a fragment manager")]
    Kind(Index),
    /// Under no version of the root document these members might have formed a set: whoever signed it are too few, or too
    /// near to one another.
    #[error("the certificate's members never were allowed to form a set")]
    Members,
    /// Not all members signed.
    #[error("the certificate is not signed by all its members")]
    Signature(#[from] SignatureError),
}

impl VerifiedKeyCertificate {
    /// Checks account, form, the signatures of all members, and that they might form a set.
    pub fn verify(signed: Signed<KeyCertificate>, root: &TrustedRoot) -> Result<Self, CertificateError> {
        let body = signed.body();
        if body.version == 0 {
            return Err(CertificateError::Form);
        }
        check_members(&signed, body.account, &body.members, body.t, root)?;
        Ok(Self(signed))
    }

    /// The certificate.
    pub const fn certificate(&self) -> &KeyCertificate {
        self.0.body()
    }

    /// The certificate with its signatures.
    pub const fn signed(&self) -> &Signed<KeyCertificate> {
        &self.0
    }
}

impl VerifiedEpochCertificate {
    /// Checks account, form and the signatures of all members. That points are points is the suite's business.
    pub fn verify(signed: Signed<EpochCertificate>, root: &TrustedRoot) -> Result<Self, CertificateError> {
        let body = signed.body();
        body.check_form()?;
        check_members(&signed, body.account, &body.members, body.t, root)?;
        let instance = body.instance();
        Ok(Self { signed, instance })
    }

    /// The certificate.
    pub const fn certificate(&self) -> &EpochCertificate {
        self.signed.body()
    }

    /// The certificate with its signatures.
    pub const fn signed(&self) -> &Signed<EpochCertificate> {
        &self.signed
    }

    /// The instance that it names.
    pub const fn instance(&self) -> InstanceId {
        self.instance
    }

    /// Checks that the instance is a sharing of that key: same account, set, suite and public point.
    pub fn check_key(&self, key: &VerifiedKeyCertificate) -> Result<(), NotOfKey> {
        let (epoch, key) = (self.certificate(), key.certificate());
        let same = epoch.account == key.account
            && epoch.set == key.set
            && epoch.suite == key.suite
            && epoch.y == key.y;
        if same { Ok(()) } else { Err(NotOfKey) }
    }
}

/// A sharing of another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the epoch certificate is not about this key's set")]
pub struct NotOfKey;

fn check_members<B: Document>(
    signed: &Signed<B>,
    account: AccountId,
    members: &[Index],
    t: u16,
    root: &TrustedRoot,
) -> Result<(), CertificateError> {
    if account != root.account() {
        return Err(CertificateError::Account);
    }
    let possible = t >= 2 && usize::from(t) <= members.len();
    if !possible || !members.is_sorted_by(|a, b| a < b) {
        return Err(CertificateError::Form);
    }
    let entries = members.iter().map(|index| root.member(*index)).collect::<Result<Vec<_>, _>>()?;
    if let Some(driver) = entries.iter().find(|member| member.kind != MemberKind::FragmentManager) {
        return Err(CertificateError::Kind(driver.index));
    }
    EligibleMembers::check_ever(root, members, t).map_err(|_| CertificateError::Members)?;
    signed.check(entries.iter().map(|member| &member.key), members.len())?;
    Ok(())
}
