//! Documents that promise: every row of the threat model names tests, and the tests are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every test function of the workspace's Rust sources.
fn tests_in(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            tests_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(tests_of(&fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Names of functions that `#[test]`, or an attribute such as `#[tokio::test]`, stands before.
fn tests_of(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut marked = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") && line.contains("test") {
            marked = true;
        } else if let Some(name) = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ") {
            if marked {
                names.extend(name.split('(').next().map(str::to_owned));
            }
            marked = false;
        }
    }
    names
}

/// The rows of the document's tables that have a column of tests: the first cell, and the last.
fn rows(document: &str) -> Vec<(&str, &str)> {
    let cells = document
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | "));
    let rows = cells.map(Iterator::collect::<Vec<_>>).filter(|cells| cells.len() == 4);
    rows.filter(|cells| cells[0] != "stolen" && cells[0] != "stolen together" && !cells[0].starts_with("---"))
        .map(|cells| (cells[0], cells[3]))
        .collect()
}

#[test]
fn every_row_of_the_threat_model_names_tests_that_exist() {
    let mut tests = BTreeSet::new();
    for room in ["core", "host", "bindings", "tests"] {
        tests_in(&root().join(room), &mut tests);
    }
    let document = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let rows = rows(&document);
    assert!(rows.len() > 20, "the tables are not read: {rows:?}");
    let mut missing = Vec::new();
    for (stolen, column) in rows {
        let named: Vec<&str> = column.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test shows what a thief of \"{stolen}\" gets");
        missing.extend(named.into_iter().filter(|name| !tests.contains(*name)));
    }
    assert!(missing.is_empty(), "the threat model names tests that are not there: {missing:#?}");
}

#[test]
fn documents_link_only_to_what_is_there() {
    let mut documents: Vec<PathBuf> =
        ["README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|name| root().join(name)).into();
    for directory in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path());
        documents.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    let mut dead = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or(link);
            let beside = document.parent().unwrap().join(file);
            if !link.starts_with("http") && !file.is_empty() && !beside.exists() {
                dead.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}
