//! Whether a component may be compiled: what it imports is held against its grants, what it exports against its world.

use std::collections::BTreeSet;

use crate::capability::log::line;
use crate::grants::{Capability, Granted};
use crate::limits::Limits;
use crate::manifest::World;
use crate::refusal::Refusal;
use crate::structure::{Outline, outline};
use crate::verdict::Slice;
use crate::version::Version;

/// Of all packages in `wit/`.
pub const CONTRACT: Version = Version { major: 0, minor: 1, patch: 0 };

/// The one world of keystores; `-full` says no more than which slices there are.
const WORLDS: [&str; 2] = ["symbolon:plugin/keystore-provider", "symbolon:plugin/keystore-provider-full"];

/// What every keystore exports.
const PROVIDER: &str = "symbolon:keystore/provider";

/// Interfaces that hold types only. They reach nothing, so they need no grant.
const VOCABULARY: [&str; 4] =
    ["symbolon:types/errors", "symbolon:types/values", "symbolon:types/secrets", "symbolon:keystore/types"];

/// A component that may be compiled, and the slices that it has. Made by [`admit`] only.
#[derive(Debug)]
pub struct Admitted<'c> {
    component: &'c [u8],
    offers: BTreeSet<Slice>,
}

impl<'c> Admitted<'c> {
    pub const fn component(&self) -> &'c [u8] {
        self.component
    }

    pub fn into_offers(self) -> BTreeSet<Slice> {
        self.offers
    }
}

/// Checks the component, of which nothing is compiled yet.
pub fn admit<'c>(
    component: &'c [u8],
    world: &World,
    granted: &Granted,
    limits: &Limits,
) -> Result<Admitted<'c>, Refusal> {
    let world_name = known(world)?;
    let outline = outline(component, limits)?;
    outline.imports.iter().try_for_each(|import| may_import(import, granted))?;
    let offers = exports(&outline, world_name)?;
    Ok(Admitted { component, offers })
}

fn known(world: &World) -> Result<&'static str, Refusal> {
    let Some(name) = WORLDS.into_iter().find(|name| *name == world.name) else {
        return Err(Refusal::UnknownWorld { world: line(&world.name, 100) });
    };
    same_contract(name, world.version)?;
    Ok(name)
}

fn same_contract(what: &str, wanted: Version) -> Result<(), Refusal> {
    if CONTRACT.works_with(wanted) {
        return Ok(());
    }
    Err(Refusal::WrongVersion { what: what.into(), wanted, has: CONTRACT })
}

fn may_import(import: &str, granted: &Granted) -> Result<(), Refusal> {
    let unknown = || Refusal::UnknownImport { name: import.into() };
    let (name, version) = import.split_once('@').ok_or_else(unknown)?;
    let capability = Capability::ALL.into_iter().find(|capability| capability.interface() == name);
    if capability.is_none() && !VOCABULARY.contains(&name) {
        return Err(unknown());
    }
    same_contract(name, version.parse().map_err(|_| unknown())?)?;
    match capability {
        Some(capability) if !granted.has(capability) => Err(Refusal::NotGranted { capability }),
        _ => Ok(()),
    }
}

/// The slices that it has. Exports that the contract doesn't know are never called.
fn exports(outline: &Outline, world: &'static str) -> Result<BTreeSet<Slice>, Refusal> {
    if !exported(outline, PROVIDER)? {
        return Err(Refusal::WrongWorld { world, missing: PROVIDER });
    }
    let mut offers = BTreeSet::new();
    for slice in Slice::ALL {
        if exported(outline, slice.interface())? {
            offers.insert(slice);
        }
    }
    Ok(offers)
}

fn exported(outline: &Outline, interface: &str) -> Result<bool, Refusal> {
    let version = outline.exports.iter().find_map(|export| export.strip_prefix(interface)?.strip_prefix('@'));
    let Some(version) = version else { return Ok(false) };
    let wanted = version.parse().map_err(|_| Refusal::Malformed("an export has no version".into()))?;
    same_contract(interface, wanted)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(text: &str) -> Granted {
        let asked = toml::from_str(text).unwrap();
        let given = toml::from_str("log = true\nentropy = true").unwrap();
        Granted::between(&asked, &given, &crate::grants::tests::broker()).unwrap()
    }

    #[test]
    fn an_import_needs_its_grant() {
        let log = granted("log = true");
        assert!(may_import("symbolon:host/log@0.1.0", &log).is_ok());
        assert!(may_import("symbolon:types/secrets@0.1.0", &log).is_ok());
        assert!(matches!(
            may_import("symbolon:host/entropy@0.1.0", &log),
            Err(Refusal::NotGranted { capability: Capability::Entropy })
        ));
    }

    #[test]
    fn an_import_of_another_contract_is_refused() {
        let log = granted("log = true");
        assert!(may_import("symbolon:host/log@0.1.7", &log).is_ok());
        for wrong in ["symbolon:host/log@0.2.0", "symbolon:host/log@1.0.0"] {
            assert!(matches!(may_import(wrong, &log), Err(Refusal::WrongVersion { .. })), "{wrong}");
        }
        for unknown in [
            "symbolon:host/log",
            "symbolon:host/http@0.1.0",
            "wasi:io/poll@0.2.0",
            "log",
            "symbolon:host/log@x",
        ] {
            assert!(matches!(may_import(unknown, &log), Err(Refusal::UnknownImport { .. })), "{unknown}");
        }
    }

    #[test]
    fn only_known_worlds_are_run() {
        let world = |text: &str| known(&text.parse().unwrap());
        assert!(world("symbolon:plugin/keystore-provider@0.1.4").is_ok());
        assert!(matches!(
            world("symbolon:plugin/keystore-provider@0.2.0"),
            Err(Refusal::WrongVersion { .. })
        ));
        assert!(matches!(world("symbolon:plugin/storage-front@0.1.0"), Err(Refusal::UnknownWorld { .. })));
    }
}
