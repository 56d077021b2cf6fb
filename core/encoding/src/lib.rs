//! Deterministic CBOR (RFC 8949 §4.2) and the labelled tuples that everything hashed or signed is made of.
//!
//! Two things live here: [`to_canonical`] and [`from_canonical`], by which every stored or signed document is
//! written and read, and [`Tuple`], the `T(label, …)` of the specification. It knows no document.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use minicbor::{Decode, Encode, Encoder};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// Every label starts so: a new major version of the formats is a new name space.
const NAME_SPACE: &str = "symbolon/v1/";

/// Why bytes are not the canonical encoding of what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not CBOR, or not of the expected shape.
    #[error("malformed encoding")]
    Malformed,
    /// Well formed, but bytes follow the value.
    #[error("bytes after the end of the value")]
    Trailing,
    /// The value has another encoding: integers in their shortest form, definite lengths, this order of fields.
    #[error("encoding is not the canonical one")]
    NotCanonical,
}

/// Encodes a value. Encoding into memory cannot fail for the types of this project.
///
/// # Panics
/// If the value's `Encode` implementation reports an error of its own; none here does.
pub fn to_canonical<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    minicbor::encode(value, &mut out).expect("encoding into memory does not fail");
    out
}

/// Decodes a value and refuses any encoding of it but the canonical one, by encoding it again.
pub fn from_canonical<'b, T>(bytes: &'b [u8]) -> Result<T, DecodeError>
where
    T: Decode<'b, ()> + Encode<()>,
{
    let mut decoder = minicbor::Decoder::new(bytes);
    let value: T = decoder.decode().map_err(|_| DecodeError::Malformed)?;
    if decoder.position() != bytes.len() {
        return Err(DecodeError::Trailing);
    }
    if to_canonical(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

/// `T(label, field, …)`: the CBOR array of a label and fields, under construction.
///
/// ```
/// let bytes = symbolon_encoding::Tuple::new("example").bytes(&[1, 2]).uint(3).encode();
/// assert_eq!(bytes[0], 0x83); // an array of three: the label, the bytes, the number
/// ```
#[derive(Clone)]
pub struct Tuple {
    label: &'static str,
    fields: u64,
    body: Vec<u8>,
}

impl Tuple {
    /// A tuple whose label is `symbolon/v1/` and the given name.
    pub fn new(label: &'static str) -> Self {
        Self { label, fields: 0, body: Vec::new() }
    }

    /// Appends a byte string.
    #[must_use]
    pub fn bytes(mut self, field: &[u8]) -> Self {
        self.append(|e| e.bytes(field).map(|_| ()));
        self
    }

    /// Appends a text string.
    #[must_use]
    pub fn text(mut self, field: &str) -> Self {
        self.append(|e| e.str(field).map(|_| ()));
        self
    }

    /// Appends an unsigned integer in its shortest form.
    #[must_use]
    pub fn uint(mut self, field: u64) -> Self {
        self.append(|e| e.u64(field).map(|_| ()));
        self
    }

    /// Appends any encodable value.
    #[must_use]
    pub fn value<T: Encode<()>>(mut self, field: &T) -> Self {
        self.append(|e| e.encode(field).map(|_| ()));
        self
    }

    /// The whole array as bytes.
    ///
    /// # Panics
    /// Never: encoding into memory does not fail.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + NAME_SPACE.len() + self.label.len() + 12);
        let mut e = Encoder::new(&mut out);
        let length = (NAME_SPACE.len() + self.label.len()) as u64;
        e.array(self.fields + 1).and_then(|e| e.str_len(length)).expect("encoding into memory does not fail");
        out.extend_from_slice(NAME_SPACE.as_bytes());
        out.extend_from_slice(self.label.as_bytes());
        out.extend_from_slice(&self.body);
        out
    }

    /// SHA-256 over [`Tuple::encode`].
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }

    fn append(
        &mut self,
        write: impl FnOnce(
            &mut Encoder<&mut Vec<u8>>,
        ) -> Result<(), minicbor::encode::Error<core::convert::Infallible>>,
    ) {
        write(&mut Encoder::new(&mut self.body)).expect("encoding into memory does not fail");
        self.fields += 1;
    }
}

impl Drop for Tuple {
    /// A tuple may carry key material (`T("ikm", …)`), so its buffer is overwritten.
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn a_tuple_is_an_array_of_label_and_fields() {
        let bytes = Tuple::new("x").uint(24).text("a").bytes(&[7]).value(&(1u8, true)).encode();
        assert_eq!(bytes, b"\x85\x6dsymbolon/v1/x\x18\x18\x61a\x41\x07\x82\x01\xf5");
    }

    #[test]
    fn only_the_canonical_encoding_is_read() {
        assert_eq!(from_canonical::<u64>(&[0x18, 24]), Ok(24));
        assert_eq!(from_canonical::<u64>(&[0x18, 23]), Err(DecodeError::NotCanonical));
        assert_eq!(from_canonical::<u64>(&[0x17, 0]), Err(DecodeError::Trailing));
        assert_eq!(from_canonical::<u64>(&[0x61]), Err(DecodeError::Malformed));
        assert_eq!(from_canonical::<Vec<u8>>(&[0x9f, 1, 2, 0xff]), Err(DecodeError::NotCanonical));
    }

    #[test]
    fn tuples_with_other_fields_hash_differently() {
        let hash = |a: &str, b: &str| Tuple::new("x").text(a).text(b).sha256();
        assert_ne!(hash("ab", "c"), hash("a", "bc"));
        assert_ne!(Tuple::new("x").sha256(), Tuple::new("y").sha256());
        assert_eq!(from_canonical::<String>(&to_canonical(&String::from("é"))).as_deref(), Ok("é"));
    }
}
