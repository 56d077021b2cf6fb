//! What the jobs have seen of the token: whether it is there, and whether it has refused the PIN.

use crate::key_store::{Fault, KeyStoreError};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Notify;

/// The token, as the jobs find it. In trouble, no job reaches it before it was looked for.
#[derive(Default)]
pub(crate) struct Token {
    in_trouble: AtomicBool,
    refused: Mutex<Option<KeyStoreError>>,
    changed: Notify,
}

impl Token {
    /// A job failed.
    pub(crate) fn heard(&self, error: KeyStoreError) {
        match error.fault {
            Fault::PinRefused => {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            Fault::TokenAbsent | Fault::Module | Fault::Unusable | Fault::NoMasterKey => {}
            Fault::Integrity | Fault::Unsupported | Fault::Failed => return,
        }
        self.in_trouble.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// It answers.
    pub(crate) fn found(&self) {
        self.in_trouble.store(false, Ordering::Release);
    }

    /// Whether a job has found it in trouble, and nobody has found it well since.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.in_trouble.load(Ordering::Acquire)
    }

    /// Completes when a job has found it in trouble.
    pub(crate) async fn trouble(&self) {
        while !self.is_in_trouble() {
            self.changed.notified().await;
        }
    }

    /// The error of the job that had its PIN refused.
    pub(crate) fn refused(&self) -> Option<KeyStoreError> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
