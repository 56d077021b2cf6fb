//! A plugin's file: manifest, component, and signatures over both digests (specification, *Plugins*).
//!
//! Reading proves nothing; [`Bundle::authentic`] does, and only its witness is loaded.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use symbolon_encoding::{DecodeError, from_canonical, to_canonical};
use symbolon_trust::{Document, KeyPair, PublicKey, Signed};

use crate::policy::{Policy, SignatureRule};
use crate::refusal::Unsigned;

/// The largest file that is read, bytes. A component in Rust or C has some ten KiB; one with a script engine, some MiB.
pub const MAX_FILE: u64 = 32 << 20;

/// What a plugin's file starts with.
const MARK: &str = "symbolon/v1/plugin";

/// SHA-256 of the two parts: what a plugin's author signs. A manifest can't be exchanged without the component.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Digests {
    /// Of the component.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub component: [u8; 32],
    /// Of the manifest, as it is written.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub manifest: [u8; 32],
}

impl Document for Digests {
    const LABEL: &'static str = "plugin";
}

impl Digests {
    fn of(component: &[u8], manifest: &str) -> Self {
        Self { component: Sha256::digest(component).into(), manifest: Sha256::digest(manifest).into() }
    }
}

/// A plugin's file in memory.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Bundle {
    #[n(0)]
    mark: String,
    #[n(1)]
    manifest: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    component: Vec<u8>,
    #[n(3)]
    digests: Signed<Digests>,
}

/// Why a file isn't a plugin's.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file can't be read.
    #[error("the plugin's file can't be read")]
    Unreadable(#[source] io::Error),
    /// Larger than any plugin may be. Nothing of it was kept.
    #[error("the plugin's file has more than {} MiB", MAX_FILE >> 20)]
    TooLarge,
    /// Another kind of file. `component` says that it is a bare component.
    #[error("not a plugin's file{}", if *.component { ": it is a bare component; pack it with its manifest: symbolon plugin pack" } else { "" })]
    NotAPlugin {
        /// Whether it starts as WebAssembly does.
        component: bool,
    },
    /// A plugin's file that is cut short or was changed.
    #[error("the plugin's file is damaged")]
    Damaged(#[source] DecodeError),
}

/// A bundle whose parts are the ones that were signed, by somebody whom the operator's file names (or nobody, where it
/// says that this is fine).
#[derive(Clone, Copy, Debug)]
pub struct Authentic<'b>(&'b Bundle);

impl Bundle {
    /// A bundle without a signature.
    pub fn new(manifest: String, component: Vec<u8>) -> Self {
        let digests = Signed::new(Digests::of(&component, &manifest));
        Self { mark: MARK.into(), manifest, component, digests }
    }

    /// Adds a signature, or replaces the key's earlier one.
    pub fn sign(&mut self, key: &KeyPair) {
        self.digests.sign(key);
    }

    /// Reads a file, but no more of it than a plugin may have.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(BundleError::Unreadable)?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(BundleError::Unreadable)?;
        Self::decode(&bytes)
    }

    /// Reads a file's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() as u64 > MAX_FILE {
            return Err(BundleError::TooLarge);
        }
        let marked = Self::new(String::new(), Vec::new()).encode();
        // An array head, a text head, the mark.
        let start = 2 + MARK.len();
        if bytes.get(..start) != marked.get(..start) {
            return Err(BundleError::NotAPlugin { component: bytes.starts_with(b"\0asm") });
        }
        from_canonical(bytes).map_err(BundleError::Damaged)
    }

    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        to_canonical(self)
    }

    /// The manifest as it is written. Nothing of it is proven.
    pub fn manifest(&self) -> &str {
        &self.manifest
    }

    /// The component. Nothing of it is proven.
    pub fn component(&self) -> &[u8] {
        &self.component
    }

    /// The digests of both parts as they are now.
    pub fn digests(&self) -> Digests {
        Digests::of(&self.component, &self.manifest)
    }

    /// Who claims to have signed, sorted. Nothing of it is proven.
    pub fn signers(&self) -> impl Iterator<Item = PublicKey> {
        self.digests.signatures().iter().map(|(key, _)| *key)
    }

    /// Holds the digests against the parts, and the signatures against the operator's file.
    pub fn authentic(&self, policy: &Policy) -> Result<Authentic<'_>, Unsigned> {
        let now = self.digests();
        if now.component != self.digests.body().component {
            return Err(Unsigned::Altered { part: "component" });
        }
        if now.manifest != self.digests.body().manifest {
            return Err(Unsigned::Altered { part: "manifest" });
        }
        match policy.signature {
            SignatureRule::Required => self.signed_by(&policy.signers)?,
            SignatureRule::IAcceptUnsignedPlugins => {}
        }
        Ok(Authentic(self))
    }

    fn signed_by(&self, signers: &[PublicKey]) -> Result<(), Unsigned> {
        if self.digests.signatures().is_empty() {
            return Err(Unsigned::Nobody);
        }
        let known: Vec<_> = self.signers().filter(|key| signers.contains(key)).collect();
        if known.is_empty() {
            return Err(Unsigned::Stranger { signers: self.signers().collect() });
        }
        self.digests.check(&known, 1).map_err(Unsigned::Wrong)
    }
}

impl<'b> Authentic<'b> {
    /// The manifest as it is written.
    pub fn manifest(self) -> &'b str {
        &self.0.manifest
    }

    /// The component.
    pub fn component(self) -> &'b [u8] {
        &self.0.component
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> KeyPair {
        KeyPair::from_seed(&[seed; 32])
    }

    fn signed() -> Bundle {
        let mut bundle = Bundle::new("manifest".into(), b"component".to_vec());
        bundle.sign(&key(1));
        bundle
    }

    fn trusting(seeds: &[u8]) -> Policy {
        Policy { signers: seeds.iter().map(|seed| key(*seed).public()).collect(), ..Policy::default() }
    }

    #[test]
    fn a_known_signer_is_enough_and_strangers_do_not_matter() {
        let mut bundle = signed();
        bundle.sign(&key(2));
        let read = Bundle::decode(&bundle.encode()).unwrap();
        assert_eq!(read, bundle);
        assert_eq!(read.authentic(&trusting(&[3, 2])).unwrap().component(), b"component");
    }

    #[test]
    fn nobody_and_strangers_are_told_apart() {
        let unsigned = Bundle::new("manifest".into(), b"component".to_vec());
        assert!(matches!(unsigned.authentic(&trusting(&[1])), Err(Unsigned::Nobody)));
        assert!(matches!(signed().authentic(&trusting(&[2])), Err(Unsigned::Stranger { .. })));
        assert!(matches!(signed().authentic(&Policy::default()), Err(Unsigned::Stranger { .. })));
    }

    #[test]
    fn an_operator_may_do_without_but_must_say_so() {
        let policy = Policy { signature: SignatureRule::IAcceptUnsignedPlugins, ..Policy::default() };
        let unsigned = Bundle::new("manifest".into(), b"component".to_vec());
        assert!(unsigned.authentic(&policy).is_ok());
    }

    /// Whichever bit of the file is changed, it is damaged, altered, wrongly signed, or a stranger's.
    #[test]
    fn no_changed_bit_is_overlooked() {
        let file = signed().encode();
        for at in 0..file.len() * 8 {
            let mut changed = file.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let taken =
                Bundle::decode(&changed).ok().filter(|bundle| bundle.authentic(&trusting(&[1])).is_ok());
            assert!(taken.is_none(), "bit {at}");
        }
    }

    #[test]
    fn a_truncated_file_is_damaged() {
        let file = signed().encode();
        for end in 0..file.len() {
            assert!(Bundle::decode(&file[..end]).is_err(), "{end} bytes");
        }
        assert!(matches!(Bundle::decode(&file[..file.len() - 1]), Err(BundleError::Damaged(_))));
    }

    #[test]
    fn another_file_is_told_apart() {
        assert!(matches!(
            Bundle::decode(b"\0asm\x0d\0\x01\0"),
            Err(BundleError::NotAPlugin { component: true })
        ));
        assert!(matches!(Bundle::decode(b"{}"), Err(BundleError::NotAPlugin { component: false })));
    }

    #[test]
    fn a_file_of_a_hundred_megabytes_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(100 << 20).unwrap();
        assert!(matches!(Bundle::read(file.path()), Err(BundleError::TooLarge)));
    }

    /// What signers sign, byte for byte.
    #[test]
    fn golden_message() {
        let digests = Digests { component: [1; 32], manifest: [2; 32] };
        let expected = format!(
            "82{}82{}{}",
            "7273796d626f6c6f6e2f76312f706c7567696e", // text(18) "symbolon/v1/plugin"
            format_args!("5820{}", "01".repeat(32)),
            format_args!("5820{}", "02".repeat(32)),
        );
        assert_eq!(hex::encode(symbolon_trust::message(&digests)), expected);
    }
}
