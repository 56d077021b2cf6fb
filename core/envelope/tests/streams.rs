//! Chunks in order, on several threads, and in any order.

mod support;

use proptest::prelude::*;
use std::thread;
use support::{CHUNK, Case, derive};
use symbolon_envelope::{
    Aes256GcmCore, Context, EndCheck, Preamble, SeekDecryptor, StreamError, TAG_LEN, WrongLength,
};

const CASE: Case = Case {
    name: "stream",
    suite: symbolon_fragments::SuiteId::Ristretto255Sha512,
    cf: false,
    context: &[],
    length: 5 * CHUNK + 17,
};

fn seekable(sealed: &[u8]) -> Result<SeekDecryptor<Aes256GcmCore>, StreamError> {
    let preamble = Preamble::parse(sealed).unwrap();
    let decryptor = preamble.unlock(derive(preamble.header(), &Context::new())).unwrap();
    let check = EndCheck::new(&preamble, decryptor, sealed.len() as u64)?;
    let last = bytes_at(sealed, check.last_range());
    check.verify(last, &mut Vec::new())
}

fn bytes_at(sealed: &[u8], range: std::ops::Range<u64>) -> &[u8] {
    &sealed[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
}

#[test]
fn chunks_sealed_on_threads_are_the_message() {
    let header = CASE.header();
    let (mut out, mut encryptor) = Preamble::write::<Aes256GcmCore>(&header, CASE.derive(&header));
    let message = CASE.message();
    let (whole, last) = message.split_at(5 * CHUNK);
    let mut slots: Vec<_> = whole.chunks(CHUNK).map(|chunk| (encryptor.next().unwrap(), chunk)).collect();
    slots.push((encryptor.last(), last));
    let sealed: Vec<_> = thread::scope(|scope| {
        let seal = |(slot, chunk): (symbolon_envelope::SealSlot<_>, &[u8])| {
            let mut chunk = chunk.to_vec();
            scope.spawn(move || slot.seal(&mut chunk).map(|()| chunk))
        };
        let threads: Vec<_> = slots.into_iter().map(seal).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    out.extend(sealed.concat());
    assert!(out == CASE.seal());
}

#[test]
fn a_slot_takes_only_its_length() {
    let header = CASE.header();
    let encryptor = || Preamble::write::<Aes256GcmCore>(&header, CASE.derive(&header)).1;
    for (length, inner, first, later) in [
        (0, false, true, false),
        (1, false, true, true),
        (CHUNK - 1, false, true, true),
        (CHUNK, true, true, true),
        (CHUNK + 1, false, false, false),
    ] {
        let seal = |slot: symbolon_envelope::SealSlot<_>| slot.seal(&mut vec![0; length]) != Err(WrongLength);
        assert_eq!(seal(encryptor().next().unwrap()), inner, "{length}");
        assert_eq!(seal(encryptor().last()), first, "{length}");
        let mut second = encryptor();
        second.next().unwrap();
        assert_eq!(seal(second.last()), later, "{length}");
    }
}

#[test]
fn nothing_of_a_changed_chunk_is_given_out() {
    let mut sealed = CASE.seal();
    let preamble = Preamble::parse(&sealed).unwrap();
    sealed[preamble.len() + 1] ^= 1;
    let mut decryptor = preamble.unlock::<Aes256GcmCore>(CASE.derive(preamble.header())).unwrap();
    let mut text = b"something that was there before".to_vec();
    let chunk = &sealed[preamble.len()..][..CHUNK + TAG_LEN];
    let opened = decryptor.next().unwrap().open(chunk, &mut text);
    assert_eq!(opened, Err(StreamError::NotAuthentic { chunk: 0 }));
    assert!(text.is_empty());
}

#[test]
fn a_seeking_reader_notices_another_end_first() {
    let sealed = CASE.seal();
    let start = Preamble::parse(&sealed).unwrap().len();
    let shorter = &sealed[..start + 3 * (CHUNK + TAG_LEN)];
    assert_eq!(seekable(shorter).err(), Some(StreamError::Truncated));
    assert_eq!(seekable(&sealed[..start + 7]).err(), Some(StreamError::Truncated));
    let longer = [&sealed[..], &[0; 100]].concat();
    assert_eq!(seekable(&longer).err(), Some(StreamError::NotAuthentic { chunk: 5 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens(length in 0usize..4 * CHUNK) {
        let case = Case { length, ..CASE };
        prop_assert_eq!(case.open(&case.seal()).unwrap(), case.message());
    }

    #[test]
    fn any_offset_can_be_read_alone(length in 0usize..4 * CHUNK, offset in 0u64..5 * CHUNK as u64) {
        let case = Case { length, ..CASE };
        let (sealed, message) = (case.seal(), case.message());
        let reader = seekable(&sealed).unwrap();
        prop_assert_eq!(reader.plain_len(), length as u64);
        let byte = reader.locate(offset).map(|at| {
            let mut text = Vec::new();
            reader.open(at.chunk, bytes_at(&sealed, reader.sealed_range(at.chunk)), &mut text).unwrap();
            text[at.skip]
        });
        prop_assert_eq!(byte, message.get(usize::try_from(offset).unwrap()).copied());
    }

    #[test]
    fn a_cut_is_never_accepted(length in 0usize..3 * CHUNK, cut in 1usize..4 * CHUNK) {
        let case = Case { length, ..CASE };
        let sealed = case.seal();
        let cut = sealed.len().saturating_sub(cut);
        prop_assert!(case.open(&sealed[..cut]).is_err());
    }
}
