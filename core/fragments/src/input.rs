//! Derivation inputs: the typed fields that decide an output, and their encoding `I`, from which the point `P` is
//! hashed. There is no other way to a point, so no request can carry one of the requester's own making.

use crate::{
    names::{AccountId, KeyId, Purpose, Thumbprint},
    suite::{Element, Suite, SuiteId},
};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_encoding::Tuple;

/// The domain separation tag of the hash to the group, less the suite's name that follows it.
pub(crate) const HASH_TO_GROUP: &[u8] = b"symbolon/v1/h2g/";

/// The key version that an input belongs to: what a manager takes from its verdict and never from a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyScope {
    /// The account.
    pub account: AccountId,
    /// The suite of the key's set.
    pub suite: SuiteId,
    /// The key.
    pub key: KeyId,
    /// Its version.
    pub version: u64,
}

/// What each message contributes (specification §6, `fields`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(array)]
pub struct Fields {
    /// What the output is for.
    #[n(0)]
    pub purpose: Purpose,
    /// The holder that encrypts.
    #[n(1)]
    pub writer: Thumbprint,
    /// When, in Unix seconds.
    #[n(2)]
    pub created: u64,
    /// 32 random bytes, new for each message.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub r: [u8; 32],
}

/// An encoded derivation input, `I` of the specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Input {
    suite: SuiteId,
    encoding: Vec<u8>,
}

impl Input {
    /// Encodes the fields.
    pub fn new(scope: &KeyScope, fields: &Fields) -> Self {
        let encoding = Tuple::new("input")
            .bytes(scope.account.as_bytes())
            .uint(scope.suite.number().into())
            .text(scope.key.as_str())
            .uint(scope.version)
            .uint(fields.purpose.number().into())
            .bytes(fields.writer.as_bytes())
            .uint(fields.created)
            .bytes(&fields.r)
            .encode();
        Self { suite: scope.suite, encoding }
    }

    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.encoding
    }

    /// The suite that the input is for.
    pub fn suite(&self) -> SuiteId {
        self.suite
    }

    /// `P`: the input hashed to the group.
    pub(crate) fn point<S: Suite>(&self) -> Element<S> {
        S::hash_to_group(&self.encoding, &[HASH_TO_GROUP, S::SUITE.name().as_bytes()])
    }
}
