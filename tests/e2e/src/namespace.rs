//! A disk that is small: a tmpfs of limited size, mounted over a directory in a mount namespace of the process's own.

use std::path::Path;

use crate::Start;

const SCRIPT: &str = r#"
set -e
size=$1 directory=$2; shift 2
kept=$(mktemp -d)
mount --bind "$directory" "$kept"
mount -t tmpfs -o "size=$size" tmpfs "$directory"
cp -a "$kept/." "$directory/"
umount "$kept"
rmdir "$kept"
exec "$@"
"#;

/// The same start with `directory` on a disk of `size` bytes. What the process writes there is gone with it; from outside, the directory is
/// seen below `/proc/<pid>/root`. Needs root, as the whole of these tests does.
pub fn small_disk(start: &Start, directory: &Path, size: usize) -> Start {
    let directory = directory.to_str().expect("paths of tests are UTF-8");
    let size = size.to_string();
    let wrapped = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        SCRIPT,
        "small-disk",
        &size,
        directory,
    ];
    let command = wrapped.iter().map(ToString::to_string).chain(start.command.iter().cloned()).collect();
    Start { command, ..start.clone() }
}
