//! Whole files. They are read and written here, so that their bytes never cross.

use crate::client::{Client, context_of};
use crate::error::ClientError;
use crate::runtime::run;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use symbolon_client::{FileOptions, FileProgress};

/// So many words of progress are told as they come; after them, one in [`PAUSE`].
const AT_ONCE: u32 = 64;
/// A word across the boundary costs tens of microseconds, which a fast disk would feel.
const PAUSE: Duration = Duration::from_millis(20);

/// Told how far a file has come.
#[uniffi::export(with_foreign)]
pub trait Progress: Send + Sync {
    /// So many bytes are written. Says whether to go on.
    fn told(&self, written: u64) -> bool;
}

/// A file to be worked on, and where the result goes.
#[derive(uniffi::Record)]
pub struct FileTask {
    /// The input.
    pub source: String,
    /// The output; it appears when it is whole.
    pub target: String,
    /// What the message is, or was, bound to.
    pub context: HashMap<String, String>,
    /// Whether an output that is there is replaced.
    pub overwrite: bool,
}

#[uniffi::export]
impl Client {
    /// Encrypts a file. Gives the length of the ciphertext.
    pub async fn encrypt_file(
        &self,
        key: String,
        task: FileTask,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<u64, ClientError> {
        let client = self.0.clone();
        run(async move {
            let (from, to) = (Path::new(&task.source), Path::new(&task.target));
            let (context, options) = (context_of(task.context)?, FileOptions { overwrite: task.overwrite });
            client.encrypt_file(&key.parse()?, &context, from, to, options, telling(progress)).await
        })
        .await
    }

    /// Decrypts a file. Gives the length of the plaintext.
    pub async fn decrypt_file(
        &self,
        task: FileTask,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<u64, ClientError> {
        let client = self.0.clone();
        run(async move {
            let (from, to) = (Path::new(&task.source), Path::new(&task.target));
            let (context, options) = (context_of(task.context)?, FileOptions { overwrite: task.overwrite });
            client.decrypt_file(&context, from, to, options, telling(progress)).await
        })
        .await
    }
}

fn telling(progress: Option<Arc<dyn Progress>>) -> FileProgress {
    let Some(progress) = progress else { return Box::new(|_| ControlFlow::Continue(())) };
    let (mut words, mut last) = (0, Instant::now());
    Box::new(move |written| {
        words += 1;
        if words > AT_ONCE && last.elapsed() < PAUSE {
            return ControlFlow::Continue(());
        }
        last = Instant::now();
        if progress.told(written) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
}
