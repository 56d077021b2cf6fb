//! What a ciphertext says about itself. No key is needed to read it, and nothing of it is proven.

use crate::error::ClientError;
use crate::key::{KeyPurpose, KeySuite};
use symbolon_client::error::Integrity;
use symbolon_client::{Error, Preamble};

/// The readable part of a ciphertext.
#[derive(uniffi::Record)]
pub struct Header {
    /// The key's id.
    pub key: String,
    /// The key's version.
    pub version: u64,
    /// The suite.
    pub suite: KeySuite,
    /// What the key is for.
    pub purpose: KeyPurpose,
    /// The account.
    pub account: String,
    /// Who wrote it.
    pub writer: String,
    /// When, Unix seconds.
    pub created: u64,
    /// Id of the customer fragment that takes part.
    pub customer_fragment: Option<Vec<u8>>,
    /// Bytes of plaintext in a chunk.
    pub chunk: u32,
    /// How many pairs the context has.
    pub context_pairs: u8,
}

/// Reads the header at the start of a ciphertext.
#[uniffi::export]
#[expect(clippy::needless_pass_by_value, reason = "what crosses is owned")]
pub fn inspect(sealed: Vec<u8>) -> Result<Header, ClientError> {
    let preamble = Preamble::parse(&sealed).map_err(|error| Error::from(Integrity::Header(error)))?;
    let header = preamble.header();
    Ok(Header {
        key: header.key.to_string(),
        version: header.version,
        suite: header.suite.into(),
        purpose: header.purpose.into(),
        account: header.account.to_string(),
        writer: header.writer.to_string(),
        created: header.created,
        customer_fragment: header.cf.map(|id| id.as_bytes().to_vec()),
        chunk: u32::try_from(header.chunk.plain()).unwrap_or(u32::MAX),
        context_pairs: header.context_pairs,
    })
}
