//! A PIN's file, and what keeps a wrong PIN from being tried twice.
//!
//! A token locks itself after a few wrong PINs, and a supervisor that restarts us in a loop would use them up. So the file
//! as it was when the token refused it is remembered, here and in a file beside it (`….refused`): until it changes, the
//! token is not asked. The PIN itself is written nowhere.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::Error;

/// A PIN as it was read, and the state of its file then.
pub struct Pin {
    pub bytes: Zeroizing<Vec<u8>>,
    stamp: String,
}

/// The file of one token's PIN.
pub struct PinFile {
    path: PathBuf,
    refused: Mutex<Option<Zeroizing<Vec<u8>>>>,
}

impl PinFile {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), refused: Mutex::new(None) }
    }

    /// The PIN, unless the token has refused it already.
    pub fn read(&self) -> Result<Pin, Error> {
        let pin = self.load().map_err(|cause| Error::PinMissing { file: self.path.clone(), cause })?;
        let again =
            self.remembered(&pin) || fs::read_to_string(self.mark()).is_ok_and(|mark| mark == pin.stamp);
        if again { Err(Error::PinRefused(self.path.clone())) } else { Ok(pin) }
    }

    fn load(&self) -> Result<Pin, String> {
        let about = fs::metadata(&self.path).map_err(|error| error.to_string())?;
        if about.permissions().mode() & 0o007 != 0 {
            return Err("everybody may read it; take that right away (chmod o-rwx)".to_owned());
        }
        let mut bytes = Zeroizing::new(fs::read(&self.path).map_err(|error| error.to_string())?);
        let kept = bytes.trim_ascii_end().len();
        bytes.truncate(kept);
        if bytes.is_empty() {
            return Err("it is empty".to_owned());
        }
        Ok(Pin { bytes, stamp: stamp(&about) })
    }

    fn remembered(&self, pin: &Pin) -> bool {
        let refused = self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        refused.as_ref().is_some_and(|refused| refused.ct_eq(&pin.bytes).into())
    }

    /// The token refused this PIN.
    pub fn refuse(&self, pin: Pin) {
        if let Err(error) = fs::write(self.mark(), &pin.stamp) {
            tracing::warn!(file = %self.mark().display(), %error, "a restart will not know that this PIN was refused");
        }
        *self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(pin.bytes);
    }

    /// The token took this PIN.
    pub fn accept(&self) {
        *self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        // It isn't there but after a refusal.
        let _ = fs::remove_file(self.mark());
    }

    fn mark(&self) -> PathBuf {
        let mut mark = self.path.clone().into_os_string();
        mark.push(".refused");
        mark.into()
    }
}

/// What changes when a file is written anew or replaced.
fn stamp(about: &Metadata) -> String {
    format!("{} {} {}.{:09}\n", about.ino(), about.len(), about.mtime(), about.mtime_nsec())
}
