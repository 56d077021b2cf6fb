//! What a thief of a machine looks through: every file of a directory, and all memory of a process.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use memchr::memmem;

/// Memory is read in pieces of this size, which overlap by the needle's length.
const PIECE: usize = 1 << 20;

/// Whether any file below `directory` contains the bytes, as they are or as hexadecimal digits.
pub fn disk_contains(directory: &Path, needle: &[u8]) -> bool {
    let entries = fs::read_dir(directory).expect("the directory can be read");
    entries.map(|entry| entry.expect("the directory can be read")).any(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => disk_contains(&path, needle),
            Ok(kind) if kind.is_file() => holds(&fs::read(&path).unwrap_or_default(), needle),
            _ => false,
        }
    })
}

/// Whether the bytes stand anywhere in the memory of a running process, as they are or as hexadecimal digits. Needs root.
pub fn memory_contains(pid: u32, needle: &[u8]) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("only root may look into a process");
    let regions: Vec<_> = maps.lines().filter_map(writable).collect();
    assert!(!regions.is_empty(), "process {pid} has no memory");
    regions.into_iter().any(|(start, end)| region_holds(&memory, start, end, needle))
}

/// Start and end of a region that can be read and written: code and read-only data hold no secrets.
fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let parse = |text| u64::from_str_radix(text, 16).ok();
    if rest.starts_with("rw") { Some((parse(start)?, parse(end)?)) } else { None }
}

fn region_holds(memory: &File, start: u64, end: u64, needle: &[u8]) -> bool {
    let overlap = 2 * needle.len();
    let mut piece = vec![0; PIECE + overlap];
    let mut at = start;
    while at < end {
        let length = piece.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        // A region may be given back while we look; what cannot be read any more holds nothing.
        let read = memory.read_at(&mut piece[..length], at).unwrap_or(0);
        if holds(&piece[..read], needle) {
            return true;
        }
        at += PIECE as u64;
    }
    false
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    assert!(needle.len() >= 16, "a short needle is found by chance");
    let digits = hex::encode(needle);
    memmem::find(bytes, needle).or_else(|| memmem::find(bytes, digits.as_bytes())).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_finds_what_is_in_memory_and_on_disk() {
        let secret: Vec<u8> = (0..32).map(|i: u8| i.wrapping_mul(37) ^ 0x5a).collect();
        let other: Vec<u8> = secret.iter().map(|b| b ^ 0xff).rev().collect();
        assert!(memory_contains(std::process::id(), &secret));
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("below")).unwrap();
        fs::write(directory.path().join("below/file"), &secret).unwrap();
        assert!(disk_contains(directory.path(), &secret));
        assert!(!disk_contains(directory.path(), &other));
    }
}
