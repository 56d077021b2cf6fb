//! The client's log, for Python's `logging`: events are kept in a queue until a thread of Python that waits for an
//! operation, or an event loop in which one lands, hands them on. No other thread ever waits for the interpreter.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// Events that wait at most; newer ones are dropped.
const KEPT: usize = 1024;
/// How often a thread asks for a queue that another one holds: it holds it for some hundred nanoseconds. After a fork,
/// it may be held for ever.
const TRIES: usize = 1000;

static WAITING: Mutex<VecDeque<Line>> = Mutex::new(VecDeque::new());
static ANY: AtomicBool = AtomicBool::new(false);
/// The least that is told, by `logging`'s numbers.
static LEAST: AtomicU8 = AtomicU8::new(30);

/// An event: level, logger, message, Unix time.
type Line = (u8, String, String, f64);

/// Takes the events of this library's own crates.
pub fn listen() {
    // Only a second copy of this module in one process could have been first.
    let _ = tracing::subscriber::set_global_default(Collector);
}

/// Asks `logging` what is to be told.
pub fn follow_level(py: Python<'_>) {
    static LEVEL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let level = LEVEL.get_or_try_init(py, || function(py, "level"));
    if let Ok(level) = level.and_then(|level| level.bind(py).call0()?.extract()) {
        LEAST.store(level, Ordering::Relaxed);
    }
}

/// Hands on what waits.
pub fn deliver(py: Python<'_>) {
    static DELIVER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if !ANY.swap(false, Ordering::Relaxed) {
        return;
    }
    let Some(lines) = queue().map(|mut waiting| mem::take(&mut *waiting)) else { return };
    let deliver = DELIVER.get_or_try_init(py, || function(py, "deliver"));
    let told = deliver.and_then(|deliver| deliver.bind(py).call1((Vec::from(lines),)).map(drop));
    if let Err(raised) = told {
        // A handler of the caller's raised: not the operation's fault.
        raised.write_unraisable(py, None);
    }
}

fn function(py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
    Ok(py.import("symbolon._logging")?.getattr(name)?.unbind())
}

fn queue() -> Option<MutexGuard<'static, VecDeque<Line>>> {
    (0..TRIES).find_map(|_| {
        WAITING.try_lock().ok().or_else(|| {
            std::hint::spin_loop();
            None
        })
    })
}

struct Collector;

impl Subscriber for Collector {
    fn register_callsite(&self, about: &'static Metadata<'static>) -> Interest {
        if about.is_event() && about.target().starts_with("symbolon") {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, about: &Metadata<'_>) -> bool {
        number(*about.level()) >= LEAST.load(Ordering::Relaxed)
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message::default();
        event.record(&mut message);
        let about = event.metadata();
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
        let line = (number(*about.level()), logger(about.target()), message.0, time);
        if let Some(mut waiting) = queue().filter(|waiting| waiting.len() < KEPT) {
            waiting.push_back(line);
            ANY.store(true, Ordering::Relaxed);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// `symbolon_client::notice` is the logger `symbolon.client.notice`.
fn logger(target: &str) -> String {
    target.replace("::", ".").replacen('_', ".", 1)
}

fn number(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

/// An event's message, and behind it its other fields.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let space = if self.0.is_empty() { "" } else { " " };
        // Writing to a String can't fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{space}{value:?}"),
            name => write!(self.0, "{space}{name}={value:?}"),
        };
    }
}
