//! Whole messages in memory.

use crate::{Aead256, Decryptor, Header, MessageTooLong, Preamble, StreamError, TAG_LEN};
use alloc::vec::Vec;
use symbolon_fragments::Derived;
use zeroize::Zeroizing;

/// Encrypts a message whole.
///
/// # Panics
/// Never: the chunks are cut to their slots' lengths.
pub fn seal_message<A: Aead256>(
    header: &Header,
    derived: Derived,
    message: &[u8],
) -> Result<Vec<u8>, MessageTooLong> {
    let sealed_len = header.chunk.sealed_len(message.len() as u64)?;
    let (mut out, mut encryptor) = Preamble::write::<A>(header, derived);
    out.reserve(usize::try_from(sealed_len).map_err(|_| MessageTooLong)?);
    let (whole, last) = split_last(message, encryptor.chunk_size().plain());
    for chunk in whole {
        append(&mut out, chunk, encryptor.next()?);
    }
    append(&mut out, last, encryptor.last());
    Ok(out)
}

fn append<A: Aead256>(out: &mut Vec<u8>, chunk: &[u8], slot: crate::SealSlot<A>) {
    let mut buffer = Vec::with_capacity(chunk.len() + TAG_LEN);
    buffer.extend_from_slice(chunk);
    slot.seal(&mut buffer).expect("cut to the slot's length");
    out.extend_from_slice(&buffer);
}

/// Decrypts a message whole; `body` is what follows the preamble.
pub fn open_message<A: Aead256>(
    mut decryptor: Decryptor<A>,
    body: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StreamError> {
    let (whole, last) = split_last(body, decryptor.chunk_size().sealed());
    let (mut out, mut text) = (Zeroizing::new(Vec::with_capacity(body.len())), Zeroizing::new(Vec::new()));
    for chunk in whole {
        decryptor.next()?.open(chunk, &mut text)?;
        out.extend_from_slice(&text);
    }
    decryptor.last().open(last, &mut text)?;
    out.extend_from_slice(&text);
    Ok(out)
}

/// Whole chunks, and the last one, which is empty only if all is.
fn split_last(bytes: &[u8], chunk: usize) -> (core::slice::ChunksExact<'_, u8>, &[u8]) {
    let whole = bytes.len().saturating_sub(1) / chunk * chunk;
    let (whole, last) = bytes.split_at(whole);
    (whole.chunks_exact(chunk), last)
}
