//! Mutations that find faults in decoders of binary formats: some blind, some that know how CBOR begins.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Inputs grow no longer than this, in bytes.
const MAX_LEN: usize = 70_000;

/// Heads of CBOR items that claim more than follows, or are forbidden: huge and indefinite lengths, tags, floats, breaks.
const NASTY: [&[u8]; 16] = [
    &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x7b, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00],
    &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x9f],
    &[0x5f],
    &[0x7f],
    &[0xbf],
    &[0xff],
    &[0x18, 0x00],
    &[0x19, 0x00, 0x01],
    &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0xc0],
    &[0xf6],
    &[0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
    &[0x80],
];

/// A seeded source of mutations: the same seed gives the same inputs on every machine.
#[derive(Debug)]
pub struct Mutator(ChaCha8Rng);

impl Mutator {
    /// The source that this seed stands for.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// One of `seeds`, changed in one to eight places.
    pub fn next(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds.get(self.below(seeds.len())).cloned().unwrap_or_default();
        let other = seeds.get(self.below(seeds.len())).cloned().unwrap_or_default();
        for _ in 0..=self.below(8) {
            self.change(&mut input, &other);
        }
        input.truncate(MAX_LEN);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let (from, to) = self.range(input.len());
        match self.below(9) {
            0 => self.flip_a_bit(input),
            1 => self.set_a_byte(input),
            2 => input.truncate(from),
            3 => drop(input.drain(from..to)),
            4 => input.extend_from_within(from..to),
            5 => self.repeat(input, from, to),
            6 => self.splice(input, other),
            7 => self.overwrite(input, from),
            _ => self.insert_head(input, from),
        }
    }

    fn flip_a_bit(&mut self, input: &mut [u8]) {
        let (at, bit) = (self.below(input.len()), self.below(8));
        input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
    }

    fn set_a_byte(&mut self, input: &mut [u8]) {
        let (at, value) = (self.below(input.len()), self.0.next_u32().to_le_bytes()[0]);
        input.iter_mut().skip(at).take(1).for_each(|byte| *byte = value);
    }

    fn repeat(&mut self, input: &mut Vec<u8>, from: usize, to: usize) {
        let part = input[from..to].repeat(1 + self.below(16));
        input.splice(from..to, part);
    }

    fn splice(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let (from, to) = self.range(input.len());
        let (start, end) = self.range(other.len());
        input.splice(from..to, other[start..end].iter().copied());
    }

    fn overwrite(&mut self, input: &mut [u8], from: usize) {
        let head = NASTY[self.below(NASTY.len())];
        input.iter_mut().skip(from).zip(head).for_each(|(byte, new)| *byte = *new);
    }

    fn insert_head(&mut self, input: &mut Vec<u8>, from: usize) {
        let head = NASTY[self.below(NASTY.len())];
        input.splice(from..from, head.iter().copied());
    }

    fn range(&mut self, len: usize) -> (usize, usize) {
        let (one, two) = (self.below(len + 1), self.below(len + 1));
        (one.min(two), one.max(two))
    }

    /// A number below `bound`; 0 if there is none.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.0.next_u64() % bound).unwrap_or(0)
    }
}
