//! Passphrases: from a file that only its owner can read, from a pipe, or asked for on the terminal.
//!
//! Never from an argument or the environment, which other processes can read.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::failure::{Failure, Kind};

/// Longer ones are a wrong file rather than a passphrase.
const MAX_BYTES: u64 = 4096;

/// From `file` where one is named, else asked for. `what` completes "passphrase of …".
pub fn existing(file: Option<&Path>, what: &str) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => read(file),
        None => ask(&format!("passphrase of {what}: ")),
    }
}

/// As [`existing`], but for one that is being chosen: asked for twice.
pub fn chosen(file: Option<&Path>, what: &str) -> Result<Zeroizing<String>, Failure> {
    let Some(file) = file else { return ask_twice(what) };
    read(file)
}

fn ask_twice(what: &str) -> Result<Zeroizing<String>, Failure> {
    let first = ask(&format!("new passphrase for {what}: "))?;
    let second = ask("the same again: ")?;
    if *first != *second {
        return Err(Failure::new(Kind::Invalid, "the two passphrases differ"));
    }
    not_empty(first)
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if !io::stdin().is_terminal() && File::open("/dev/tty").is_err() {
        let next =
            "name a file that holds it: --passphrase-file FILE (mode 0600, or a pipe such as /dev/fd/3)";
        return Err(Failure::new(
            Kind::Invalid,
            "a passphrase is needed, and there is no terminal to ask on",
        )
        .next(next));
    }
    let answer =
        rpassword::prompt_password(prompt).map_err(|error| Failure::io("asking for a passphrase", &error))?;
    Ok(Zeroizing::new(answer))
}

fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed =
        |error: &io::Error| Failure::io(format!("reading the passphrase file {}", path.display()), error);
    let file = File::open(path).map_err(|error| failed(&error))?;
    let about = file.metadata().map_err(|error| failed(&error))?;
    if about.is_file() && about.mode() & 0o077 != 0 {
        let next = format!("chmod 600 {}", path.display());
        return Err(Failure::new(Kind::Invalid, "others can read the passphrase file").next(next));
    }
    let mut text = Zeroizing::new(String::with_capacity(256));
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(|error| failed(&error))?;
    not_empty(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn not_empty(passphrase: Zeroizing<String>) -> Result<Zeroizing<String>, Failure> {
    if passphrase.is_empty() {
        return Err(Failure::new(Kind::Invalid, "the passphrase is empty"));
    }
    Ok(passphrase)
}
