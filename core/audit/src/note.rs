//! Signed notes (C2SP `signed-note`): a text and lines of signatures below it.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use core::{fmt, str::FromStr};
use sha2::{Digest, Sha256};
use symbolon_trust::PublicKey;

/// The longest note that is read, in bytes: a checkpoint with a hundred cosignatures.
const LONGEST: usize = 16 * 1024;

/// What a signature line is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureType {
    /// Ed25519 over the text.
    Ed25519,
    /// A witness's Ed25519 cosignature with its time (C2SP `tlog-cosignature`).
    Cosignature,
}

impl SignatureType {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }

    /// The key id that a line of this type by this key under this name carries.
    pub fn key_id(self, name: &str, key: &PublicKey) -> [u8; 4] {
        let hash =
            Sha256::new().chain_update(name).chain_update([b'\n', self.byte()]).chain_update(key.as_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

/// A signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The signer's name.
    pub name: String,
    /// Tells apart keys of one name.
    pub key_id: [u8; 4],
    /// What the signature type says.
    pub signature: Vec<u8>,
}

/// A text, which ends in a newline, and signature lines. Nothing in it is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text.
    pub text: String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// Text that is no signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongNote {
    /// Longer than 16 KiB.
    #[error("the note is longer than {LONGEST} bytes")]
    TooLong,
    /// No text, no empty line before the signatures, no signature, or a control character.
    #[error("not a signed note")]
    Form,
    /// A signature line that is none.
    #[error("a signature line of the note is malformed")]
    Line,
}

impl FromStr for Note {
    type Err = WrongNote;

    fn from_str(note: &str) -> Result<Self, WrongNote> {
        if note.len() > LONGEST {
            return Err(WrongNote::TooLong);
        }
        if note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(WrongNote::Form);
        }
        let blank = note.rfind("\n\n").ok_or(WrongNote::Form)?;
        let lines = note[blank + 2..].strip_suffix('\n').ok_or(WrongNote::Form)?;
        let lines = lines.split('\n').map(parse_line).collect::<Result<_, _>>()?;
        Ok(Self { text: note[..=blank].to_string(), lines })
    }
}

fn parse_line(line: &str) -> Result<Line, WrongNote> {
    let (name, encoded) =
        line.strip_prefix("— ").and_then(|line| line.split_once(' ')).ok_or(WrongNote::Line)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| WrongNote::Line)?;
    let (key_id, signature) = bytes.split_first_chunk().ok_or(WrongNote::Line)?;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
        return Err(WrongNote::Line);
    }
    Ok(Line { name: name.into(), key_id: *key_id, signature: signature.to_vec() })
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id[..], &self.signature].concat();
        writeln!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl FromStr for Line {
    type Err = WrongNote;

    fn from_str(line: &str) -> Result<Self, WrongNote> {
        parse_line(line.strip_suffix('\n').unwrap_or(line))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

impl Note {
    /// The lines that claim to be by this key, under this name, of this type.
    pub(crate) fn lines_of<'a>(
        &'a self,
        kind: SignatureType,
        name: &'a str,
        key: &PublicKey,
    ) -> impl Iterator<Item = &'a Line> {
        let key_id = kind.key_id(name, key);
        self.lines.iter().filter(move |line| line.name == name && line.key_id == key_id)
    }

    /// Adds a line, or replaces the one of the same name and key.
    pub fn add(&mut self, line: Line) {
        self.lines.retain(|known| known.name != line.name || known.key_id != line.key_id);
        self.lines.push(line);
    }
}

/// A key in the form that C2SP tools take as verifier key: `name+id+base64(type ‖ key)`.
pub fn verifier_key(kind: SignatureType, name: &str, key: &PublicKey) -> String {
    let id = u32::from_be_bytes(kind.key_id(name, key));
    let encoded = STANDARD.encode([&[kind.byte()][..], key.as_bytes()].concat());
    format!("{name}+{id:08x}+{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of C2SP signed-note and its signer's verifier key in our types.
    const EXAMPLE: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

    #[test]
    fn the_published_example_is_read_and_written() {
        let note: Note = EXAMPLE.parse().unwrap();
        assert!(note.text.ends_with("ed è subito sera.\n"));
        assert_eq!(note.lines[0].name, "quasimodo.example/salvatore");
        assert_eq!(note.lines[0].signature.len(), 64);
        assert_eq!(note.to_string(), EXAMPLE);
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let wrong = [
            "",
            "text\n",
            "text\n\n",
            "text\n\nno dash\n",
            "text\n\n— name\n",
            "text\n\n— name AAA=\n",
            "text\n\n— na+me AAAAAAAA\n",
            "te\txt\n\n— name AAAAAAAA\n",
            "text\n\n— name AAAAAAAA",
        ];
        for note in wrong {
            assert!(note.parse::<Note>().is_err(), "{note:?}");
        }
        assert_eq!("x".repeat(LONGEST + 1).parse::<Note>(), Err(WrongNote::TooLong));
    }
}
