//! Grants: the manifest asks, the operator's file gives, and what both have holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use crate::capability::log::line;
use symbolon_pkcs11::{Program, TokenSettings};

use crate::capability::pkcs11::{TokenGrant, TokenWish};
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
    /// PKCS#11 tokens.
    Pkcs11,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Log, Self::Clock, Self::Entropy, Self::Invocation, Self::Config, Self::Pkcs11];

    /// The interface's name in `wit/`, without its version.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Log => "symbolon:host/log",
            Self::Clock => "symbolon:host/clock",
            Self::Entropy => "symbolon:host/entropy",
            Self::Invocation => "symbolon:host/invocation",
            Self::Config => "symbolon:host/config",
            Self::Pkcs11 => "symbolon:host/pkcs11",
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
            Self::Pkcs11 => "pkcs11.main = { mechanisms = [\"CKM_…\"], attributes = [\"CKA_…\"] }",
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
#[expect(clippy::struct_excessive_bools, reason = "one switch a grant, each named in the file")]
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
    /// PKCS#11 tokens, by names of its own.
    pub pkcs11: BTreeMap<String, TokenWish>,
}

impl Asked {
    /// The wishes, one a line, for people.
    pub fn lines(&self) -> Vec<String> {
        let switches = [
            (Capability::Log, self.log),
            (Capability::Clock, self.clock),
            (Capability::Entropy, self.entropy),
            (Capability::Invocation, self.invocation),
        ];
        let mut lines: Vec<String> = switches
            .iter()
            .filter(|(_, asked)| *asked)
            .map(|(capability, _)| capability.to_string())
            .collect();
        lines.extend(self.config.iter().map(|name| format!("{} {}", Capability::Config, line(name, 64))));
        lines.extend(self.pkcs11.keys().map(|name| format!("{} {}", Capability::Pkcs11, line(name, 64))));
        lines
    }
}

/// What an operator gives.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "one switch a grant, each named in the file")]
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
    /// The tokens behind the manifest's names.
    pub pkcs11: BTreeMap<String, TokenSettings>,
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
    pub(crate) tokens: BTreeMap<String, TokenGrant>,
}

impl Granted {
    /// What both have. A wish that isn't given is a refusal: the plugin would only fail later.
    pub fn between(asked: &Asked, given: &Given, broker: &Program) -> Result<Self, Refusal> {
        let switches = [
            (Capability::Log, asked.log, given.log),
            (Capability::Clock, asked.clock, given.clock),
            (Capability::Entropy, asked.entropy, given.entropy),
            (Capability::Invocation, asked.invocation, given.invocation),
            // Its own settings are no power over anything, so the wish is enough.
            (Capability::Config, !asked.config.is_empty(), true),
            // Each token is looked at by itself.
            (Capability::Pkcs11, !asked.pkcs11.is_empty(), true),
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
        let token = |(name, wish): (&String, &TokenWish)| {
            Ok((name.clone(), TokenGrant::between(name, wish, given.pkcs11.get(name), broker)?))
        };
        let tokens = asked.pkcs11.iter().map(token).collect::<Result<_, Refusal>>()?;
        Ok(Self { capabilities, settings: given.config.clone(), tokens })
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
pub mod tests {
    use super::*;

    /// No token is opened in these tests.
    pub fn broker() -> Program {
        Program { path: "/nowhere".into(), arguments: Vec::new() }
    }

    fn between(asked: &str, given: &str) -> Result<Granted, Refusal> {
        Granted::between(&toml::from_str(asked).unwrap(), &toml::from_str(given).unwrap(), &broker())
    }

    #[test]
    fn a_token_has_what_both_allow() {
        const ASKED: &str =
            "pkcs11.main = { mechanisms = ['CKM_AES_GCM', '0x210b'], attributes = ['CKA_CLASS'] }";
        const TOKEN: &str = "pkcs11.main = { module = '/m.so', token = 't', pin-file = '/pin'";
        let all = between(ASKED, &format!("{TOKEN} }}")).unwrap();
        assert_eq!(all.tokens["main"].allowed.mechanisms, [0x1087, 0x210b].into());
        let less = between(ASKED, &format!("{TOKEN}, mechanisms = ['CKM_AES_GCM', 'CKM_ECDSA'] }}")).unwrap();
        assert_eq!(less.tokens["main"].allowed.mechanisms, [0x1087].into());
        assert!(
            matches!(between(ASKED, ""), Err(Refusal::Wider(wider)) if wider.line.contains("[grants.pkcs11.main]"))
        );
        assert!(matches!(
            between(&ASKED.replace("CKM_AES_GCM", "CKM_AES_GMC"), &format!("{TOKEN} }}")),
            Err(Refusal::UnknownNumber { name }) if name == "CKM_AES_GMC"
        ));
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let granted = between("", "log = true\nclock = true\nentropy = true\ninvocation = true").unwrap();
        assert!(Capability::ALL.into_iter().all(|capability| !granted.has(capability)));
    }

    #[test]
    fn what_is_asked_and_given_holds() {
        let granted =
            between("log = true\nconfig = ['a', 'b']", "log = true\nclock = true\nconfig = { a = 1 }")
                .unwrap();
        let held: Vec<_> =
            Capability::ALL.into_iter().filter(|capability| granted.has(*capability)).collect();
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
