//! Named ciphertexts that no reader may open, and what each is refused as.

use super::support::{CHUNK, Case};
use symbolon_envelope::{Aead256, Aes256GcmCore, Preamble, TAG_LEN};

/// A malformed file.
pub struct Malformed {
    /// Its name.
    pub name: &'static str,
    /// The golden file that it was made from, whose context is to be tried.
    pub from: &'static str,
    /// What it is refused as: an error's name in the specification, and the chunk.
    pub error: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Offset of the header's body.
const BODY: usize = 11;

/// All of them.
pub fn all() -> Vec<Malformed> {
    [preambles(), commitments(), chunks()].into_iter().flatten().collect()
}

fn edit(
    name: &'static str,
    from: &'static str,
    error: &'static str,
    change: impl FnOnce(&mut Vec<u8>, usize),
) -> Malformed {
    let mut bytes = Case::named(from).seal();
    let start = Preamble::parse(&bytes).unwrap().len();
    change(&mut bytes, start);
    Malformed { name, from, error, bytes }
}

/// Replaces the header's body, with its length.
fn rewrite(bytes: &mut Vec<u8>, start: usize, change: impl FnOnce(&mut Vec<u8>)) {
    let mut body = bytes[BODY..start - 32].to_vec();
    change(&mut body);
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    bytes.splice(BODY - 2..start - 32, length.into_iter().chain(body));
}

fn replace(body: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    let at = body.windows(from.len()).position(|window| window == from).expect("the field is there");
    body.splice(at..at + from.len(), to.iter().copied());
}

fn preambles() -> Vec<Malformed> {
    let golden = "ristretto255";
    let edit = |name, error, change: fn(&mut Vec<u8>, usize)| edit(name, golden, error, change);
    vec![
        edit("nothing", "truncated", |bytes, _| bytes.clear()),
        edit("other-magic", "malformed", |bytes, _| bytes[0] ^= 0x20),
        edit("half-other-magic", "malformed", |bytes, _| {
            bytes[3] ^= 1;
            bytes.truncate(5);
        }),
        edit("version-0", "unsupported version 0", |bytes, _| bytes[8] = 0),
        edit("version-2", "unsupported version 2", |bytes, _| bytes[8] = 2),
        edit("header-length-0", "malformed", |bytes, _| bytes[9..11].fill(0)),
        edit("header-length-1025", "malformed", |bytes, _| bytes[9..11].copy_from_slice(&[4, 1])),
        edit("header-length-less", "malformed", |bytes, _| bytes[10] -= 1),
        edit("truncated-magic", "truncated", |bytes, _| bytes.truncate(4)),
        edit("truncated-length", "truncated", |bytes, _| bytes.truncate(10)),
        edit("truncated-header", "truncated", |bytes, _| bytes.truncate(60)),
        edit("truncated-commitment", "truncated", |bytes, start| bytes.truncate(start - 1)),
        edit("header-trailing", "malformed", |bytes, start| rewrite(bytes, start, |body| body.push(0))),
        edit("header-long-integer", "malformed", |bytes, start| {
            rewrite(bytes, start, |body| replace(body, &[0x8b, 0x01], &[0x8b, 0x18, 0x01]));
        }),
        edit("header-indefinite", "malformed", |bytes, start| {
            rewrite(bytes, start, |body| {
                body[0] = 0x9f;
                body.push(0xff);
            });
        }),
        edit("header-suite-9", "malformed", |bytes, start| {
            rewrite(bytes, start, |body| replace(body, &[0x8b, 0x01], &[0x8b, 0x09]));
        }),
        edit("header-key-id", "malformed", |bytes, start| {
            rewrite(bytes, start, |body| replace(body, b"golden/v1", b"Golden/v1"));
        }),
        edit("header-version-0", "malformed", |bytes, start| {
            rewrite(bytes, start, |body| replace(body, b"golden/v1\x03", b"golden/v1\x00"));
        }),
        edit("header-cf-id-short", "malformed", |bytes, start| {
            rewrite(bytes, start, |body| replace(body, &[0x40, 12, 0], &[0x41, 0, 12, 0]));
        }),
        edit("header-chunk-2-kib", "malformed", |bytes, start| {
            rewrite(bytes, start, |body| replace(body, &[0x40, 12, 0], &[0x40, 11, 0]));
        }),
        edit("header-chunk-8-mib", "malformed", |bytes, start| {
            rewrite(bytes, start, |body| replace(body, &[0x40, 12, 0], &[0x40, 23, 0]));
        }),
        edit("header-65-pairs", "malformed", |bytes, start| {
            rewrite(bytes, start, |body| replace(body, &[0x40, 12, 0], &[0x40, 12, 0x18, 65]));
        }),
    ]
}

fn commitments() -> Vec<Malformed> {
    let mismatch = "commitment mismatch";
    vec![
        edit("commitment-bit", "ristretto255", mismatch, |bytes, start| bytes[start - 1] ^= 1),
        edit("other-key", "ristretto255", mismatch, |bytes, start| {
            rewrite(bytes, start, |body| replace(body, b"golden/v1", b"golden/v2"));
        }),
        edit("other-writer", "p256", mismatch, |bytes, start| {
            rewrite(bytes, start, |body| replace(body, &[0x3b; 32], &[0x3c; 32]));
        }),
        edit("other-customer-fragment", "ristretto255-cf", mismatch, |bytes, start| {
            rewrite(bytes, start, |body| replace(body, &[0xcf; 16], &[0xce; 16]));
        }),
        edit("other-pair-count", "context", mismatch, |bytes, start| {
            rewrite(bytes, start, |body| replace(body, &[0x40, 12, 2], &[0x40, 12, 3]));
        }),
    ]
}

fn chunks() -> Vec<Malformed> {
    const SEALED: usize = CHUNK + TAG_LEN;
    let (one, three) = ("one-chunk", "three-chunks");
    vec![
        edit("no-chunk", "empty", "truncated", Vec::truncate),
        edit("truncated-tag", "empty", "truncated", |bytes, _| bytes.truncate(bytes.len() - 1)),
        edit("truncated-at-chunk", three, "truncated", |bytes, start| bytes.truncate(start + 2 * SEALED)),
        edit("truncated-in-tag", three, "truncated", |bytes, start| bytes.truncate(start + SEALED + 15)),
        edit("truncated-in-chunk", three, "chunk 2 not authentic", |bytes, _| {
            bytes.truncate(bytes.len() - 1);
        }),
        edit("extended-at-chunk", one, "extended", |bytes, _| bytes.extend([0; 100])),
        edit("extended-in-chunk", "ristretto255", "chunk 0 not authentic", |bytes, _| bytes.push(0)),
        edit("empty-last-chunk", one, "truncated", |bytes, start| {
            reseal(bytes, start, [(&Case::named("one-chunk").message(), 0, false), (&[], 1, true)]);
        }),
        edit("no-last-chunk", one, "truncated", |bytes, start| {
            reseal(bytes, start, [(&Case::named("one-chunk").message(), 0, false)]);
        }),
        edit("short-inner-chunk", one, "chunk 0 not authentic", |bytes, start| {
            reseal(bytes, start, [(&[7; 100], 0, false), (&[7; 100], 1, true)]);
        }),
        edit("swapped-chunks", three, "chunk 0 not authentic", |bytes, start| {
            let first: Vec<u8> = bytes.drain(start..start + SEALED).collect();
            bytes.splice(start + SEALED..start + SEALED, first);
        }),
        edit("repeated-chunk", three, "chunk 1 not authentic", |bytes, start| {
            let first = bytes[start..start + SEALED].to_vec();
            bytes.splice(start..start, first);
        }),
        edit("missing-chunk", three, "chunk 0 not authentic", |bytes, start| {
            bytes.drain(start..start + SEALED);
        }),
        edit("chunk-bit", three, "chunk 1 not authentic", |bytes, start| bytes[start + SEALED + 9] ^= 4),
        edit("tag-bit", three, "chunk 2 not authentic", |bytes, _| *bytes.last_mut().unwrap() ^= 1),
    ]
}

/// What a writer that holds the key, but not to the format, could make.
fn reseal<const N: usize>(bytes: &mut Vec<u8>, start: usize, chunks: [(&[u8], u8, bool); N]) {
    let preamble = Preamble::parse(bytes).unwrap();
    let (key, _) = Case::named("one-chunk").derive(preamble.header()).into_parts();
    let aead = Aes256GcmCore::new(key.as_bytes());
    bytes.truncate(start);
    for (text, index, last) in chunks {
        let mut text = text.to_vec();
        let tag = aead.seal([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, index, u8::from(last)], &mut text);
        bytes.extend(text);
        bytes.extend(tag);
    }
}
