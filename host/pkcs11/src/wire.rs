//! What passes between us and the child process: frames of CBOR, a length of four bytes before each.
//!
//! Both ends are this program, of one build, so the format carries no version and is stored nowhere. Every buffer is
//! wiped, since PINs and secrets pass through.

use std::fmt;
use std::io;

use minicbor::{CborLen, Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::number::{AttributeId, MechanismId};

/// A frame's greatest length, bytes: more than any key or record that a token is given here.
const LONGEST: usize = 1 << 20;
/// Bytes of the length before each frame, little-endian.
pub const HEAD: usize = 4;

/// One attribute of an object or of a template, in the token's own representation: booleans one byte, numbers eight,
/// little-endian.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
#[cbor(array)]
pub struct Attribute {
    /// `CKA_*`.
    #[n(0)]
    pub id: AttributeId,
    /// The value.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: Vec<u8>,
}

/// Attributes that an object has, is looked for by, or shall get.
pub type Template = Vec<Attribute>;

/// A mechanism with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
#[cbor(array)]
pub struct Mechanism {
    /// `CKM_*`.
    #[n(0)]
    pub id: MechanismId,
    /// The parameters.
    #[n(1)]
    pub parameters: Parameters,
}

/// Parameters of a mechanism: the standard's structures without their pointers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub enum Parameters {
    /// None, or `NULL`.
    #[n(0)]
    None,
    /// `CK_GCM_PARAMS`.
    #[n(1)]
    #[cbor(array)]
    Gcm {
        /// The nonce.
        #[cbor(n(0), with = "minicbor::bytes")]
        iv: Vec<u8>,
        /// Associated data.
        #[cbor(n(1), with = "minicbor::bytes")]
        aad: Vec<u8>,
        /// Length of the tag, bits.
        #[n(2)]
        tag_bits: u64,
    },
    /// `CK_RSA_PKCS_PSS_PARAMS`.
    #[n(2)]
    #[cbor(array)]
    Pss {
        /// `CKM_*` of the hash.
        #[n(0)]
        hash: MechanismId,
        /// `CKG_MGF1_*`.
        #[n(1)]
        mgf: u64,
        /// Length of the salt, bytes.
        #[n(2)]
        salt_length: u64,
    },
}

/// What a token says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
#[cbor(array)]
pub struct TokenInfo {
    /// The label that it was initialised with.
    #[n(0)]
    pub label: String,
    /// Who made it.
    #[n(1)]
    pub manufacturer: String,
    /// What it is.
    #[n(2)]
    pub model: String,
    /// Which one it is.
    #[n(3)]
    pub serial: String,
    /// Version of its firmware, `major.minor`.
    #[n(4)]
    pub firmware: String,
    /// The mechanisms that the module lists. Modules lie.
    #[n(5)]
    pub mechanisms: Vec<MechanismId>,
}

/// Bytes that are wiped and not shown.
#[derive(Encode, Decode, CborLen, Zeroize, ZeroizeOnDrop)]
#[cbor(transparent)]
pub struct Secret(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>);

impl Secret {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn take(mut self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(std::mem::take(&mut self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What the child is asked. Objects are the token's own handles; who may name which is decided on our side.
#[derive(Debug, Encode, Decode, CborLen)]
pub enum Request {
    /// Loads the module and logs in. The first request, and only that.
    #[n(0)]
    #[cbor(array)]
    Open {
        #[n(0)]
        module: String,
        #[n(1)]
        label: String,
        #[n(2)]
        pin: Secret,
    },
    #[n(1)]
    #[cbor(array)]
    Find {
        #[n(0)]
        template: Template,
        #[n(1)]
        max: u32,
    },
    #[n(2)]
    #[cbor(array)]
    GenerateKey {
        #[n(0)]
        mechanism: Mechanism,
        #[n(1)]
        template: Template,
    },
    #[n(3)]
    #[cbor(array)]
    GenerateKeyPair {
        #[n(0)]
        mechanism: Mechanism,
        #[n(1)]
        public: Template,
        #[n(2)]
        private: Template,
    },
    #[n(4)]
    #[cbor(array)]
    Attributes {
        #[n(0)]
        object: u64,
        #[n(1)]
        ids: Vec<AttributeId>,
    },
    #[n(5)]
    #[cbor(array)]
    Sign {
        #[n(0)]
        mechanism: Mechanism,
        #[n(1)]
        key: u64,
        #[cbor(n(2), with = "minicbor::bytes")]
        data: Vec<u8>,
    },
    #[n(6)]
    #[cbor(array)]
    Verify {
        #[n(0)]
        mechanism: Mechanism,
        #[n(1)]
        key: u64,
        #[cbor(n(2), with = "minicbor::bytes")]
        data: Vec<u8>,
        #[cbor(n(3), with = "minicbor::bytes")]
        signature: Vec<u8>,
    },
    #[n(7)]
    #[cbor(array)]
    Encrypt {
        #[n(0)]
        mechanism: Mechanism,
        #[n(1)]
        key: u64,
        #[n(2)]
        plaintext: Secret,
    },
    #[n(8)]
    #[cbor(array)]
    Decrypt {
        #[n(0)]
        mechanism: Mechanism,
        #[n(1)]
        key: u64,
        #[cbor(n(2), with = "minicbor::bytes")]
        ciphertext: Vec<u8>,
    },
    #[n(9)]
    #[cbor(array)]
    Wrap {
        #[n(0)]
        mechanism: Mechanism,
        #[n(1)]
        wrapping: u64,
        #[n(2)]
        key: u64,
    },
    #[n(10)]
    #[cbor(array)]
    Unwrap {
        #[n(0)]
        mechanism: Mechanism,
        #[n(1)]
        wrapping: u64,
        #[cbor(n(2), with = "minicbor::bytes")]
        wrapped: Vec<u8>,
        #[n(3)]
        template: Template,
        #[n(4)]
        read_back: Vec<AttributeId>,
    },
    #[n(11)]
    #[cbor(array)]
    Destroy {
        #[n(0)]
        object: u64,
    },
    /// As an object of the session.
    #[n(12)]
    #[cbor(array)]
    Copy {
        #[n(0)]
        object: u64,
    },
}

/// What the child is sent: first the objects to destroy, whose handles were dropped, then a request if there is one.
/// A message without a request has no answer.
#[derive(Debug, Encode, Decode, CborLen)]
#[cbor(array)]
pub struct Message {
    #[n(0)]
    pub dropped: Vec<u64>,
    #[n(1)]
    pub request: Option<Request>,
}

/// What the child answers.
#[derive(Debug, Encode, Decode, CborLen)]
pub enum Answer {
    #[n(0)]
    Opened(#[n(0)] TokenInfo),
    #[n(1)]
    Objects(#[n(0)] Vec<u64>),
    #[n(2)]
    Object(#[n(0)] u64),
    #[n(3)]
    Pair(#[n(0)] u64, #[n(1)] u64),
    #[n(4)]
    Attributes(#[n(0)] Template),
    #[n(5)]
    Unwrapped(#[n(0)] u64, #[n(1)] Template),
    #[n(6)]
    Bytes(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    #[n(7)]
    Secret(#[n(0)] Secret),
    #[n(8)]
    Done,
    #[n(9)]
    Failed(#[n(0)] Fault),
}

/// Why the child could not do it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub enum Fault {
    /// The library can't be loaded, or is none of PKCS#11.
    #[n(0)]
    Unusable(#[n(0)] String),
    /// No token has the label.
    #[n(1)]
    Absent,
    /// Several tokens have the label.
    #[n(2)]
    Ambiguous,
    #[n(3)]
    PinRefused,
    #[n(4)]
    PinLocked,
    /// One more wrong PIN would lock the token; so none was tried.
    #[n(5)]
    PinLastTry,
    /// The session is gone: token pulled out, or logged out from outside.
    #[n(6)]
    Lost,
    /// The signature or MAC is not that of the data.
    #[n(7)]
    Mismatch,
    /// A function of the library returned another `CKR_*`.
    #[n(8)]
    Returned(#[n(0)] String, #[n(1)] u64),
}

/// A value as the frame that is written.
pub fn to_frame<T: Encode<()> + CborLen<()>>(value: &T) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut frame = Zeroizing::new(vec![0; HEAD]);
    // Room beforehand: what a growing buffer leaves behind would not be wiped.
    frame.reserve(minicbor::len(value));
    minicbor::encode(value, &mut *frame).map_err(io::Error::other)?;
    let length = frame.len() - HEAD;
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    frame[..HEAD].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    Ok(frame)
}

/// The length of the body that follows this head.
pub fn body_length(head: [u8; HEAD]) -> io::Result<usize> {
    let length = u32::from_le_bytes(head) as usize;
    if length > LONGEST { Err(io::ErrorKind::InvalidData.into()) } else { Ok(length) }
}

/// The value in a frame's body.
pub fn from_body<T: for<'b> Decode<'b, ()>>(body: &[u8]) -> io::Result<T> {
    minicbor::decode(body).map_err(io::Error::other)
}
