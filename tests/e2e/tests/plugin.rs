//! `symbolon plugin`: from a component to a signed file that a host takes, and what it says when it doesn't.

use std::path::Path;
use std::process::Command;

use symbolon_e2e::{Finished, exit, run, symbolon};
use symbolon_guests::rust::built;
use symbolon_guests::{Guest, MANIFEST};
use tempfile::TempDir;

/// A folder with a component, its manifest, and the author's key.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(TempDir::new().unwrap());
        std::fs::write(desk.path().join("guest.wasm"), Guest::good().component()).unwrap();
        std::fs::write(desk.path().join("plugin.toml"), MANIFEST).unwrap();
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn symbolon(&self, line: &str) -> Finished {
        let mut command = Command::new(symbolon());
        run(command.arg("plugin").args(line.split(' ')).current_dir(self.path()), b"")
    }

    fn packed(&self) {
        self.symbolon("pack guest.wasm --output guest.symplugin").succeeds();
    }

    fn policy(&self, text: &str) {
        std::fs::write(self.path().join("operator.toml"), text).unwrap();
    }
}

const GRANTS: &str = "[grants]\nlog = true\nentropy = true\nclock = true\ninvocation = true\n";

#[test]
fn a_component_is_packed_signed_inspected_and_checked() {
    let desk = Desk::new();
    desk.packed();
    let signer = desk.symbolon("key author.key").text();
    let signer = signer.trim();
    desk.symbolon("sign guest.symplugin --key author.key").succeeds();
    let about = desk.symbolon("inspect guest.symplugin").text();
    for expected in ["org.example.guest 1.0.0", signer, "keystore-provider@0.1.0", "symbolon:host/entropy"] {
        assert!(about.contains(expected), "{about}");
    }
    desk.policy(&format!("signers = ['{signer}']\n{GRANTS}"));
    let fine = desk.symbolon("check guest.symplugin --policy operator.toml --probe").text();
    assert!(fine.contains("may run here, and passed the probe"), "{fine}");
}

/// What a compiler makes is packed without a tool between.
#[test]
fn a_core_module_becomes_a_component() {
    let desk = Desk::new();
    std::fs::write(desk.path().join("guest.wasm"), Guest::good().module()).unwrap();
    desk.packed();
    desk.policy(&format!("signature = 'i-accept-unsigned-plugins'\n{GRANTS}"));
    desk.symbolon("check guest.symplugin --policy operator.toml --probe").succeeds();
    std::fs::write(desk.path().join("guest.wasm"), b"\0asm\x01\0\0\0").unwrap();
    desk.symbolon("pack guest.wasm --output guest.symplugin").succeeds();
    desk.symbolon("check guest.symplugin --policy operator.toml").fails(exit::INVALID);
}

/// The plugin that the author's guide begins with.
#[test]
fn the_plugin_to_begin_with_may_run() {
    let desk = Desk::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/example");
    std::fs::copy(folder.join("plugin.toml"), desk.path().join("plugin.toml")).unwrap();
    std::fs::copy(built("symbolon_example_plugin.wasm"), desk.path().join("guest.wasm")).unwrap();
    desk.packed();
    let grants = "[grants]\nlog = true\nconfig = { endpoint = 'https://store.example' }\n";
    desk.policy(&format!("signature = 'i-accept-unsigned-plugins'\n{grants}"));
    let fine = desk.symbolon("check guest.symplugin --policy operator.toml").text();
    assert!(fine.contains("org.example.store 0.1.0 may run here"), "{fine}");
    // It has no store behind it, which is for its author to mend, and says so once.
    let none = desk.symbolon("check guest.symplugin --policy operator.toml --probe").fails(exit::INVALID);
    assert_eq!(none.matches("(algorithm.unknown)").count(), 1, "{none}");
    assert!(none.contains("mend what it names"), "{none}");
}

#[test]
fn what_a_host_would_refuse_is_refused_with_what_to_do() {
    let desk = Desk::new();
    desk.packed();
    let signer = desk.symbolon("key author.key").text();
    let signer = signer.trim();
    let check = |code| desk.symbolon("check guest.symplugin --policy operator.toml").fails(code);

    desk.policy(&format!("signers = ['{signer}']\n{GRANTS}"));
    let unsigned = check(exit::INTEGRITY);
    assert!(unsigned.contains("isn't signed") && unsigned.contains("symbolon plugin sign"), "{unsigned}");

    desk.symbolon("sign guest.symplugin --key author.key").succeeds();
    desk.policy(GRANTS);
    let stranger = check(exit::INTEGRITY);
    assert!(stranger.contains(&format!("signers = [\"{signer}\"]")), "{stranger}");

    desk.policy(&format!("signers = ['{signer}']\n{}", GRANTS.replace("entropy = true\n", "")));
    let wider = check(exit::DENIED);
    assert!(wider.contains("symbolon:host/entropy") && wider.contains("[grants] entropy = true"), "{wider}");

    let path = desk.path().join("guest.symplugin");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() / 2;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    desk.policy(&format!("signers = ['{signer}']\n{GRANTS}"));
    let altered = check(exit::INTEGRITY);
    assert!(
        altered.contains("was changed after it was signed") && altered.contains("don't use this file"),
        "{altered}"
    );

    std::fs::write(&path, &bytes[..last]).unwrap();
    assert!(check(exit::INVALID).contains("damaged"));
    std::fs::copy(desk.path().join("guest.wasm"), &path).unwrap();
    assert!(check(exit::INVALID).contains("symbolon plugin pack"));
}

#[test]
fn frozen_randomness_is_found() {
    let desk = Desk::new();
    let frozen = "(call $ok) (i32.store (i32.const 20) (call $new (i32.const 1024))) (i32.const 16)";
    let guest = Guest::good().body("provider#generate", frozen);
    std::fs::write(desk.path().join("guest.wasm"), guest.component()).unwrap();
    desk.packed();
    desk.policy(&format!("signature = 'i-accept-unsigned-plugins'\n{GRANTS}"));
    desk.symbolon("check guest.symplugin --policy operator.toml").succeeds();
    let found = desk.symbolon("check guest.symplugin --policy operator.toml --probe").fails(exit::INVALID);
    assert!(found.contains("randomness is frozen"), "{found}");
}
