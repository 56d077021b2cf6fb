//! The values of a scenario: texts, bytes, contexts.

use crate::Place;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use symbolon_client::{Context, Error};

/// A text, with places for variables.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Text {
    Plain(String),
    Repeated { repeat: String, times: usize },
}

/// Bytes; README.md has the table.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Bytes {
    Variable(String),
    Text { text: String },
    Hex { hex: String },
    Pattern { pattern: usize },
    File { file: String },
    Work { work: String },
    Slice { of: Box<Bytes>, slice: (i64, Option<i64>) },
    Flip { of: Box<Bytes>, flip: i64 },
    Join { join: Vec<Bytes> },
}

/// The pairs of a context.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Pairs {
    Numbered { pairs: usize },
    Named(BTreeMap<String, Text>),
}

impl Default for Pairs {
    fn default() -> Self {
        Self::Named(BTreeMap::new())
    }
}

impl Text {
    pub(crate) fn get(&self, place: &Place) -> String {
        match self {
            Self::Plain(text) => place.fill(text),
            Self::Repeated { repeat, times } => repeat.repeat(*times),
        }
    }
}

impl Bytes {
    pub(crate) fn get(&self, place: &Place) -> Vec<u8> {
        match self {
            Self::Variable(name) => place.saved(name.strip_prefix('$').expect("variables start with $")),
            Self::Text { text } => place.fill(text).into_bytes(),
            Self::Hex { hex } => hex::decode(hex).expect("hexadecimal"),
            Self::Pattern { pattern } => pattern_of(*pattern),
            Self::File { file } => std::fs::read(repository().join(place.fill(file))).expect("a file"),
            Self::Work { work } => std::fs::read(place.work().join(work)).expect("a file of the work folder"),
            Self::Slice { of, slice: (from, to) } => {
                let of = of.get(place);
                let to = to.map_or(of.len(), |to| offset(to, of.len()));
                of[offset(*from, of.len())..to].to_vec()
            }
            Self::Flip { of, flip } => {
                let mut of = of.get(place);
                let at = offset(*flip, of.len());
                of[at] ^= 1;
                of
            }
            Self::Join { join } => join.iter().flat_map(|part| part.get(place)).collect(),
        }
    }
}

impl Pairs {
    pub(crate) fn get(&self, place: &Place) -> Result<Context, Error> {
        Ok(match self {
            Self::Numbered { pairs } => Context::from_pairs((0..*pairs).map(|at| (format!("n{at}"), "v")))?,
            Self::Named(pairs) => {
                Context::from_pairs(pairs.iter().map(|(name, value)| (name.clone(), value.get(place))))?
            }
        })
    }
}

/// `length` bytes, byte `i` is `i mod 251`.
pub(crate) fn pattern_of(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn offset(at: i64, length: usize) -> usize {
    match usize::try_from(at) {
        Ok(from_the_start) => from_the_start,
        Err(_) => length - usize::try_from(at.unsigned_abs()).expect("a length"),
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
