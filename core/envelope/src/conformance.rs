//! What every implementation of [`Aead256`] must do: published vectors, agreement with this crate's own
//! implementation, refusal of every change. Run by this crate's tests and by whoever implements the trait.

use crate::{Aead256, Aes256GcmCore, NotAuthentic, TAG_LEN};
use alloc::vec;
use alloc::vec::Vec;

/// Test cases 13 to 15 of `McGrew` and Viega, "The Galois/Counter Mode of Operation", appendix B (those for
/// AES-256 with a 96-bit nonce and no associated data): key, nonce, plaintext, ciphertext, tag.
const PUBLISHED: [[&str; 5]; 3] = [
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "000000000000000000000000",
        "",
        "",
        "530f8afbc74536b9a963b4f1c4cb738b",
    ],
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "000000000000000000000000",
        "00000000000000000000000000000000",
        "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919",
    ],
    [
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
        "b094dac5d93471bdec1a502270e3cc6c",
    ],
];

/// Checks an implementation.
///
/// # Panics
/// If it does anything else than AES-256-GCM.
pub fn check_aead<A: Aead256>() {
    PUBLISHED.iter().for_each(check_published::<A>);
    for length in [0, 1, 15, 16, 17, 4095, 4096, 65536] {
        check_agreement::<A>(length);
    }
    check_refusal::<A>();
}

fn check_published<A: Aead256>(case: &[&str; 5]) {
    let [key, nonce, text, sealed, tag] = case.map(unhex);
    let aead = A::new(&key.try_into().expect("32 bytes"));
    let nonce = nonce.try_into().expect("12 bytes");
    let mut buffer = text.clone();
    assert_eq!(aead.seal(nonce, &mut buffer).as_slice(), tag);
    assert_eq!(buffer, sealed);
    let mut opened = vec![0; sealed.len()];
    assert_eq!(aead.open(nonce, &sealed, &tag.try_into().expect("16 bytes"), &mut opened), Ok(()));
    assert_eq!(opened, text);
}

fn check_agreement<A: Aead256>(length: usize) {
    let (key, nonce) = ([7; 32], [9; 12]);
    let text: Vec<u8> = (0..=250).cycle().take(length).collect();
    let (mut ours, mut reference) = (text.clone(), text.clone());
    let tag = A::new(&key).seal(nonce, &mut ours);
    assert_eq!(tag, Aes256GcmCore::new(&key).seal(nonce, &mut reference));
    assert_eq!(ours, reference);
    let mut opened = vec![0; length];
    assert_eq!(A::new(&key).open(nonce, &reference, &tag, &mut opened), Ok(()));
    assert_eq!(opened, text);
}

fn check_refusal<A: Aead256>() {
    let (aead, nonce) = (A::new(&[1; 32]), [2; 12]);
    let mut sealed = *b"twenty bytes of text";
    let tag = aead.seal(nonce, &mut sealed);
    let open =
        |nonce, sealed: &[u8], tag: &[u8; TAG_LEN]| aead.open(nonce, sealed, tag, &mut vec![0; sealed.len()]);
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(nonce, &changed, &tag), Err(NotAuthentic));
    }
    for bit in 0..TAG_LEN * 8 {
        let mut changed = tag;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(nonce, &sealed, &changed), Err(NotAuthentic));
    }
    assert_eq!(open([3; 12], &sealed, &tag), Err(NotAuthentic));
    assert_eq!(open(nonce, &sealed[1..], &tag), Err(NotAuthentic));
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks_exact(2).map(|digits| pair(digits).expect("hexadecimal digits")).collect()
}
