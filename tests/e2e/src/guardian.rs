//! Ends what a test started, however the test process ends: a shell that waits on a pipe from it.
//!
//! A deployment that several tests share lives in a `static`, which nothing drops; and a test process may itself be killed. In both cases the
//! pipe closes, and the shell ends the listed processes and removes the directory.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

const SCRIPT: &str = r#"
trap '' INT TERM HUP
pids=
while read -r op pid; do
    kept=
    for p in $pids; do [ "$p" = "$pid" ] || kept="$kept $p"; done
    pids=$kept
    [ "$op" = + ] && pids="$pids $pid"
done
for p in $pids; do kill -KILL "$p" 2>/dev/null; done
rm -rf -- "$1"
"#;

/// A private directory, and the list of processes that end with it. Clones are of the same guardian.
#[derive(Clone)]
pub struct Guardian(Arc<Shell>);

struct Shell {
    directory: PathBuf,
    list: Mutex<Option<ChildStdin>>,
    child: Mutex<Child>,
}

impl Guardian {
    /// A new, empty directory and nothing to end.
    pub fn new() -> Self {
        let directory = TempDir::with_prefix("symbolon-e2e-").expect("a temporary directory").keep();
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "guardian"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let list = Mutex::new(child.stdin.take());
        Self(Arc::new(Shell { directory, list, child: Mutex::new(child) }))
    }

    /// The directory; it is removed at the end.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// Closes the pipe as the death of the test process would, and waits until the shell has done its work.
    pub fn close(&self) {
        drop(self.0.list.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.0.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }

    pub(crate) fn watch(&self, pid: u32) {
        self.tell('+', pid);
    }

    /// Must be called before the process is reaped: its number may belong to another afterwards.
    pub(crate) fn forget(&self, pid: u32) {
        self.tell('-', pid);
    }

    fn tell(&self, operation: char, pid: u32) {
        let mut list = self.0.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = list.as_mut() {
            writeln!(list, "{operation} {pid}").expect("the guardian is alive");
        }
    }
}

impl Default for Guardian {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.list.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.child.get_mut().unwrap_or_else(PoisonError::into_inner).wait();
    }
}
