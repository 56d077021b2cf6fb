//! Deaths at chosen moments: a role that is killed instead of its n-th flush to disk, by a library between it and the C library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Guardian, Start, run};

/// Kills a process in the middle of the n-th state change after it was armed.
pub struct Crash {
    library: PathBuf,
    armed: PathBuf,
}

impl Crash {
    /// Builds the library. Nothing dies before [`Crash::arm`].
    pub fn new(guardian: &Guardian) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/crash.c");
        let library = guardian.directory().join("crash.so");
        let mut compile = Command::new("cc");
        compile
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(&library)
            .arg(source)
            .arg("-ldl");
        run(&mut compile, b"").succeeds();
        Self { library, armed: guardian.directory().join("crash-at") }
    }

    /// The same start under the library.
    pub fn under(&self, start: &Start) -> Start {
        let text = |path: &Path| path.to_str().expect("paths of tests are UTF-8").to_owned();
        start.clone().with("LD_PRELOAD", &text(&self.library)).with("CRASH_AT", &text(&self.armed))
    }

    /// From now on the process counts, and dies instead of its n-th flush.
    pub fn arm(&self, n: u32) {
        let draft = self.armed.with_extension("new");
        fs::write(&draft, n.to_string()).expect("the directory can be written");
        fs::rename(draft, &self.armed).expect("the directory can be written");
    }

    /// Nothing dies any more.
    pub fn disarm(&self) {
        let _ = fs::remove_file(&self.armed);
    }
}
