//! Whole files: encrypted and decrypted on threads of their own, so that asynchronous callers go on meanwhile.

use crate::bulk::{FileOptions, OutputFile, read_preamble};
use crate::client::Client;
use crate::error::{Bug, Error, FileError, StreamFailure};
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use symbolon_envelope::Context;
use symbolon_fragments::names::KeyId;

/// Progress of a file; as [`crate::Progress`], but of a thread of its own.
pub type FileProgress = Box<dyn FnMut(u64) -> ControlFlow<()> + Send>;

impl Client {
    /// Encrypts a file. The other appears when it is whole; dropping the future ends the work and leaves nothing.
    /// Returns the length of the ciphertext.
    pub async fn encrypt_file(
        &self,
        key: &KeyId,
        context: &Context,
        from: &Path,
        to: &Path,
        options: FileOptions,
        progress: FileProgress,
    ) -> Result<u64, Error> {
        let input = open(from)?;
        let output = OutputFile::create(to, &input, options)?;
        let encryption = self.encryption(key, context).await?;
        self.unless_closed(work(Paths::new(from, to), output, progress, move |output, progress| {
            encryption.run(input, output, progress)
        }))
        .await
    }

    /// Decrypts a file. The other appears only if every byte of it is authentic and it is whole; dropping the future
    /// ends the work and leaves nothing. Returns the length of the plaintext.
    pub async fn decrypt_file(
        &self,
        context: &Context,
        from: &Path,
        to: &Path,
        options: FileOptions,
        progress: FileProgress,
    ) -> Result<u64, Error> {
        let mut input = open(from)?;
        let paths = Paths::new(from, to);
        let preamble = read_preamble(&mut input).map_err(|failure| paths.name(failure))?;
        let output = OutputFile::create(to, &input, options)?;
        let decryption = self.decryption(&preamble, context).await?;
        self.unless_closed(work(paths, output, progress, move |output, progress| {
            decryption.run(input, output, progress)
        }))
        .await
    }
}

/// What errors are about.
struct Paths {
    from: PathBuf,
    to: PathBuf,
}

impl Paths {
    fn new(from: &Path, to: &Path) -> Self {
        Self { from: from.into(), to: to.into() }
    }

    fn name(&self, failure: StreamFailure) -> Error {
        match failure {
            StreamFailure::Read(cause) => FileError::io(&self.from, cause).into(),
            StreamFailure::Write(cause) => FileError::io(&self.to, cause).into(),
            other => other.into(),
        }
    }
}

/// Tells the thread when nobody waits for it any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn work(
    paths: Paths,
    mut output: OutputFile,
    mut progress: FileProgress,
    run: impl FnOnce(&mut OutputFile, &mut crate::Progress<'_>) -> Result<u64, StreamFailure> + Send + 'static,
) -> Result<u64, Error> {
    let abandon = Abandon(Arc::default());
    let abandoned = abandon.0.clone();
    let mut watched = move |written| {
        if abandoned.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { progress(written) }
    };
    let task = tokio::task::spawn_blocking(move || {
        let length = run(&mut output, &mut watched).map_err(|failure| paths.name(failure))?;
        output.commit()?;
        Ok(length)
    });
    let result = task.await.map_err(|_| Bug::Panicked)?;
    drop(abandon);
    result
}

fn open(path: &Path) -> Result<File, FileError> {
    let file = File::open(path).map_err(|cause| FileError::io(path, cause))?;
    let about = file.metadata().map_err(|cause| FileError::io(path, cause))?;
    if about.is_dir() {
        return Err(FileError::io(path, io::ErrorKind::IsADirectory.into()));
    }
    Ok(file)
}
