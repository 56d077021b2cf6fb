//! Key stores that are HSMs: their labels, the check value of their master key, and the drivers that reach them
//! (specification §2.1, §2.12).
//!
//! What a driver does with a token is not here, nor how a check value is made: it is bytes that drivers of one master key
//! agree on.

use crate::{
    keys::{PublicKey, WrongSignature},
    root::{Member, MemberKind, TrustedRoot},
    signed::{Document, Signed},
    time::Seconds,
};
use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use symbolon_fragments::names::{AccountId, Index};

/// Bytes of a sealing key: a public X-Wing key.
pub const SEALING_KEY_BYTES: usize = 1216;

/// Bytes that a check value may have. Fewer could be met by chance.
pub const CHECK_VALUE_BYTES: core::ops::RangeInclusive<usize> = 8..=64;

/// What people call the fragment managers where a store's label is asked for.
const FRAGMENTS: &str = "fragments";

/// Bytes in the longest label.
const LONGEST: usize = 63;

/// A key store's label: 1 to 63 of `a-z 0-9 . _ -`, the first a letter or a digit, and not `fragments`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreLabel(String);

/// Text that is no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key store's label has 1 to 63 of a-z, 0-9, '.', '_', '-', starts with a letter or a digit, and is not `fragments`"
)]
pub struct WrongStoreLabel;

impl StoreLabel {
    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StoreLabel {
    type Err = WrongStoreLabel;

    fn from_str(text: &str) -> Result<Self, WrongStoreLabel> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let first = text.bytes().next().is_some_and(plain);
        let all = text.bytes().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'));
        if first && all && text.len() <= LONGEST && text != FRAGMENTS {
            Ok(Self(text.into()))
        } else {
            Err(WrongStoreLabel)
        }
    }
}

impl fmt::Display for StoreLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for StoreLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<C> Encode<C> for StoreLabel {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for StoreLabel {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.str()?.parse().map_err(decode::Error::message)
    }
}

/// A key store inside HSMs that share one master key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KeyStore {
    /// Its label, unique in the account.
    #[n(0)]
    pub label: StoreLabel,
    /// What every driver of the master key computes; tells whether a new driver reaches the same one.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub check_value: Vec<u8>,
    /// Its drivers, ascending by roster number; retired ones stay listed.
    #[n(2)]
    pub drivers: Vec<StoreDriver>,
}

/// A driver, as a member of a key store. Who it is says the roster.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoreDriver {
    /// Its number in the roster.
    #[n(0)]
    pub index: Index,
    /// What jobs are sealed to: a public X-Wing key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealing_key: Vec<u8>,
}

/// How a root document's key stores are encoded: a list that is left out where it is empty, so that a document without them
/// is what it was before there were any.
pub(crate) mod encoding {
    use super::KeyStore;
    use alloc::vec::Vec;
    use minicbor::{
        Decoder, Encoder, decode::Error as DecodeError, encode::Error as EncodeError, encode::Write,
    };

    pub(crate) fn encode<C, W: Write>(
        stores: &Vec<KeyStore>,
        e: &mut Encoder<W>,
        c: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.encode_with(stores, c)?.ok()
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, c: &mut C) -> Result<Vec<KeyStore>, DecodeError> {
        d.decode_with(c)
    }

    #[expect(clippy::ptr_arg, reason = "the signature that the derive calls")]
    pub(crate) fn is_nil(stores: &Vec<KeyStore>) -> bool {
        stores.is_empty()
    }

    #[expect(clippy::unnecessary_wraps, reason = "the signature that the derive calls")]
    pub(crate) fn nil() -> Option<Vec<KeyStore>> {
        Some(Vec::new())
    }
}

impl KeyStore {
    /// The drivers that take jobs, with their roster entries.
    pub fn active<'r>(
        &'r self,
        root: &'r TrustedRoot,
    ) -> impl Iterator<Item = (&'r StoreDriver, &'r Member)> {
        let entry = |driver: &'r StoreDriver| Some((driver, root.document().member(driver.index)?));
        self.drivers.iter().filter_map(entry).filter(|(_, member)| !member.retired)
    }

    /// The driver with this roster number, retired or not.
    pub fn driver(&self, index: Index) -> Option<&StoreDriver> {
        self.drivers.iter().find(|driver| driver.index == index)
    }
}

/// What a driver says about itself on its own machine, for the owner to sign it in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Enrolment {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The key store that it is to serve.
    #[n(1)]
    pub store: StoreLabel,
    /// Its identity. The owner compares its thumbprint with what the driver's operator reads out.
    #[n(2)]
    pub key: PublicKey,
    /// What jobs are to be sealed to.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub sealing_key: Vec<u8>,
    /// The check value of the master key that it reaches.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub check_value: Vec<u8>,
    /// When it was made.
    #[n(5)]
    pub created: Seconds,
}

impl Document for Enrolment {
    const LABEL: &'static str = "enrolment";
}

/// An enrolment that is well formed and signed by the identity that it names.
///
/// ```compile_fail,E0423
/// # fn forge(enrolment: symbolon_trust::Enrolment) {
/// let verified = symbolon_trust::VerifiedEnrolment(enrolment);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEnrolment(Enrolment);

/// Why a driver can't be signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentError {
    /// For another account.
    #[error("the enrolment is for another account")]
    Account,
    /// The identity that it names didn't sign it.
    #[error("the enrolment is not signed by the driver that it names")]
    Unsigned,
    /// The driver's signature is wrong: the file was changed.
    #[error("the enrolment was changed after the driver had signed it")]
    Signature(#[from] WrongSignature),
    /// A sealing key or check value of the wrong length.
    #[error("the enrolment's sealing key or check value has a wrong length")]
    Form,
    /// The store's drivers so far reach another master key.
    #[error("the driver reaches another master key than the drivers of `{0}`: its check value differs")]
    OtherMasterKey(StoreLabel),
}

impl VerifiedEnrolment {
    /// Checks account, form, the driver's signature, and the check value against the store's, if there is one by now.
    pub fn verify(signed: &Signed<Enrolment>, root: &TrustedRoot) -> Result<Self, EnrolmentError> {
        let enrolment = signed.body();
        if enrolment.account != root.account() {
            return Err(EnrolmentError::Account);
        }
        let signature = signed.signature_of(&enrolment.key).ok_or(EnrolmentError::Unsigned)?;
        crate::signed::verify(&enrolment.key, enrolment, signature)?;
        let lengths = enrolment.sealing_key.len() == SEALING_KEY_BYTES
            && CHECK_VALUE_BYTES.contains(&enrolment.check_value.len());
        if !lengths {
            return Err(EnrolmentError::Form);
        }
        match root.document().key_store(&enrolment.store) {
            Some(store) if store.check_value != enrolment.check_value => {
                Err(EnrolmentError::OtherMasterKey(enrolment.store.clone()))
            }
            _ => Ok(Self(enrolment.clone())),
        }
    }

    /// The enrolment.
    pub const fn enrolment(&self) -> &Enrolment {
        &self.0
    }
}

/// Whether a roster entry is a driver: what a key store may list.
pub(crate) fn is_driver(member: &Member) -> bool {
    member.kind == MemberKind::Driver
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_encoding::{from_canonical, to_canonical};

    #[test]
    fn labels_have_one_form() {
        for label in ["prod", "hsm-1", "0", "eu.west_1"] {
            let parsed: StoreLabel = label.parse().unwrap();
            assert_eq!(from_canonical(&to_canonical(&parsed)), Ok(parsed));
        }
        let long = "a".repeat(64);
        for wrong in ["", "fragments", "-a", "A", "a/b", "a b", long.as_str()] {
            assert_eq!(wrong.parse::<StoreLabel>(), Err(WrongStoreLabel), "{wrong}");
        }
        assert!(from_canonical::<StoreLabel>(b"\x69fragments").is_err());
    }
}
