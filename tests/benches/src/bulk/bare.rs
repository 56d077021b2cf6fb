//! The least that a program can do to encrypt a large file with AES-256-GCM in chunks on several threads: the same
//! chunks, threads, reads and writes as the envelope's streams, and nothing else. No header, no key, no end of stream.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use std::io::{self, Read, Write};
use std::sync::{Condvar, Mutex};
use std::thread;

/// The envelope's default chunk, and how many of them a thread takes at a time.
const CHUNK: usize = 64 * 1024;
const UNIT: usize = 4;
const TAG: usize = 16;

/// Encrypts under a key that is gone afterwards.
pub fn encrypt(input: impl Read + Send, output: impl Write + Send) -> io::Result<()> {
    run(input, output, CHUNK, |key, nonce, chunk| key.seal_in_place_append_tag(nonce, Aad::empty(), chunk))
}

/// Opens what [`encrypt`] wrote.
pub fn decrypt(input: impl Read + Send, output: impl Write + Send) -> io::Result<()> {
    run(input, output, CHUNK + TAG, |key, nonce, chunk| {
        let length = key.open_in_place(nonce, Aad::empty(), chunk)?.len();
        chunk.truncate(length);
        Ok(())
    })
}

type Work = fn(&LessSafeKey, Nonce, &mut Vec<u8>) -> Result<(), Unspecified>;

struct Turns<T> {
    stream: T,
    turn: u64,
}

fn run(input: impl Read + Send, output: impl Write + Send, chunk: usize, work: Work) -> io::Result<()> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("32 bytes are a key"));
    let input = Mutex::new(Turns { stream: input, turn: 0 });
    let output = Mutex::new(Turns { stream: output, turn: 0 });
    let turn = Condvar::new();
    let threads = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        let worker = || scope.spawn(|| worker(&input, &output, &turn, &key, chunk, work));
        let workers: Vec<_> = (0..threads).map(|_| worker()).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

fn worker(
    input: &Mutex<Turns<impl Read>>,
    output: &Mutex<Turns<impl Write>>,
    turn: &Condvar,
    key: &LessSafeKey,
    chunk: usize,
    work: Work,
) -> io::Result<()> {
    let mut unit: Vec<_> = (0..UNIT).map(|_| Vec::with_capacity(CHUNK + TAG)).collect();
    loop {
        let mut reading = input.lock().expect("no worker panics");
        let number = reading.turn;
        reading.turn += 1;
        let used = fill(&mut reading.stream, &mut unit, chunk)?;
        drop(reading);
        for (place, text) in (0..).zip(&mut unit[..used]) {
            work(key, nonce(number * UNIT as u64 + place), text).map_err(io::Error::other)?;
        }
        let mut writing = output.lock().expect("no worker panics");
        while writing.turn != number {
            writing = turn.wait(writing).expect("no worker panics");
        }
        unit[..used].iter().try_for_each(|text| writing.stream.write_all(text))?;
        writing.turn += 1;
        turn.notify_all();
        if used < UNIT {
            return Ok(());
        }
    }
}

/// Fills the unit's chunks; returns how many have anything in them.
fn fill(input: &mut impl Read, unit: &mut [Vec<u8>], length: usize) -> io::Result<usize> {
    for (used, chunk) in unit.iter_mut().enumerate() {
        chunk.resize(length, 0);
        let mut filled = 0;
        while filled < length {
            match input.read(&mut chunk[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        chunk.truncate(filled);
        if filled == 0 {
            return Ok(used);
        }
    }
    Ok(unit.len())
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_what_it_sealed() {
        for length in [0, 1, CHUNK, UNIT * CHUNK, UNIT * CHUNK + 1, 9 * CHUNK + 5] {
            let plain: Vec<u8> = (0u8..=255).cycle().take(length).collect();
            let (mut sealed, mut opened) = (Vec::new(), Vec::new());
            encrypt(&plain[..], &mut sealed).unwrap();
            assert_eq!(sealed.len(), length + length.div_ceil(CHUNK) * TAG);
            decrypt(&sealed[..], &mut opened).unwrap();
            assert_eq!(opened, plain);
        }
    }
}
