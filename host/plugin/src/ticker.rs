//! The clock of epochs: a thread that lets each running guest be looked after once a millisecond, and sleeps when none runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// Between two looks at a guest that computes.
pub const TICK: Duration = Duration::from_millis(1);

struct Shared {
    running: AtomicUsize,
    ended: AtomicBool,
}

/// Advances an engine's epoch as long as calls run.
pub struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

/// A call that runs.
pub struct Running<'t>(&'t Ticker);

impl Ticker {
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { running: AtomicUsize::new(0), ended: AtomicBool::new(false) });
        let (weak, seen) = (engine.weak(), Arc::clone(&shared));
        let handle = thread::Builder::new().name("plugin-ticker".into()).spawn(move || tick(&weak, &seen))?;
        Ok(Self { shared, thread: handle.thread().clone() })
    }

    pub fn begin(&self) -> Running<'_> {
        if self.shared.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running(self)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.shared.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn tick(engine: &EngineWeak, shared: &Shared) {
    while !shared.ended.load(Ordering::SeqCst) {
        if shared.running.load(Ordering::SeqCst) == 0 {
            thread::park();
            continue;
        }
        thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}
