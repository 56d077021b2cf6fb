//! Small secrets at rest, under a 32-byte key or a passphrase (specification §4.5).
//!
//! Fragments, identities, the owner's keystore and the customer fragment's file are sealed so. It is not for
//! messages: a blob is opened whole, in memory. A label says what a blob is and where it belongs, so that one
//! can't be put in another's place.

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use alloc::string::String;
use alloc::vec::Vec;
use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use symbolon_encoding::{Tuple, from_canonical, to_canonical};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The first field of every blob.
const MARK: &str = "symbolon/v1/sealed";
/// Salt of a blob, bytes. New for each, so that each has its own AES key and the nonce can be fixed.
const SALT_LEN: usize = 32;
/// A blob's AES key seals one message only, so its nonce is constant.
const NONCE: [u8; 12] = [0; 12];
/// Memory that a blob read from outside may make us use, KiB (1 GiB).
const MAX_MEMORY_KIB: u32 = 1 << 20;
/// Passes and lanes that a blob read from outside may ask for.
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// A 256-bit key under which a role seals what it keeps.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// Takes the key's bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Makes a new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The key's bytes, to be written to a place that the operator chose.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What Argon2id (RFC 9106) is to cost: memory in KiB, passes, lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cost {
    /// Memory, KiB.
    #[n(0)]
    pub memory_kib: u32,
    /// Passes over the memory.
    #[n(1)]
    pub passes: u32,
    /// Lanes.
    #[n(2)]
    pub lanes: u32,
}

impl Cost {
    /// RFC 9106 §4, the second recommended option: 64 MiB, three passes, four lanes.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    fn is_bounded(self) -> bool {
        self.memory_kib <= MAX_MEMORY_KIB && self.passes <= MAX_PASSES && self.lanes <= MAX_LANES
    }
}

/// A passphrase, and what guessing it is to cost whoever finds the blob.
pub struct Passphrase {
    text: Zeroizing<String>,
    cost: Cost,
}

impl Passphrase {
    /// A passphrase at the recommended cost.
    pub fn new(text: String) -> Self {
        Self { text: Zeroizing::new(text), cost: Cost::RECOMMENDED }
    }

    /// Sets what blobs sealed from now on cost; one that is opened says its own cost.
    #[must_use]
    pub fn costing(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }
}

/// What a blob is sealed under.
#[derive(Clone, Copy)]
pub enum Lock<'a> {
    /// A key from a file or another secret place.
    Key(&'a SealingKey),
    /// A passphrase that a person knows.
    Passphrase(&'a Passphrase),
}

/// What opens a blob, read from the blob itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// A sealing key.
    Key,
    /// A passphrase, at this cost.
    Passphrase(Cost),
}

/// Why a secret could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Argon2id doesn't take this cost, or it is above what a reader accepts.
    #[error("the cost of the passphrase is out of bounds")]
    Cost,
}

/// Why a blob could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not a sealed blob, or not in its canonical encoding.
    #[error("not a sealed secret")]
    Malformed,
    /// The blob asks for more memory or time than any honest one.
    #[error("the sealed secret asks for an unreasonable cost")]
    Cost,
    /// It is sealed under a passphrase and a key was given, or the other way round.
    #[error("sealed under a {}", match .0 { Protection::Key => "key, not a passphrase", Protection::Passphrase(_) => "passphrase, not a key" })]
    OtherProtection(Protection),
    /// Another key or passphrase, or the blob belongs elsewhere: its label differs.
    #[error("wrong key or passphrase, or another secret than was expected")]
    WrongKey,
    /// The key is right and the content isn't what was sealed.
    #[error("the sealed secret was changed")]
    NotAuthentic,
}

/// `["symbolon/v1/sealed", cost or null, salt, commitment, ciphertext]`
#[derive(Encode, Decode)]
#[cbor(array)]
struct Blob<'b> {
    #[b(0)]
    mark: &'b str,
    #[n(1)]
    cost: Option<Cost>,
    #[cbor(n(2), with = "minicbor::bytes")]
    salt: [u8; SALT_LEN],
    #[cbor(n(3), with = "minicbor::bytes")]
    commitment: [u8; 32],
    #[cbor(n(4), with = "minicbor::bytes")]
    ciphertext: Vec<u8>,
}

/// Seals a secret under a lock. `label` names what it is and where it belongs, and must be given again to open.
///
/// # Panics
/// If the secret is longer than AES-GCM takes, 64 GiB.
///
/// ```
/// use symbolon_encoding::Tuple;
/// use symbolon_envelope::sealed::{open, seal, Lock, SealingKey};
/// let key = SealingKey::new([7; 32]);
/// let label = Tuple::new("sealed/example").uint(1);
/// # use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
/// # let mut rng = ChaCha20Rng::from_seed([0; 32]);
/// let blob = seal(Lock::Key(&key), &label, b"secret", &mut rng).unwrap();
/// assert_eq!(*open(Lock::Key(&key), &label, &blob).unwrap(), b"secret");
/// assert!(open(Lock::Key(&key), &Tuple::new("sealed/example").uint(2), &blob).is_err());
/// ```
pub fn seal(
    lock: Lock<'_>,
    label: &Tuple,
    secret: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; SALT_LEN];
    rng.fill_bytes(&mut salt);
    let cost = cost_of(lock);
    let root = root_key(lock, cost, &salt).ok_or(SealError::Cost)?;
    let keys = Keys::derive(&root, cost, &salt, label);
    let ciphertext =
        keys.cipher().encrypt(&Nonce::from(NONCE), secret).expect("a small secret is short enough");
    Ok(to_canonical(&Blob { mark: MARK, cost, salt, commitment: keys.commitment, ciphertext }))
}

/// Opens a blob with what it was sealed under and the label it was given.
pub fn open(lock: Lock<'_>, label: &Tuple, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let blob = read(blob)?;
    let lock = matching(lock, &blob)?;
    let root = root_key(lock, blob.cost, &blob.salt).ok_or(OpenError::Cost)?;
    let keys = Keys::derive(&root, blob.cost, &blob.salt, label);
    if !bool::from(keys.commitment.ct_eq(&blob.commitment)) {
        return Err(OpenError::WrongKey);
    }
    let opened = keys.cipher().decrypt(&Nonce::from(NONCE), blob.ciphertext.as_slice());
    opened.map(Zeroizing::new).map_err(|_| OpenError::NotAuthentic)
}

/// Says what a blob must be opened with, without opening it.
pub fn protection(blob: &[u8]) -> Result<Protection, OpenError> {
    read(blob).map(|blob| blob.protection())
}

impl Blob<'_> {
    fn protection(&self) -> Protection {
        self.cost.map_or(Protection::Key, Protection::Passphrase)
    }
}

fn read(bytes: &[u8]) -> Result<Blob<'_>, OpenError> {
    let blob: Blob<'_> = from_canonical(bytes).map_err(|_| OpenError::Malformed)?;
    if blob.mark == MARK { Ok(blob) } else { Err(OpenError::Malformed) }
}

fn matching<'a>(lock: Lock<'a>, blob: &Blob<'_>) -> Result<Lock<'a>, OpenError> {
    match (lock, blob.cost) {
        (Lock::Key(_), None) | (Lock::Passphrase(_), Some(_)) => Ok(lock),
        _ => Err(OpenError::OtherProtection(blob.protection())),
    }
}

fn cost_of(lock: Lock<'_>) -> Option<Cost> {
    match lock {
        Lock::Key(_) => None,
        Lock::Passphrase(passphrase) => Some(passphrase.cost),
    }
}

/// The secret that a blob's keys are derived from; `None` if the cost is out of bounds.
fn root_key(lock: Lock<'_>, cost: Option<Cost>, salt: &[u8; SALT_LEN]) -> Option<Zeroizing<[u8; 32]>> {
    match (lock, cost) {
        (Lock::Key(key), _) => Some(Zeroizing::new(key.0)),
        (Lock::Passphrase(passphrase), cost) => stretch(&passphrase.text, cost?, salt),
    }
}

/// Argon2id, version 0x13 (RFC 9106 §3).
fn stretch(text: &str, cost: Cost, salt: &[u8; SALT_LEN]) -> Option<Zeroizing<[u8; 32]>> {
    if !cost.is_bounded() {
        return None;
    }
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok()?;
    let mut out = Zeroizing::new([0; 32]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(text.as_bytes(), salt, &mut out[..]).ok()?;
    Some(out)
}

/// `key ‖ commitment = HKDF-SHA256(salt, root key, T("sealed-keys", label, cost), 64)`
struct Keys {
    key: Zeroizing<[u8; 32]>,
    commitment: [u8; 32],
}

impl Keys {
    fn derive(root: &[u8; 32], cost: Option<Cost>, salt: &[u8; SALT_LEN], label: &Tuple) -> Self {
        let info = Tuple::new("sealed-keys").bytes(&label.encode()).value(&cost).encode();
        let mut okm = Zeroizing::new([0; 64]);
        let hkdf = Hkdf::<Sha256>::new(Some(salt), root);
        hkdf.expand(&info, &mut okm[..]).expect("64 bytes are within HKDF's limit");
        let (mut key, mut commitment) = (Zeroizing::new([0; 32]), [0; 32]);
        key.copy_from_slice(&okm[..32]);
        commitment.copy_from_slice(&okm[32..]);
        Self { key, commitment }
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.key).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::from_seed([1; 32])
    }

    fn label() -> Tuple {
        Tuple::new("sealed/test").uint(1)
    }

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.into()).costing(CHEAP)
    }

    #[test]
    fn only_the_same_key_and_label_open() {
        let (key, other) = (SealingKey::new([1; 32]), SealingKey::new([2; 32]));
        let blob = seal(Lock::Key(&key), &label(), b"secret", &mut rng()).unwrap();
        assert_eq!(*open(Lock::Key(&key), &label(), &blob).unwrap(), b"secret");
        assert_eq!(open(Lock::Key(&other), &label(), &blob), Err(OpenError::WrongKey));
        let elsewhere = Tuple::new("sealed/test").uint(2);
        assert_eq!(open(Lock::Key(&key), &elsewhere, &blob), Err(OpenError::WrongKey));
    }

    #[test]
    fn only_the_same_passphrase_opens() {
        let blob = seal(Lock::Passphrase(&passphrase("right")), &label(), b"", &mut rng()).unwrap();
        assert_eq!(protection(&blob), Ok(Protection::Passphrase(CHEAP)));
        assert!(
            open(Lock::Passphrase(&Passphrase::new("right".into())), &label(), &blob).unwrap().is_empty()
        );
        let wrong = open(Lock::Passphrase(&passphrase("wrong")), &label(), &blob);
        assert_eq!(wrong, Err(OpenError::WrongKey));
        let key = SealingKey::new([1; 32]);
        let other = open(Lock::Key(&key), &label(), &blob);
        assert_eq!(other, Err(OpenError::OtherProtection(Protection::Passphrase(CHEAP))));
    }

    #[test]
    fn blobs_written_once_open_for_ever() {
        let by_key = "857273796d626f6c6f6e2f76312f7365616c6564f65820023f37203a2476c42566a61cc55c3ca875\
             dbb4cc41c0deb789f8e7bf881836385820d3451eff1f60f7dabdbd23e19b0f8cebe5510bb989dfd1\
             ca5638f95c3c9740125695986d7b3c8eb52d3fc59c91f1edb41bc93115cb75c6";
        let by_passphrase = "857273796d626f6c6f6e2f76312f7365616c656483184001015820023f37203a2476c42566a61cc5\
             5c3ca875dbb4cc41c0deb789f8e7bf881836385820f652549f7b4d79389dbac093deada12db2060e\
             84774f5919ccbe439d4037f93e560cfe7d1efcb5c817da6950eb38322261d9afbe1d36a8";
        let key = SealingKey::new([1; 32]);
        assert_eq!(*open(Lock::Key(&key), &label(), &hex::decode(by_key).unwrap()).unwrap(), b"secret");
        let opened =
            open(Lock::Passphrase(&passphrase("right")), &label(), &hex::decode(by_passphrase).unwrap());
        assert_eq!(*opened.unwrap(), b"secret");
    }

    #[test]
    fn every_changed_bit_is_refused() {
        let key = SealingKey::new([1; 32]);
        let blob = seal(Lock::Key(&key), &label(), b"secret", &mut rng()).unwrap();
        for bit in 0..blob.len() * 8 {
            let mut changed = blob.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(Lock::Key(&key), &label(), &changed).is_err(), "bit {bit}");
        }
        for length in 0..blob.len() {
            assert!(open(Lock::Key(&key), &label(), &blob[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn a_blob_cannot_ask_for_all_memory() {
        let greedy = Cost { memory_kib: MAX_MEMORY_KIB + 1, passes: 1, lanes: 1 };
        let honest = seal(Lock::Passphrase(&passphrase("p")), &label(), b"s", &mut rng()).unwrap();
        let blob = Blob { cost: Some(greedy), ..read(&honest).unwrap() };
        let opened = open(Lock::Passphrase(&passphrase("p")), &label(), &to_canonical(&blob));
        assert_eq!(opened, Err(OpenError::Cost));
        let sealing = Passphrase::new("p".into()).costing(greedy);
        assert_eq!(seal(Lock::Passphrase(&sealing), &label(), b"s", &mut rng()), Err(SealError::Cost));
    }
}
