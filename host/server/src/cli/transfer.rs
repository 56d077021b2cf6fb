//! Where bytes come from and go to: files and pipes, whole files only, a progress bar for whoever looks on.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};
use serde::Serialize;
use symbolon_client::error::{Bug, FileError, StreamFailure};
use symbolon_client::{Error, FileOptions, OutputFile, Progress};

use super::output::Output;
use super::sent::took;
use super::{Failure, Kind};

/// How people name standard input and output.
const DASH: &str = "-";

/// What is read.
#[derive(Debug)]
pub struct Source {
    file: File,
    path: Option<PathBuf>,
}

impl Source {
    /// The named file; standard input where none is named, or `-`.
    pub fn open(path: Option<&Path>) -> Result<Self, Failure> {
        match path.filter(|path| *path != Path::new(DASH)) {
            Some(path) => {
                let file = File::open(path).map_err(|error| FileError::io(path, error))?;
                Ok(Self { file, path: Some(path.to_owned()) })
            }
            None => Self::stdin(),
        }
    }

    fn stdin() -> Result<Self, Failure> {
        if io::stdin().is_terminal() {
            let next = "name a file, or pipe something in";
            return Err(
                Failure::new(Kind::Invalid, "nothing to read: standard input is the terminal").next(next)
            );
        }
        let file = io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| Failure::io("standard input", &error))?;
        Ok(Self { file: file.into(), path: None })
    }

    /// The file's path; none for standard input.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// How much there is to read, where that is known.
    pub fn len(&self) -> Option<u64> {
        self.file.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| about.len())
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

/// What is written.
pub enum Sink {
    /// A file that appears when it is whole.
    File(OutputFile, PathBuf),
    /// Standard output.
    Stdout(File),
}

impl Sink {
    /// The named file, `-` for standard output.
    pub fn open(path: &Path, source: &Source, force: bool) -> Result<Self, Failure> {
        if path == Path::new(DASH) {
            return Self::stdout();
        }
        let options = FileOptions { overwrite: force };
        let file = OutputFile::create(path, &source.file, options).map_err(unplaced)?;
        Ok(Self::File(file, path.to_owned()))
    }

    fn stdout() -> Result<Self, Failure> {
        if io::stdout().is_terminal() {
            let next = "send it on (> FILE, | COMMAND), or name a file:  --output FILE";
            return Err(Failure::new(Kind::Invalid, "standard output is the terminal").next(next));
        }
        let file = io::stdout()
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| Failure::io("standard output", &error))?;
        Ok(Self::Stdout(file.into()))
    }

    /// Makes the file appear. Gives its path; none for standard output.
    pub fn finish(self) -> Result<Option<PathBuf>, Failure> {
        match self {
            Self::File(file, path) => {
                file.commit().map_err(unplaced)?;
                Ok(Some(path))
            }
            Self::Stdout(_) => Ok(None),
        }
    }
}

/// Why a file can't be where it is to be.
fn unplaced(error: FileError) -> Failure {
    match error {
        FileError::Exists { .. } => Failure::new(Kind::Conflict, error).next("replace it:  --force"),
        FileError::Missing { path } => {
            let folder = path.parent().unwrap_or(&path).display().to_string();
            Failure::new(Kind::NotFound, format!("there is no folder {folder} to write to"))
        }
        other => other.into(),
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file, _) => file.write(bytes),
            Self::Stdout(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file, _) => file.flush(),
            Self::Stdout(file) => file.flush(),
        }
    }
}

/// A bar on a terminal, nothing elsewhere; an interrupt ends the work in order.
#[derive(Debug)]
pub struct Meter {
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
}

impl Meter {
    /// Drawn only where somebody looks on.
    pub fn new(output: Output, total: Option<u64>) -> Self {
        let bar = if output.is_watched() { drawn(total) } else { ProgressBar::hidden() };
        Self { bar, interrupted: Arc::default() }
    }

    /// To be set when the user interrupts.
    pub fn interrupted(&self) -> Arc<AtomicBool> {
        self.interrupted.clone()
    }

    /// So many bytes are done.
    pub fn advance(&self, bytes: u64) -> ControlFlow<()> {
        self.bar.set_position(bytes);
        if self.interrupted.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn drawn(total: Option<u64>) -> ProgressBar {
    const KNOWN: &str = "{bar:40} {percent:>3}%  {decimal_bytes}  {decimal_bytes_per_sec}  {eta} left";
    const UNKNOWN: &str = "{spinner} {decimal_bytes}  {decimal_bytes_per_sec}  {elapsed}";
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let style = ProgressStyle::with_template(if total.is_some() { KNOWN } else { UNKNOWN });
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Transferred {
    /// The key.
    pub key: String,
    /// The file that was written; none for standard output.
    pub output: Option<PathBuf>,
    /// How long it is.
    pub bytes: u64,
    /// How long it took, milliseconds.
    pub took_ms: u64,
}

impl fmt::Display for Transferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.output.as_deref().unwrap_or(Path::new(DASH));
        write!(f, "{}  {}  {}", path.display(), DecimalBytes(self.bytes), took(self.took_ms))
    }
}

/// Lets `work` run on a thread of its own from the source to the sink; an interrupt ends it and leaves nothing behind.
pub async fn carry<W>(source: Source, mut sink: Sink, meter: Meter, work: W) -> Result<Transferred, Failure>
where
    W: FnOnce(Source, &mut Sink, &mut Progress<'_>) -> Result<u64, StreamFailure> + Send + 'static,
{
    let began = Instant::now();
    let interrupted = meter.interrupted();
    let working = tokio::task::spawn_blocking(move || {
        let done = work(source, &mut sink, &mut |bytes| meter.advance(bytes));
        meter.finish();
        done.map(|bytes| (bytes, sink))
    });
    let watch = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.store(true, Ordering::Relaxed);
        }
    });
    let done = working.await.map_err(|_| Error::from(Bug::Panicked))?;
    watch.abort();
    let (bytes, sink) = done.map_err(Error::from)?;
    let output = sink.finish()?;
    let took_ms = super::sent::milliseconds(began.elapsed());
    Ok(Transferred { key: String::new(), output, bytes, took_ms })
}
