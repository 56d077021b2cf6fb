//! What the guest is told to do.

use crate::bindings::symbolon::host::config;
use crate::bindings::symbolon::types::values::Value;
use crate::{handles, resources};

/// By the names of the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Keeps the contract.
    Good,
    /// Never ends.
    Loop,
    /// Never ends, and is in the host most of the time.
    Wait,
    /// Takes memory until there is none.
    Allocate,
    /// Calls itself for ever, with little and with much on the stack.
    Recurse,
    RecurseWide,
    Panic,
    /// Signs with two mebibytes.
    Giant,
    /// Logs ten thousand lines, and then signs.
    Log,
    /// Holds on to every handle that it can get: secrets, keys of its own, a token's objects.
    Secrets,
    Keys,
    Objects,
    /// Uses a handle that nobody gave it; one of another kind; one that it gave up; one that it was lent in an earlier call.
    Forged,
    Foreign,
    Dropped,
    Lent,
    /// Doesn't give back what it was lent.
    Kept,
    /// The end of a key never ends, or panics.
    DropLoops,
    DropPanics,
    /// Its keys come out of a generator that was seeded when it was built.
    Frozen,
}

const NAMES: [(&str, Behaviour); 20] = [
    ("good", Behaviour::Good),
    ("loop", Behaviour::Loop),
    ("wait", Behaviour::Wait),
    ("allocate", Behaviour::Allocate),
    ("recurse", Behaviour::Recurse),
    ("recurse-wide", Behaviour::RecurseWide),
    ("panic", Behaviour::Panic),
    ("giant", Behaviour::Giant),
    ("log", Behaviour::Log),
    ("secrets", Behaviour::Secrets),
    ("keys", Behaviour::Keys),
    ("objects", Behaviour::Objects),
    ("forged", Behaviour::Forged),
    ("foreign", Behaviour::Foreign),
    ("dropped", Behaviour::Dropped),
    ("lent", Behaviour::Lent),
    ("kept", Behaviour::Kept),
    ("drop-loops", Behaviour::DropLoops),
    ("drop-panics", Behaviour::DropPanics),
    ("frozen", Behaviour::Frozen),
];

impl Behaviour {
    /// As the setting says; a name that is none is a panic, so that no test passes by a misspelled one.
    pub fn now() -> Self {
        let Some(Value::Text(name)) = config::get("behaviour") else { return Self::Good };
        let known = NAMES.into_iter().find(|(known, _)| *known == name);
        known.expect("a behaviour").1
    }

    /// In the middle of signing, where the guest misbehaves unless it is elsewhere; gives what it signs with.
    pub fn sign(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Loop => resources::spin(),
            Self::Wait => resources::wait(),
            Self::Allocate => resources::allocate(),
            Self::Recurse => resources::recurse(),
            Self::RecurseWide => resources::recurse_wide(),
            Self::Panic => panic!("a guest that panics"),
            Self::Giant => vec![0; 2 << 20],
            Self::Log => {
                resources::log();
                message.to_vec()
            }
            Self::Secrets => handles::secrets(),
            Self::Keys => handles::keys(),
            Self::Objects => handles::objects(),
            Self::Forged => handles::forged(),
            Self::Foreign => handles::foreign(),
            Self::Dropped => handles::dropped(),
            Self::Lent => handles::use_lent(),
            Self::Good | Self::Kept | Self::DropLoops | Self::DropPanics | Self::Frozen => message.to_vec(),
        }
    }
}
