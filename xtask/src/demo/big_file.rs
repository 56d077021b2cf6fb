//! A large file that no compression makes smaller, and whether another one is the same.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::failure::{During, Failure};

const BUFFER: usize = 1 << 20;

pub struct BigFile(PathBuf);

impl BigFile {
    /// A new one of so many MiB.
    pub fn make(path: &Path, mebibytes: u64) -> Result<Self, Failure> {
        write(path, mebibytes << 20).during(&format!("writing {}", path.display()))?;
        Ok(Self(path.to_owned()))
    }

    pub fn is_the_same_as(&self, other: &Path) -> Result<(), Failure> {
        let same = are_equal(&self.0, other).during("comparing the files")?;
        if same { Ok(()) } else { Err(Failure::new("the files differ")) }
    }
}

/// The words of a xorshift generator (Marsaglia 2003): different everywhere, the same on every machine.
fn write(path: &Path, bytes: u64) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, File::create(path)?);
    let mut word: u64 = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..bytes / 8 {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        out.write_all(&word.to_le_bytes())?;
    }
    out.flush()
}

fn are_equal(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    let bytes = one.metadata()?.len();
    if other.metadata()?.len() != bytes {
        return Ok(false);
    }
    let mut readers = [BufReader::new(one), BufReader::new(other)];
    let mut buffers = [vec![0; BUFFER], vec![0; BUFFER]];
    for _ in 0..bytes / BUFFER as u64 {
        for (reader, buffer) in readers.iter_mut().zip(&mut buffers) {
            reader.read_exact(buffer)?;
        }
        if buffers[0] != buffers[1] {
            return Ok(false);
        }
    }
    Ok(true)
}
