//! Public keys as `SubjectPublicKeyInfo` (RFC 5280 §4.1), from a token's attributes.

use crate::bindings::symbolon::host::pkcs11::Object;
use crate::failure::{Kind as Fault, Result, failure};
use crate::kind::{Kind, Shape};
use crate::template::{self as attribute, Template};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
/// 1.2.840.10045.2.1, id-ecPublicKey (RFC 5480 §2.1.1).
const EC_PUBLIC_KEY: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// 1.2.840.113549.1.1.1, rsaEncryption, and its parameters, NULL (RFC 8017 appendix A.1).
const RSA_ENCRYPTION: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/// The public key of a pair.
pub fn read(kind: &Kind, public: &Object) -> Result<Vec<u8>> {
    let attributes =
        public.get_attributes(&[attribute::EC_POINT, attribute::MODULUS, attribute::PUBLIC_EXPONENT])?;
    encode(kind, &attributes)
        .ok_or_else(|| failure(Fault::Other, "token.failure", "the token does not show its public key"))
}

fn encode(kind: &Kind, attributes: &Template) -> Option<Vec<u8>> {
    match &kind.shape {
        Shape::Secret { .. } => None,
        Shape::Curve { key_type, parameters, point } => {
            let algorithm = if *key_type == attribute::EC_EDWARDS {
                // RFC 8410 §3: the curve is the algorithm.
                parameters.to_vec()
            } else {
                [EC_PUBLIC_KEY, parameters].concat()
            };
            Some(subject(&algorithm, bare(attribute::value(attributes, attribute::EC_POINT)?, *point)?))
        }
        Shape::Rsa { .. } => {
            let modulus = unsigned(attribute::value(attributes, attribute::MODULUS)?);
            let exponent = unsigned(attribute::value(attributes, attribute::PUBLIC_EXPONENT)?);
            Some(subject(RSA_ENCRYPTION, &element(SEQUENCE, &[modulus, exponent].concat())))
        }
    }
}

/// The point itself. The standard wraps it into an OCTET STRING, and some modules don't.
fn bare(point: &[u8], length: usize) -> Option<&[u8]> {
    if point.len() == length {
        return Some(point);
    }
    let inner = point.strip_prefix(&[OCTET_STRING, u8::try_from(length).ok()?])?;
    (inner.len() == length).then_some(inner)
}

fn subject(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    // The first byte of a BIT STRING is the number of bits that its last byte lacks.
    let key = element(BIT_STRING, &[&[0], key].concat());
    element(SEQUENCE, &[element(SEQUENCE, algorithm), key].concat())
}

/// A number that is not negative: a first bit that is set would make it so.
fn unsigned(magnitude: &[u8]) -> Vec<u8> {
    let start = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
    let magnitude = &magnitude[start..];
    let sign: &[u8] = if magnitude.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    element(INTEGER, &[sign, magnitude].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.extend_from_slice(significant);
    } else {
        out.push(0x80 | u8::try_from(significant.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(significant);
    }
    out.extend_from_slice(content);
    out
}
