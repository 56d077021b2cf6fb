use super::*;
use std::io::{Cursor, Seek, SeekFrom};
use symbolon_envelope::{ChunkSize, Context, StreamError, TAG_LEN};
use symbolon_fragments::names::{AccountId, Index, Purpose, Thumbprint};
use symbolon_fragments::{Binding, Instance, SuiteId, load};

const CHUNK: usize = 4096;

fn header() -> Header {
    Header {
        suite: SuiteId::Ristretto255Sha512,
        account: AccountId::new([1; 32]),
        key: "k".parse().unwrap(),
        version: 1,
        purpose: Purpose::Data,
        writer: Thumbprint::new([2; 32]),
        created: 3,
        r: [4; 32],
        cf: None,
        chunk: ChunkSize::new(CHUNK).unwrap(),
        context_pairs: 0,
    }
}

fn derive(header: &Header) -> Derived {
    let (member, fragment) = (Index::new(1).unwrap(), load(header.suite, &[7; 32]).unwrap());
    let instance = Instance::new(header.suite, &[fragment.public_share()], &[member]).unwrap();
    let mut combination = instance.combination(vec![header.input()]).unwrap();
    combination.accept(member, &fragment.evaluate(&[header.input()]).unwrap()).unwrap();
    let binding = Binding { header: &header.encode(), context: &Context::new().canonical() };
    combination.finish().unwrap()[0].derive(None, binding)
}

fn message(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn encryption() -> Encryption {
    Encryption::new(&header(), derive(&header()))
}

fn sealed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let length = encryption().run(message, &mut out, &mut go_on).unwrap();
    assert_eq!(length, out.len() as u64);
    out
}

fn decryption(source: &mut impl Read) -> Decryption {
    let preamble = read_preamble(source).unwrap();
    let decryptor = preamble.unlock(derive(preamble.header())).unwrap();
    Decryption::new(preamble, decryptor)
}

fn opened(mut sealed: &[u8]) -> (Result<u64, StreamFailure>, Vec<u8>) {
    let mut out = Vec::new();
    let decryption = decryption(&mut sealed);
    let result = pipeline::run(Opening(decryption.decryptor), sealed, &mut out, 3, &mut go_on);
    (result, out)
}

fn go_on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Lengths around the ends of chunks and of units of chunks.
fn lengths() -> impl Iterator<Item = usize> {
    [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK - 1, 4 * CHUNK, 4 * CHUNK + 1, 8 * CHUNK, 37 * CHUNK + 5]
        .into_iter()
}

#[test]
fn threads_write_what_one_would() {
    for length in lengths() {
        let message = message(length);
        let one = symbolon_envelope::seal_message::<AwsLc>(&header(), derive(&header()), &message).unwrap();
        assert!(sealed(&message) == one, "{length}");
        let (written, plain) = opened(&one);
        assert_eq!(written.unwrap(), length as u64);
        assert!(plain == message, "{length}");
    }
}

#[test]
fn pieces_of_any_size_are_the_message() {
    for (length, piece) in lengths().zip([1, 7, 4095, 4096, 4097, 3, 100_000].into_iter().cycle()) {
        let message = message(length);
        let mut encryption = encryption().incremental();
        let mut out: Vec<u8> = message.chunks(piece).flat_map(|p| encryption.push(p).unwrap()).collect();
        out.extend(encryption.finish().unwrap());
        assert!(out == sealed(&message), "{length} by {piece}");
        let mut source = &out[..];
        let mut decryption = decryption(&mut source).incremental();
        let mut plain: Vec<u8> =
            source.chunks(piece).flat_map(|p| decryption.push(p).unwrap().to_vec()).collect();
        plain.extend_from_slice(&decryption.finish().unwrap());
        assert!(plain == message, "{length} by {piece}");
    }
}

#[test]
fn readers_and_writers_are_streams() {
    for length in lengths() {
        let message = message(length);
        let mut writer = encryption().writer(Vec::new());
        writer.write_all(&message).unwrap();
        let sealed = writer.finish().unwrap();
        let (mut source, mut plain) = (&sealed[..], Vec::new());
        decryption(&mut source).reader(source).read_to_end(&mut plain).unwrap();
        assert!(plain == message, "{length}");
    }
}

#[test]
fn a_seeking_reader_reads_anywhere() {
    let message = message(37 * CHUNK + 5);
    let mut source = Cursor::new(sealed(&message));
    let mut reader = decryption(&mut source).seek(source).unwrap();
    assert_eq!(reader.plain_len(), message.len() as u64);
    for offset in [0, 5000, CHUNK * 37, 100, message.len() - 1, CHUNK - 1] {
        let mut piece = vec![0; 7000.min(message.len() - offset)];
        reader.seek(SeekFrom::Start(offset as u64)).unwrap();
        reader.read_exact(&mut piece).unwrap();
        assert!(piece == message[offset..offset + piece.len()], "{offset}");
    }
    assert_eq!(reader.seek(SeekFrom::End(10)).unwrap(), message.len() as u64 + 10);
    assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
    assert!(reader.seek(SeekFrom::Current(i64::MIN)).is_err());
}

#[test]
fn nothing_behind_a_changed_chunk_is_written() {
    let message = message(20 * CHUNK);
    let mut changed = sealed(&message);
    let start = changed.len() - 20 * (CHUNK + TAG_LEN);
    changed[start + 9 * (CHUNK + TAG_LEN) + 3] ^= 1;
    let (result, written) = opened(&changed);
    let expected = StreamError::NotAuthentic { chunk: 9 };
    assert!(matches!(result, Err(StreamFailure::Chunks(error)) if error == expected));
    assert!(written.len() <= 9 * CHUNK && message.starts_with(&written));

    let mut source = &changed[..];
    let mut reader = decryption(&mut source).reader(source);
    let mut read = Vec::new();
    assert_eq!(reader.read_to_end(&mut read).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert!(read == message[..9 * CHUNK]);
    assert!(reader.read(&mut [0; 8]).is_err(), "a refused message goes on being refused");
}

#[test]
fn another_end_is_noticed_by_every_reader() {
    let whole = sealed(&message(8 * CHUNK));
    let cut = &whole[..whole.len() - CHUNK - TAG_LEN];
    assert!(matches!(opened(cut).0, Err(StreamFailure::Chunks(StreamError::Truncated))));
    let longer = [&whole[..], &[0; 50]].concat();
    assert!(matches!(opened(&longer).0, Err(StreamFailure::Chunks(StreamError::Extended))));
    let mut source = Cursor::new(cut.to_vec());
    let seek = decryption(&mut source).seek(source);
    assert!(matches!(seek.err(), Some(StreamFailure::Chunks(StreamError::Truncated))));
    let mut source = cut;
    let mut incremental = decryption(&mut source).incremental();
    incremental.push(source).unwrap();
    assert!(matches!(incremental.finish(), Err(StreamFailure::Chunks(StreamError::Truncated))));
}

#[test]
fn the_caller_can_end_it() {
    let stop =
        &mut |written: u64| if written > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let result = encryption().run(&message(100 * CHUNK)[..], io::sink(), stop);
    assert!(matches!(result, Err(StreamFailure::Cancelled)));
}

#[test]
fn failures_of_input_and_output_are_told_apart() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let input = Read::chain(&[0; 3 * CHUNK][..], Broken);
    let result = encryption().run(input, io::sink(), &mut go_on);
    assert!(matches!(result, Err(StreamFailure::Read(_))));
    let result = pipeline::run(Sealing(encryption().encryptor), &message(CHUNK)[..], Broken, 2, &mut go_on);
    assert!(matches!(result, Err(StreamFailure::Write(_))));
}

#[test]
fn a_panic_of_the_callers_code_stops_everybody() {
    struct Bomb;
    impl Write for Bomb {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("the caller's writer")
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let message = message(100 * CHUNK);
    let run = || pipeline::run(Sealing(encryption().encryptor), &message[..], Bomb, 4, &mut go_on);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
}
