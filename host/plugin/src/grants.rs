//! Grants: the manifest asks, the operator's file gives, and what both have holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use crate::refusal::{Refusal, Wider};

/// An interface of `symbolon:host`, and thus a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Lines in the operator's log.
    Log,
    /// The time.
    Clock,
    /// Randomness.
    Entropy,
    /// About the call that is running.
    Invocation,
    /// The plugin's settings.
    Config,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Log, Self::Clock, Self::Entropy, Self::Invocation, Self::Config];

    /// The interface's name in `wit/`, without its version.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Log => "symbolon:host/log",
            Self::Clock => "symbolon:host/clock",
            Self::Entropy => "symbolon:host/entropy",
            Self::Invocation => "symbolon:host/invocation",
            Self::Config => "symbolon:host/config",
        }
    }

    /// How a manifest asks for it.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Log => "log = true",
            Self::Clock => "clock = true",
            Self::Entropy => "entropy = true",
            Self::Invocation => "invocation = true",
            Self::Config => "config = [\"name-of-a-setting\"]",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.interface())
    }
}

/// What a manifest asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Asked {
    /// Lines in the operator's log.
    pub log: bool,
    /// The time.
    pub clock: bool,
    /// Randomness.
    pub entropy: bool,
    /// About the call that is running.
    pub invocation: bool,
    /// Names of the settings that it reads. An operator may leave any of them out.
    pub config: BTreeSet<String>,
}

/// What an operator gives.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Given {
    /// Lines in the operator's log.
    pub log: bool,
    /// The time.
    pub clock: bool,
    /// Randomness.
    pub entropy: bool,
    /// About the call that is running.
    pub invocation: bool,
    /// The plugin's settings. A name that the manifest doesn't have is refused: it may be misspelled.
    pub config: BTreeMap<String, Setting>,
}

/// A setting's value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// What holds: asked for and given.
#[derive(Clone, Debug)]
pub struct Granted {
    capabilities: BTreeSet<Capability>,
    pub(crate) settings: BTreeMap<String, Setting>,
}

impl Granted {
    /// What both have. A wish that isn't given is a refusal: the plugin would only fail later.
    pub fn between(asked: &Asked, given: &Given) -> Result<Self, Refusal> {
        let switches = [
            (Capability::Log, asked.log, given.log),
            (Capability::Clock, asked.clock, given.clock),
            (Capability::Entropy, asked.entropy, given.entropy),
            (Capability::Invocation, asked.invocation, given.invocation),
            // Its own settings are no power over anything, so the wish is enough.
            (Capability::Config, !asked.config.is_empty(), true),
        ];
        let mut capabilities = BTreeSet::new();
        for (capability, _, given) in switches.into_iter().filter(|(_, asked, _)| *asked) {
            if !given {
                return Err(wider(capability).into());
            }
            capabilities.insert(capability);
        }
        if let Some(name) = given.config.keys().find(|name| !asked.config.contains(*name)) {
            return Err(Refusal::UnknownSetting { name: name.clone() });
        }
        Ok(Self { capabilities, settings: given.config.clone() })
    }

    /// Whether the component may import this.
    pub fn has(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }
}

fn wider(capability: Capability) -> Wider {
    Wider { wish: capability.to_string(), line: format!("[grants] {}", capability.example()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(asked: &str, given: &str) -> Result<Granted, Refusal> {
        Granted::between(&toml::from_str(asked).unwrap(), &toml::from_str(given).unwrap())
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let granted = between("", "log = true\nclock = true\nentropy = true\ninvocation = true").unwrap();
        assert!(Capability::ALL.into_iter().all(|capability| !granted.has(capability)));
    }

    #[test]
    fn what_is_asked_and_given_holds() {
        let granted = between("log = true\nconfig = ['a', 'b']", "log = true\nclock = true\nconfig = { a = 1 }").unwrap();
        let held: Vec<_> = Capability::ALL.into_iter().filter(|capability| granted.has(*capability)).collect();
        assert_eq!(held, [Capability::Log, Capability::Config]);
        assert_eq!(granted.settings.get("a"), Some(&Setting::Integer(1)));
    }

    #[test]
    fn a_wish_that_is_not_given_is_refused_with_the_line_that_gives_it() {
        let refusal = between("entropy = true", "log = true").unwrap_err();
        assert!(matches!(&refusal, Refusal::Wider(wider) if wider.wish == "symbolon:host/entropy"));
        assert!(refusal.remedy().contains("[grants] entropy = true"));
    }

    #[test]
    fn a_setting_that_the_plugin_does_not_know_is_refused() {
        assert!(matches!(
            between("config = ['label']", "config = { lable = 'x' }"),
            Err(Refusal::UnknownSetting { name }) if name == "lable"
        ));
    }
}
