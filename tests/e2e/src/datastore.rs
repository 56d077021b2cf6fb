//! A stolen datastore, opened with a tool of the thief's own.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::run;

/// The `SQLite` file among the files of a role's directory.
pub fn datastore(home: &Path) -> PathBuf {
    let files = std::fs::read_dir(home)
        .expect("the directory can be read")
        .map(|entry| entry.expect("an entry").path());
    let is_sqlite =
        |path: &PathBuf| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"));
    files.filter(|path| path.is_file()).find(is_sqlite).expect("the role has a datastore")
}

/// Runs one statement. Values are numbers, strings, or [`blob`]s.
pub fn query(file: &Path, statement: &str, values: &[Value]) -> Vec<Vec<Value>> {
    let input = [&[json!(file), json!(statement)], values].concat();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/query.py");
    let input = serde_json::to_vec(&input).expect("values are JSON");
    let rows = run(Command::new("python3").arg(script), &input).json();
    rows.as_array().expect("rows").iter().map(|row| row.as_array().expect("a row").clone()).collect()
}

/// Overwrites the second half, as a failing disk would; no newer copy of a page is left in the write-ahead log.
pub fn scribble(file: &Path) {
    query(file, "PRAGMA wal_checkpoint(TRUNCATE)", &[]);
    let disk = File::options().write(true).open(file).expect("the datastore");
    let length = disk.metadata().expect("its length").len();
    let middle = length / 2 / 4096 * 4096;
    let noise = vec![0xa5; usize::try_from(length - middle).expect("a small file")];
    disk.write_all_at(&noise, middle).expect("the noise");
}

/// Bytes as a value of [`query`].
pub fn blob(bytes: &[u8]) -> Value {
    json!({ "hex": hex::encode(bytes) })
}

/// The bytes of a value of [`query`].
pub fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value["hex"].as_str().expect("a blob")).expect("hexadecimal digits")
}
