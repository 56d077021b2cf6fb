//! The contracts of `wit/` against the releases of them: what was released is not broken, and breaking it is noticed.

use symbolon_guests::contract::{Sources, current, released};
use wit_component::semver_check;
use wit_parser::{Resolve, WorldId};

/// The widest world: it names every interface there is.
const FULL: &str = "keystore-provider-full";

/// Whether what is built for `old` goes on working with `new`, which has the same or a newer version.
fn compatible(old: &Sources, new: &Sources) -> bool {
    let mut resolve = Resolve::default();
    // The check doesn't look at versions, but no two packages may have the same.
    let old = full(&mut resolve, &old.clone().renumbered("0.0.1"));
    let new = full(&mut resolve, new);
    semver_check(resolve, old, new).is_ok()
}

fn full(resolve: &mut Resolve, sources: &Sources) -> WorldId {
    sources.push(resolve);
    let package = resolve.packages.iter().rfind(|(_, package)| package.name.name == "plugin");
    let (_, package) = package.expect("the worlds were pushed");
    package.worlds[FULL]
}

/// A released version stays as it was, and later ones of its line only add what plugins import.
#[test]
fn releases_are_kept() {
    let now = current();
    let line = |version: &str| version.rsplit_once('.').map(|(line, _)| line.to_owned());
    let releases = released();
    assert!(!releases.is_empty());
    for release in &releases {
        if release.version() == now.version() {
            assert!(compatible(release, &now) && compatible(&now, release), "{} was changed", now.version());
        } else if line(release.version()) == line(now.version()) {
            assert!(compatible(release, &now), "{} breaks plugins for {}", now.version(), release.version());
        }
    }
}

#[test]
fn additions_to_what_plugins_import_break_nothing() {
    let next = current().renumbered("0.1.1");
    let additions = [
        ("wall-now: func() -> u64;", "wall-now: func() -> u64; zone: func() -> string;"),
        ("interface clock {", "interface calendar { today: func() -> string; }\ninterface clock {"),
        ("tenant: func() -> string;", "tenant: func() -> string; depth: func() -> u32;"),
    ];
    for (from, to) in additions {
        let next = next.clone().changed(from, to);
        assert!(compatible(&current(), &next), "{to}");
        assert!(
            !compatible(&next, &current()) || to.starts_with("interface"),
            "{to}: going back is no addition"
        );
    }
}

/// Each of these looks harmless, and would refuse every plugin that is out there.
#[test]
fn breaking_changes_are_noticed() {
    let changes = [
        (
            "a case more in an enumeration",
            "        internal,\n        /// None",
            "        internal, busy,\n        /// None",
        ),
        ("a case more in a variant", "boolean(bool),", "boolean(bool), real(f64),"),
        ("a field more in a record", "reason: string,", "reason: string, code: u32,"),
        ("a field less in a record", "retry-after-ms: option<u32>,", ""),
        (
            "a function more in an exported interface",
            "check-config: func()",
            "reload: func();\n    check-config: func()",
        ),
        ("an imported function less", "wall-now: func() -> u64;", ""),
        ("an imported interface less", "import symbolon:host/clock@0.1.1;", ""),
        ("another result", "size: func() -> u32;", "size: func() -> u64;"),
        ("another parameter", "fill: func(len: u32)", "fill: func(len: u64)"),
        ("another name", "fill: func(len: u32)", "random: func(len: u32)"),
        ("a slice less in the world", "export symbolon:keystore/signing@0.1.1;", ""),
    ];
    for (what, from, to) in changes {
        let next = current().renumbered("0.1.1").changed(from, to);
        let broken = !compatible(&current(), &next) || !compatible(&next, &current());
        assert!(broken, "{what}");
        // A world that exports less is fine for plugins, but not for what hosts expect of them: both ways are looked at.
        if what != "a slice less in the world" {
            assert!(!compatible(&current(), &next), "{what}");
        }
    }
}
