//! The arrows between rooms are those of `arrows.txt`, no more and no fewer: a change of architecture is one line there.

use std::collections::BTreeSet;
use std::fs;

use symbolon_arrows::{closure, metadata, rooms, root};

const LINUX: &str = "x86_64-unknown-linux-gnu";
const WASM: &str = "wasm32-unknown-unknown";

/// The rooms whose code is pure.
const CORE: &str = "core/";

/// How a room says that it does without the standard library: always, or but for the servers' interface description.
const WITHOUT_STD: [&str; 2] = ["\n#![no_std]", "\n#![cfg_attr(not(feature = \"openapi\"), no_std)]"];

/// The rooms of tests, which may know every other one, and which none may know.
const TESTS: &str = "tests/";

/// Crates that reach an operating system: a room of core/ that links one is not pure.
const IMPURE: [&str; 9] =
    ["getrandom", "libc", "mio", "rand", "rustix", "socket2", "tokio", "wasi", "web-time"];

#[test]
fn arrows_are_the_golden_ones() {
    let rooms = rooms(&metadata(LINUX));
    let found: BTreeSet<String> =
        rooms.values().filter(|room| !room.folder.starts_with(TESTS)).flat_map(lines).collect();
    let golden: BTreeSet<String> =
        include_str!("../arrows.txt").lines().filter(|line| is_arrow(line)).map(str::to_owned).collect();
    let new: Vec<_> = found.difference(&golden).collect();
    let gone: Vec<_> = golden.difference(&found).collect();
    assert!(new.is_empty(), "arrows that arrows.txt doesn't allow: {new:#?}");
    assert!(gone.is_empty(), "arrows of arrows.txt that nothing uses: {gone:#?}");
}

fn lines(room: &symbolon_arrows::Room) -> Vec<String> {
    room.arrows.iter().map(|to| format!("{} -> {to}", room.folder)).collect()
}

fn is_arrow(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#')
}

#[test]
fn core_knows_only_core() {
    for room in rooms(&metadata(LINUX)).values().filter(|room| room.folder.starts_with(CORE)) {
        let strays: Vec<_> = room.arrows.iter().filter(|to| !to.starts_with(CORE)).collect();
        assert!(strays.is_empty(), "{} knows {strays:?}", room.folder);
    }
}

#[test]
fn nothing_that_ships_knows_tests() {
    for room in rooms(&metadata(LINUX)).values().filter(|room| !room.folder.starts_with(TESTS)) {
        let strays: Vec<_> = room.arrows.iter().filter(|to| to.starts_with(TESTS)).collect();
        assert!(strays.is_empty(), "{} knows {strays:?}", room.folder);
    }
}

#[test]
fn roles_do_not_know_each_other() {
    let roles = ["host/fragment-manager", "host/access-manager", "host/gateway", "host/driver"];
    let rooms = rooms(&metadata(LINUX));
    for role in roles {
        let others: Vec<_> = rooms[role].arrows.iter().filter(|to| roles.contains(&to.as_str())).collect();
        assert!(others.is_empty(), "{role} knows {others:?}");
    }
}

#[test]
fn only_one_room_names_what_it_is_there_for() {
    let rooms = rooms(&metadata(LINUX));
    for (name, room) in [("sqlx", "host/store"), ("wasmtime", "host/plugin"), ("cryptoki-sys", "host/pkcs11")]
    {
        let naming: Vec<_> =
            rooms.values().filter(|room| room.outside.contains(name)).map(|room| &room.folder).collect();
        assert_eq!(naming, [room], "{name}");
    }
}

#[test]
fn core_links_nothing_that_reaches_an_operating_system() {
    let metadata = metadata(WASM);
    let core = metadata.workspace_packages();
    let core = core
        .iter()
        .filter(|package| package.manifest_path.as_str().contains("/core/"))
        .map(|package| &package.id);
    let linked = closure(&metadata, core);
    let names: BTreeSet<&str> = linked.iter().map(|id| metadata[*id].name.as_str()).collect();
    assert!(names.contains("symbolon-encoding"), "the closure is empty, so this test looks at nothing");
    let impure: Vec<_> = IMPURE.iter().filter(|name| names.contains(*name)).collect();
    assert!(impure.is_empty(), "core links {impure:?}");
}

#[test]
fn core_forbids_unsafe_code_and_does_without_std() {
    for room in rooms(&metadata(LINUX)).values().filter(|room| room.folder.starts_with(CORE)) {
        let source = fs::read_to_string(root().join(&room.folder).join("src/lib.rs")).expect("a lib.rs");
        assert!(source.contains("\n#![forbid(unsafe_code)]"), "{} doesn't forbid unsafe code", room.folder);
        assert!(WITHOUT_STD.iter().any(|line| source.contains(line)), "{} uses std", room.folder);
    }
}

#[test]
fn every_room_has_the_workspaces_lints() {
    for room in rooms(&metadata(LINUX)).values() {
        let text = fs::read_to_string(root().join(&room.folder).join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = text.parse().expect("a manifest is TOML");
        let inherits =
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        assert_eq!(inherits, Some(true), "{} has lints of its own", room.folder);
    }
}
