//! Steps with streams.

use crate::scenario::{Action, Meanwhile, Step};
use crate::{Outcome, Place, run_all};
use serde::Deserialize;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use symbolon_client::error::StreamFailure;
use symbolon_client::{Decryption, Error, read_preamble};

/// Where an offset counts from.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Whence {
    Start,
    Current,
    End,
}

pub(crate) fn act(place: &mut Place, step: &Step) -> Outcome {
    match &step.action {
        Action::EncryptStream { key, plaintext, context, pieces, meanwhile, save } => {
            let (key, context, text) = (key.get(place).parse()?, context.get(place)?, plaintext.get(place));
            let encryption = place.wait(place.client(&step.by).encryption(&key, &context))?;
            let (mut writer, mut aside) = (encryption.writer(Vec::new()), Aside::new(meanwhile.as_ref()));
            for piece in text.chunks(*pieces) {
                writer.write_all(piece).map_err(failure)?;
                aside.went(place, piece.len());
            }
            let sealed = writer.finish()?;
            place.save(save.as_ref(), sealed);
        }
        Action::DecryptStream { sealed, context, pieces, meanwhile, expect } => {
            let (decryption, source) = open(place, step, sealed.get(place), &context.get(place)?)?;
            let (mut reader, mut aside) = (decryption.reader(source), Aside::new(meanwhile.as_ref()));
            let (mut opened, mut piece) = (Vec::new(), vec![0; *pieces]);
            loop {
                match reader.read(&mut piece).map_err(failure)? {
                    0 => break,
                    length => opened.extend_from_slice(&piece[..length]),
                }
                aside.went(place, piece.len());
            }
            assert!(expect.as_ref().is_none_or(|expect| expect.get(place) == opened), "{step:?}");
        }
        Action::Seek { sealed, context, plaintext, reads } => {
            let (decryption, source) = open(place, step, sealed.get(place), &context.get(place)?)?;
            let (mut reader, text) = (decryption.seek(source)?, plaintext.get(place));
            for (whence, offset, wanted, position, length) in reads {
                let reached = reader.seek(from(*whence, *offset)).map_err(failure)?;
                assert_eq!(reached, *position, "{step:?}");
                let read = read_up_to(&mut reader, *wanted)?;
                assert_eq!(read.len(), *length, "{step:?}");
                let start = usize::try_from(*position).expect("a position").min(text.len());
                assert!(read == text[start..start + length], "{step:?}");
            }
        }
        other => unreachable!("{other:?} is no step of streams"),
    }
    Ok(())
}

fn open(
    place: &Place,
    step: &Step,
    sealed: Vec<u8>,
    context: &symbolon_client::Context,
) -> Result<(Decryption, Cursor<Vec<u8>>), Error> {
    let mut source = Cursor::new(sealed);
    let preamble = read_preamble(&mut source)?;
    Ok((place.wait(place.client(&step.by).decryption(&preamble, context))?, source))
}

fn read_up_to(reader: &mut impl Read, wanted: usize) -> Result<Vec<u8>, Error> {
    let mut read = Vec::new();
    reader.take(wanted as u64).read_to_end(&mut read).map_err(failure)?;
    Ok(read)
}

fn from(whence: Whence, offset: i64) -> SeekFrom {
    match whence {
        Whence::Start => SeekFrom::Start(u64::try_from(offset).expect("an offset from the start")),
        Whence::Current => SeekFrom::Current(offset),
        Whence::End => SeekFrom::End(offset),
    }
}

/// The client's error in one of a standard reader or writer.
fn failure(error: std::io::Error) -> Error {
    error.downcast::<StreamFailure>().expect("a failure of the stream").into()
}

/// What is done once enough bytes went through.
struct Aside<'a> {
    left: Option<&'a Meanwhile>,
    bytes: usize,
}

impl<'a> Aside<'a> {
    fn new(meanwhile: Option<&'a Meanwhile>) -> Self {
        Self { left: meanwhile, bytes: 0 }
    }

    fn went(&mut self, place: &mut Place, bytes: usize) {
        self.bytes += bytes;
        if let Some(meanwhile) = self.left.take_if(|meanwhile| self.bytes >= meanwhile.after) {
            run_all(place, &meanwhile.steps);
        }
    }
}
