//! Attributes and templates. Every use of a key is said in its template: modules' defaults differ.

pub use crate::bindings::symbolon::host::pkcs11::Template;

/// `CKA_*`.
pub type Id = u64;

pub const CLASS: Id = 0x000;
pub const TOKEN: Id = 0x001;
pub const PRIVATE: Id = 0x002;
pub const LABEL: Id = 0x003;
pub const KEY_TYPE: Id = 0x100;
pub const SENSITIVE: Id = 0x103;
pub const ENCRYPT: Id = 0x104;
pub const DECRYPT: Id = 0x105;
pub const WRAP: Id = 0x106;
pub const UNWRAP: Id = 0x107;
pub const SIGN: Id = 0x108;
pub const VERIFY: Id = 0x10a;
pub const MODULUS: Id = 0x120;
pub const MODULUS_BITS: Id = 0x121;
pub const PUBLIC_EXPONENT: Id = 0x122;
pub const VALUE_LEN: Id = 0x161;
pub const EXTRACTABLE: Id = 0x162;
pub const LOCAL: Id = 0x163;
pub const EC_PARAMS: Id = 0x180;
pub const EC_POINT: Id = 0x181;

/// `CKO_*`.
pub const PUBLIC_KEY: u64 = 2;
pub const PRIVATE_KEY: u64 = 3;
pub const SECRET_KEY: u64 = 4;

/// `CKK_*`.
pub const RSA: u64 = 0x00;
pub const EC: u64 = 0x03;
pub const GENERIC_SECRET: u64 = 0x10;
pub const AES: u64 = 0x1f;
pub const EC_EDWARDS: u64 = 0x40;

pub fn yes(id: Id) -> (Id, Vec<u8>) {
    (id, vec![1])
}

pub fn no(id: Id) -> (Id, Vec<u8>) {
    (id, vec![0])
}

pub fn flag(id: Id, set: bool) -> (Id, Vec<u8>) {
    (id, vec![u8::from(set)])
}

pub fn number(id: Id, value: u64) -> (Id, Vec<u8>) {
    (id, value.to_le_bytes().into())
}

pub fn bytes(id: Id, value: &[u8]) -> (Id, Vec<u8>) {
    (id, value.into())
}

/// An attribute's value.
pub fn value(template: &Template, id: Id) -> Option<&[u8]> {
    template.iter().find(|(it, _)| *it == id).map(|(_, value)| value.as_slice())
}

/// Whether an attribute is there and is exactly true, or exactly false.
pub fn is(template: &Template, id: Id, wanted: bool) -> bool {
    value(template, id) == Some(&[u8::from(wanted)])
}
