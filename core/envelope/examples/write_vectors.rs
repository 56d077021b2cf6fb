//! Writes the golden and the malformed files. To be run once a format version; files that are there are never
//! replaced, because what was written once must open for ever.

#[path = "../tests/support/malformed.rs"]
mod malformed;
#[path = "../tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use support::{CASES, CF_ID, CF_SECRET, Case, KEY, vectors};

fn main() -> std::io::Result<()> {
    fs::create_dir_all(vectors().join("malformed"))?;
    for case in &CASES {
        write_new(&vectors().join(format!("{}.symbolon", case.name)), &case.seal())?;
    }
    for file in malformed::all() {
        write_new(&vectors().join(format!("malformed/{}.symbolon", file.name)), &file.bytes)?;
    }
    write_new(&vectors().join("golden.json"), pretty(&golden()).as_bytes())?;
    write_new(&vectors().join("malformed.json"), pretty(&refused()).as_bytes())
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value is JSON") + "\n"
}

fn golden() -> Value {
    json!({
        "about": "Ciphertexts of format version 1. `key` is the whole scalar; a 1-of-1 set has it as its fragment. Byte i of a message is i mod 251.",
        "provenance": "core/envelope/examples/write_vectors.rs of this project, Apache-2.0",
        "key": hex::encode(KEY),
        "customer_fragment": { "id": hex::encode(CF_ID), "secret": hex::encode(CF_SECRET) },
        "files": CASES.iter().map(described).collect::<Vec<_>>(),
    })
}

fn described(case: &Case) -> Value {
    let header = case.header();
    json!({
        "name": case.name,
        "header": {
            "suite": header.suite.name(), "account": format!("{:x}", header.account), "key": header.key.as_str(),
            "version": header.version, "purpose": header.purpose.name(), "writer": format!("{:x}", header.writer),
            "created": header.created, "r": hex::encode(header.r), "customer_fragment": header.cf.map(|id| id.to_string()),
            "chunk": header.chunk.plain(), "context_pairs": header.context_pairs,
        },
        "context": case.context,
        "message_length": case.length,
        "derived": hex::encode({
            let (key, commitment) = case.derive(&header).into_parts();
            [*key.as_bytes(), *commitment.as_bytes()].concat()
        }),
    })
}

fn refused() -> Value {
    let files: Vec<_> = malformed::all()
        .iter()
        .map(|file| json!({ "name": file.name, "from": file.from, "error": file.error }))
        .collect();
    json!({
        "about": "Files that are refused, each made from the golden file `from` and to be read with its context; `error` as in the specification, section 4.",
        "provenance": "core/envelope/examples/write_vectors.rs of this project, Apache-2.0",
        "files": files,
    })
}
