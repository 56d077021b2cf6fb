//! Golden files of format version 1: they open for ever, and today's writer still makes them bit by bit.

#[path = "support/malformed.rs"]
mod malformed;
mod support;

use std::fs;
use support::{CASES, Case, vectors};
use symbolon_envelope::{CommitmentMismatch, HeaderError, StreamError};

#[test]
fn golden_files_open() {
    for case in &CASES {
        let stored = fs::read(vectors().join(format!("{}.symbolon", case.name))).unwrap();
        assert_eq!(case.open(&stored).unwrap(), case.message(), "{}", case.name);
    }
}

#[test]
fn golden_files_are_what_is_written_today() {
    for case in &CASES {
        let stored = fs::read(vectors().join(format!("{}.symbolon", case.name))).unwrap();
        assert!(stored == case.seal(), "{}", case.name);
    }
}

#[test]
fn malformed_files_are_refused_by_name() {
    let list = fs::read(vectors().join("malformed.json")).unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
    let list = list["files"].as_array().unwrap();
    assert_eq!(list.len(), malformed::all().len());
    for (entry, made) in list.iter().zip(malformed::all()) {
        let bytes = fs::read(vectors().join(format!("malformed/{}.symbolon", made.name))).unwrap();
        assert!(bytes == made.bytes, "{}", made.name);
        assert_eq!((&entry["name"], &entry["error"]), (&made.name.into(), &made.error.into()));
        let refused = Case::named(made.from).open(&bytes).unwrap_err();
        assert_eq!(error_name(&*refused), made.error, "{}", made.name);
    }
}

fn error_name(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(error) = error.downcast_ref::<HeaderError>() {
        return match error {
            HeaderError::Malformed => "malformed".into(),
            HeaderError::UnsupportedVersion(version) => format!("unsupported version {version}"),
            HeaderError::Truncated => "truncated".into(),
        };
    }
    if let Some(CommitmentMismatch) = error.downcast_ref() {
        return "commitment mismatch".into();
    }
    match error.downcast_ref::<StreamError>().expect("a reader has three kinds of errors") {
        StreamError::Truncated => "truncated".into(),
        StreamError::Extended => "extended".into(),
        StreamError::NotAuthentic { chunk } => format!("chunk {chunk} not authentic"),
    }
}

#[test]
fn another_context_is_a_commitment_mismatch() {
    let case = Case::named("context");
    let other = Case { context: &[("user", "43"), ("album", "2026 é")], ..*case };
    assert_eq!(error_name(&*other.open(&case.seal()).unwrap_err()), "commitment mismatch");
}

#[test]
fn every_changed_bit_of_a_preamble_is_refused() {
    let case = Case::named("ristretto255-cf");
    let sealed = case.seal();
    let preamble = symbolon_envelope::Preamble::parse(&sealed).unwrap().len();
    for bit in 0..preamble * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(case.open(&changed).is_err(), "bit {bit}");
    }
}
