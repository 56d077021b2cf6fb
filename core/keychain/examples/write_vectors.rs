//! Writes the vectors. To be run once a format version: a file that is there is never replaced, because what was wrapped
//! once must open for ever.

#[path = "../tests/chain/support.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod support;
#[path = "../tests/chain/vectors.rs"]
mod vectors;

use std::fs::OpenOptions;
use std::io::Write;

fn main() -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(&vectors::made()).expect("a value is JSON") + "\n";
    OpenOptions::new().write(true).create_new(true).open(vectors::file())?.write_all(text.as_bytes())
}
