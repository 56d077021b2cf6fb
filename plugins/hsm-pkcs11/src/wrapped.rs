//! A wrapped key: what `key-info.id` is. The key as the HSM wrapped it, all that is needed to unwrap it again, and a MAC
//! of the HSM around both.
//!
//! The MAC is a second wall: the tag of a wrapping mechanism is weak in some modules, and none in others. It covers the
//! host's binding too, which says whose key it is and is not in here.

use minicbor::{Decode, Encode};

use crate::failure::{Result, integrity};
use crate::kind::Kind;

/// Of this encoding.
const VERSION: u8 = 1;
/// What nothing else under the MAC key starts with.
const LABEL: &str = "symbolon/v1/hsm-pkcs11/wrapped-key";
/// Bytes of the master key's check value that a wrapped key carries, to tell another master key from a changed bit.
pub const MARK: usize = 8;

/// A wrapped key without its MAC.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
pub struct Content {
    #[n(0)]
    version: u8,
    #[n(1)]
    algorithm: String,
    #[n(2)]
    usage: String,
    /// The module that wrapped it: mechanisms of one number differ between modules.
    #[n(3)]
    pub module: String,
    /// Under which master key, as the start of its check value.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub master: Vec<u8>,
    /// `CKM_*`.
    #[n(5)]
    pub mechanism: u64,
    /// `SubjectPublicKeyInfo` of a pair, else empty.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub public_key: Vec<u8>,
    /// What `C_WrapKey` gave.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub wrapped: Vec<u8>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Envelope {
    #[n(0)]
    content: Content,
    #[cbor(n(1), with = "minicbor::bytes")]
    mac: Vec<u8>,
}

impl Content {
    pub fn new(
        kind: &Kind,
        module: String,
        master: &[u8],
        mechanism: u64,
        public_key: Vec<u8>,
        wrapped: Vec<u8>,
    ) -> Self {
        Self {
            version: VERSION,
            algorithm: kind.algorithm.into(),
            usage: kind.usage.name().into(),
            module,
            master: master.iter().take(MARK).copied().collect(),
            mechanism,
            public_key,
            wrapped,
        }
    }

    pub fn kind(&self) -> Result<&'static Kind> {
        Kind::find(&self.algorithm, &[&self.usage])
    }

    /// What the MAC is made over.
    pub fn authenticated(&self, binding: &[u8]) -> Vec<u8> {
        encode(&(LABEL, minicbor::bytes::ByteVec::from(binding.to_vec()), self))
    }

    /// The whole, as it is stored.
    pub fn with_mac(self, mac: Vec<u8>) -> (Vec<u8>, Self) {
        let envelope = Envelope { content: self, mac };
        (encode(&envelope), envelope.content)
    }
}

/// Content and MAC of what was stored. Nothing of it is to be believed before the MAC was verified.
pub fn decode(id: &[u8]) -> Result<(Content, Vec<u8>)> {
    let malformed = || integrity("key.tampered", "this is no wrapped key");
    let envelope: Envelope = minicbor::decode(id).map_err(|_| malformed())?;
    // One key has one id: another encoding of it is a changed one.
    if envelope.content.version != VERSION || encode(&envelope) != id {
        return Err(malformed());
    }
    Ok((envelope.content, envelope.mac))
}

fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    minicbor::encode(value, &mut out).expect("encoding into memory does not fail");
    out
}
