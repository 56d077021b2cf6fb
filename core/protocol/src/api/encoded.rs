//! How bytes travel in JSON: documents and ciphertexts as base64url, identifiers as hexadecimal.

use alloc::{string::String, vec::Vec};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use zeroize::{Zeroize, Zeroizing};

/// Public bytes, in JSON base64url without padding (RFC 4648 §5): a signed document, a ciphertext.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[A-Za-z0-9_-]*$"))]
pub struct Document(pub Vec<u8>);

/// A 32-byte identifier (account, set, instance, thumbprint, hash), in JSON and in paths 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-f]{64}$"))]
pub struct Id(pub [u8; 32]);

/// Secret bytes (a plaintext, a data key), in JSON base64url without padding; wiped when dropped, never printed.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[A-Za-z0-9_-]*$"))]
pub struct Secret(pub Zeroizing<Vec<u8>>);

/// Why text is not the encoding of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not base64url without padding.
    #[error("not base64url without padding")]
    Base64,
    /// Not 64 lower-case hexadecimal digits.
    #[error("not 64 lower-case hexadecimal digits")]
    Hex,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({self})")
    }
}

impl FromStr for Document {
    type Err = DocumentError;
    fn from_str(text: &str) -> Result<Self, DocumentError> {
        URL_SAFE_NO_PAD.decode(text).map(Self).map_err(|_| DocumentError::Base64)
    }
}

impl From<Vec<u8>> for Document {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

impl FromStr for Id {
    type Err = DocumentError;
    fn from_str(text: &str) -> Result<Self, DocumentError> {
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| DocumentError::Hex)?;
        let mut id = [0; 32];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(Self(id))
    }
}

fn hex_digit(digit: u8) -> Result<u8, DocumentError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(DocumentError::Hex),
    }
}

impl From<[u8; 32]> for Id {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(&*self.0)))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut bytes = Zeroizing::new(alloc::vec![0; base64::decoded_len_estimate(text.len())]);
        match URL_SAFE_NO_PAD.decode_slice(text.as_bytes(), &mut bytes) {
            Ok(length) => {
                bytes[length..].zeroize();
                bytes.truncate(length);
                Ok(Self(bytes))
            }
            Err(_) => Err(D::Error::custom(DocumentError::Base64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn identifiers_are_lower_case_hexadecimal_only() {
        let id = Id([0xa5; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("a5".parse::<Id>(), Err(DocumentError::Hex));
        assert_eq!("A5".repeat(32).parse::<Id>(), Err(DocumentError::Hex));
    }

    #[test]
    fn documents_are_base64url_without_padding() {
        let document = Document(alloc::vec![0xfb, 0xff, 0x00, 0x01]);
        assert_eq!(document.to_string(), "-_8AAQ");
        assert_eq!("-_8AAQ".parse(), Ok(document));
        for wrong in ["-_8AAQ==", "+/8AAQ", "-_8AAR"] {
            assert_eq!(wrong.parse::<Document>(), Err(DocumentError::Base64));
        }
    }

    #[test]
    fn a_secret_survives_json() {
        let text = serde_json::to_string(&Secret(Zeroizing::new(alloc::vec![1, 2, 3, 4]))).unwrap();
        let secret: Secret = serde_json::from_str(&text).unwrap();
        assert_eq!(*secret.0, [1, 2, 3, 4]);
        assert!(serde_json::from_str::<Secret>("\"AQID=\"").is_err());
    }
}
