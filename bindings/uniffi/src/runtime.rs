//! Where operations run: one runtime for the process, as many clients as there may be.

use crate::error::ClientError;
use std::sync::LazyLock;
use symbolon_client::Error;
use symbolon_client::error::Bug;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .thread_name("symbolon")
        .enable_all()
        .build()
        .expect("without threads nothing of this library works")
});

/// Ends the task when nobody waits for it any more: so a coroutine that is cancelled ends the operation.
struct EndWithCaller<T>(JoinHandle<T>);

impl<T> Drop for EndWithCaller<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs an operation to its end. One that panics is a [`Bug`], and harms nothing else.
pub(crate) async fn run<T: Send + 'static>(
    operation: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, ClientError> {
    let mut task = EndWithCaller(RUNTIME.spawn(operation));
    match (&mut task.0).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Error::from(Bug::Panicked).into()),
    }
}

/// Does work that wants to know the runtime, on the caller's thread.
pub(crate) fn within<T>(work: impl FnOnce() -> T) -> T {
    let _guard = RUNTIME.enter();
    work()
}
