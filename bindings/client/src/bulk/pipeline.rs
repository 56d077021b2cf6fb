//! Chunks of a stream worked on by several threads, in constant memory, written in their order.
//!
//! Each thread takes a unit of a few chunks from the input, works on it, waits for its turn, writes it, and begins
//! again. So there are as many units in memory as threads, and one that was read ahead to see where the input ends.
//! It knows nothing of encryption: that is its [`Stage`].

use super::Progress;
use crate::error::StreamFailure;
use std::io::{self, Read, Write};
use std::mem;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use zeroize::Zeroizing;

/// Chunks of a unit: enough that threads seldom meet, few enough that a unit stays in a core's cache.
const UNIT_CHUNKS: usize = 4;

/// Buffer of one chunk; it holds plaintext before or after the work.
pub(super) type Chunk = Zeroizing<Vec<u8>>;

/// What is done with the chunks of a stream.
pub(super) trait Stage: Sized + Send {
    /// The right to work on one chunk.
    type Slot: Send;

    /// Bytes of a whole chunk before the work.
    fn chunk_len(&self) -> usize;

    /// The slot of a chunk that others follow.
    fn next(&mut self) -> Result<Self::Slot, StreamFailure>;

    /// The slot of the last chunk.
    fn last(self) -> Self::Slot;

    /// Works on a chunk in place; `scratch` is a buffer to work with.
    fn work(slot: Self::Slot, chunk: &mut Chunk, scratch: &mut Chunk) -> Result<(), StreamFailure>;
}

/// Runs a stage over an input until its end. Returns the bytes written.
pub(super) fn run<S: Stage>(
    stage: S,
    input: impl Read + Send,
    output: impl Write + Send,
    threads: usize,
    progress: &mut Progress<'_>,
) -> Result<u64, StreamFailure> {
    let input = Mutex::new(Input { source: input, stage: Some(stage), ahead: None, units: 0 });
    let output = Mutex::new(Output { sink: output, progress, turn: 0, written: 0, failure: None });
    let turn = Condvar::new();
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| worker(&input, &output, &turn));
        }
        worker(&input, &output, &turn);
    });
    let output = output.into_inner().unwrap_or_else(PoisonError::into_inner);
    output.failure.map_or(Ok(output.written), Err)
}

struct Input<R, S> {
    source: R,
    /// Gone once the last unit was handed out.
    stage: Option<S>,
    ahead: Option<Filled>,
    units: u64,
}

struct Output<'a, 'p, W> {
    sink: W,
    progress: &'a mut Progress<'p>,
    turn: u64,
    written: u64,
    failure: Option<StreamFailure>,
}

/// Chunks that were read: only the last may be short, and only at the input's end.
struct Filled {
    chunks: Vec<Chunk>,
    used: usize,
    ended: bool,
}

/// Chunks with their slots.
struct Unit<T> {
    chunks: Vec<Chunk>,
    slots: Vec<T>,
}

/// What the input gave: a unit, or why there is none.
type Taken<S> = Result<Unit<<S as Stage>::Slot>, StreamFailure>;

fn worker<S: Stage>(
    input: &Mutex<Input<impl Read, S>>,
    output: &Mutex<Output<'_, '_, impl Write>>,
    turn: &Condvar,
) {
    let _alarm = Alarm { output, turn };
    let (mut spare, mut scratch) = (Vec::new(), Chunk::default());
    while lock(output).failure.is_none() {
        let taken = lock(input).take(mem::take(&mut spare));
        let Some((number, unit)) = taken else { return };
        let worked = unit.and_then(|unit| work::<S>(unit, &mut scratch));
        match deliver(number, worked, output, turn) {
            Some(chunks) => spare = chunks,
            None => return,
        }
    }
}

fn work<S: Stage>(unit: Unit<S::Slot>, scratch: &mut Chunk) -> Result<Vec<Chunk>, StreamFailure> {
    let Unit { mut chunks, slots } = unit;
    chunks.truncate(slots.len());
    for (slot, chunk) in slots.into_iter().zip(&mut chunks) {
        S::work(slot, chunk, scratch)?;
    }
    Ok(chunks)
}

/// Waits until all units before this one are written, then writes it; `None` when the work is over.
fn deliver(
    number: u64,
    worked: Result<Vec<Chunk>, StreamFailure>,
    output: &Mutex<Output<'_, '_, impl Write>>,
    turn: &Condvar,
) -> Option<Vec<Chunk>> {
    let waiting = |output: &mut Output<'_, '_, _>| output.turn != number && output.failure.is_none();
    let mut output = turn.wait_while(lock(output), waiting).unwrap_or_else(PoisonError::into_inner);
    if output.failure.is_some() {
        return None;
    }
    let written = worked.and_then(|chunks| output.write(&chunks).map(|()| chunks));
    output.turn += 1;
    turn.notify_all();
    match written {
        Ok(chunks) => Some(chunks),
        Err(failure) => {
            output.failure = Some(failure);
            None
        }
    }
}

impl<W: Write> Output<'_, '_, W> {
    fn write(&mut self, chunks: &[Chunk]) -> Result<(), StreamFailure> {
        for chunk in chunks {
            self.sink.write_all(chunk).map_err(StreamFailure::Write)?;
            self.written += chunk.len() as u64;
        }
        match (self.progress)(self.written) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StreamFailure::Cancelled),
        }
    }
}

impl<R: Read, S: Stage> Input<R, S> {
    /// The next unit with its number; `None` behind the last. `spare` are buffers to be used again.
    fn take(&mut self, spare: Vec<Chunk>) -> Option<(u64, Taken<S>)> {
        self.stage.as_ref()?;
        let number = self.units;
        self.units += 1;
        let unit = self.read(spare);
        if unit.is_err() {
            self.stage = None;
        }
        Some((number, unit))
    }

    fn read(&mut self, spare: Vec<Chunk>) -> Result<Unit<S::Slot>, StreamFailure> {
        let current = match self.ahead.take() {
            Some(filled) => filled,
            None => self.fill(Vec::new())?,
        };
        let next = if current.ended { None } else { Some(self.fill(spare)?) };
        self.ahead = next.filter(|filled| filled.used > 0);
        let is_end = self.ahead.is_none();
        let slots = self.slots(current.used, is_end)?;
        Ok(Unit { chunks: current.chunks, slots })
    }

    /// The slots of `used` chunks; at the end of an empty input, the one of the empty last chunk.
    fn slots(&mut self, used: usize, is_end: bool) -> Result<Vec<S::Slot>, StreamFailure> {
        let inner = if is_end { used.max(1) - 1 } else { used };
        let stage = self.stage.as_mut().expect("checked by `take`");
        let mut slots = (0..inner).map(|_| stage.next()).collect::<Result<Vec<_>, _>>()?;
        if is_end {
            slots.extend(self.stage.take().map(S::last));
        }
        Ok(slots)
    }

    fn fill(&mut self, mut chunks: Vec<Chunk>) -> Result<Filled, StreamFailure> {
        let length = self.stage.as_ref().map_or(0, S::chunk_len);
        chunks.resize_with(UNIT_CHUNKS, Chunk::default);
        for used in 0..UNIT_CHUNKS {
            let chunk = &mut chunks[used];
            let read = fill(&mut self.source, chunk, length).map_err(StreamFailure::Read)?;
            if read < length {
                let used = if read == 0 { used } else { used + 1 };
                return Ok(Filled { chunks, used, ended: true });
            }
        }
        Ok(Filled { chunks, used: UNIT_CHUNKS, ended: false })
    }
}

/// Fills a buffer with `length` bytes, fewer at the end of the source.
pub(super) fn fill(source: &mut impl Read, buffer: &mut Vec<u8>, length: usize) -> io::Result<usize> {
    buffer.reserve_exact((length + symbolon_envelope::TAG_LEN).saturating_sub(buffer.len()));
    buffer.resize(length, 0);
    let mut filled = 0;
    while filled < length {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(filled)
}

/// Tells the others when a worker panics (a caller's reader, writer or callback may): they would wait for ever for the
/// turn of its unit. `thread::scope` raises the panic again.
struct Alarm<'a, 'p, 'q, W> {
    output: &'a Mutex<Output<'p, 'q, W>>,
    turn: &'a Condvar,
}

impl<W> Drop for Alarm<'_, '_, '_, W> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(self.output).failure.get_or_insert(StreamFailure::Cancelled);
            self.turn.notify_all();
        }
    }
}

/// A worker that panicked left nothing half-changed that another would read: its unit is missing, so nothing behind
/// it is written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
