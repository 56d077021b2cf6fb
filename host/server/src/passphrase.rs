//! Passphrases: from a file that only its owner can read, from a pipe, or asked for on the terminal.
//!
//! Never from an argument or the environment, which other processes can read.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use symbolon_client::error::FileError;
use symbolon_client::private_file;
use zeroize::Zeroizing;

/// Longer ones are a wrong file rather than a passphrase.
const MAX_BYTES: u64 = 4096;

/// Where passphrases come from.
#[derive(Clone, Debug, Default)]
pub struct Passphrases {
    file: Option<PathBuf>,
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// Neither a file nor somebody to ask.
    #[error("a passphrase is needed, and there is no terminal to ask on")]
    NobodyToAsk,
    /// The terminal failed.
    #[error("asking for a passphrase")]
    Terminal(#[source] io::Error),
    /// The named file can't be used.
    #[error("the passphrase file can't be used")]
    File(#[source] FileError),
    /// Nothing was typed, or the file is empty.
    #[error("the passphrase is empty")]
    Empty,
    /// A new passphrase was typed differently the second time.
    #[error("the two passphrases differ")]
    Different,
}

impl Passphrases {
    /// All from `file` where one is named, else from whoever sits at the terminal.
    pub fn from(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// The same, or from `fallback` where none is named and that file is there.
    #[must_use]
    pub fn or(&self, fallback: &Path) -> Self {
        let fallback = || fallback.is_file().then(|| fallback.to_owned());
        Self { file: self.file.clone().or_else(fallback) }
    }

    /// One that opens something. `what` completes "passphrase of …".
    pub fn existing(&self, what: &str) -> Result<Zeroizing<String>, PassphraseError> {
        match &self.file {
            Some(file) => read(file),
            None => ask(&format!("passphrase of {what}: ")),
        }
    }

    /// One that is being chosen: asked for twice. `what` completes "new passphrase for …".
    pub fn chosen(&self, what: &str) -> Result<Zeroizing<String>, PassphraseError> {
        if let Some(file) = &self.file {
            return read(file);
        }
        let first = ask(&format!("new passphrase for {what}: "))?;
        let second = ask("the same again: ")?;
        if *first == *second { Ok(first) } else { Err(PassphraseError::Different) }
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, PassphraseError> {
    let file = private_file::open(path).map_err(PassphraseError::File)?;
    let mut text = Zeroizing::new(String::with_capacity(256));
    let read = file.take(MAX_BYTES).read_to_string(&mut text);
    read.map_err(|error| PassphraseError::File(FileError::io(path, error)))?;
    not_empty(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, PassphraseError> {
    if !io::stdin().is_terminal() && File::open("/dev/tty").is_err() {
        return Err(PassphraseError::NobodyToAsk);
    }
    let answer = rpassword::prompt_password(prompt).map_err(PassphraseError::Terminal)?;
    not_empty(Zeroizing::new(answer))
}

fn not_empty(passphrase: Zeroizing<String>) -> Result<Zeroizing<String>, PassphraseError> {
    if passphrase.is_empty() { Err(PassphraseError::Empty) } else { Ok(passphrase) }
}
