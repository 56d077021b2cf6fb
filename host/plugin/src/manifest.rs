//! The manifest: what a plugin says it is, and what it asks for. It comes with the component and is signed with it.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::capability::log::line;
use crate::grants::Asked;
use crate::limits::LimitsAsked;
use crate::version::Version;

/// The only form of manifests so far.
const SCHEMA: u32 = 1;

/// A manifest, read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    schema: u32,
    /// Who it is.
    pub plugin: About,
    /// What it asks for.
    #[serde(default)]
    pub grants: Asked,
    /// What its calls need, where that is less than the host's defaults.
    #[serde(default)]
    pub limits: LimitsAsked,
    /// How its instances live.
    #[serde(default)]
    pub instance: Lifetime,
}

/// Who a plugin is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct About {
    /// Reversed domain name: `io.symbolon.hsm-pkcs11`.
    pub id: String,
    /// Its own version.
    pub version: String,
    /// The world that it is built for.
    pub world: World,
    /// One line for people.
    pub summary: String,
    /// SPDX expression.
    pub license: String,
}

/// How instances live.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Lifetime {
    /// Whether an instance serves further calls of the same tenant. Else each call has a fresh one.
    pub warm: bool,
    /// After so many calls a warm instance is replaced.
    pub max_calls: u32,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self { warm: false, max_calls: 10_000 }
    }
}

/// A world's name and version: `symbolon:plugin/keystore-provider@0.1.0`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct World {
    /// Package and world.
    pub name: String,
    /// Of the package.
    pub version: Version,
}

/// Why a manifest can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, or not these fields.
    #[error("the manifest can't be read: {0}")]
    Malformed(String),
    /// Made for another host.
    #[error("the manifest has schema {0}, this host reads schema {SCHEMA}")]
    Schema(u32),
    /// A field says something impossible.
    #[error("the manifest's {field} {rule}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

impl FromStr for Manifest {
    type Err = ManifestError;

    fn from_str(text: &str) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text).map_err(|error| malformed(&error))?;
        if manifest.schema != SCHEMA {
            return Err(ManifestError::Schema(manifest.schema));
        }
        manifest.plugin.check()?;
        Ok(manifest)
    }
}

/// The parser's message without the lines that it quotes: they come from a stranger.
fn malformed(error: &toml::de::Error) -> ManifestError {
    ManifestError::Malformed(line(error.message(), 256))
}

impl About {
    fn check(&self) -> Result<(), ManifestError> {
        let rule =
            |holds: bool, field, rule| if holds { Ok(()) } else { Err(ManifestError::Field { field, rule }) };
        let name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.+".contains(&b));
        rule(
            !self.id.is_empty() && self.id.len() <= 100 && name(&self.id),
            "id",
            "is letters, digits, - and . (at most 100)",
        )?;
        rule(
            self.version.len() <= 40 && name(&self.version),
            "version",
            "is a version of at most 40 characters",
        )?;
        let plain = |text: &str, max| line(text, max) == text;
        rule(plain(&self.license, 100), "license", "is an SPDX expression of at most 100 bytes")?;
        rule(plain(&self.summary, 200), "summary", "is one line of at most 200 bytes, all of it visible")
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", line(&self.name, 100), self.version)
    }
}

impl FromStr for World {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, version) = text.split_once('@').ok_or("a world has a version: package/world@1.2.3")?;
        let version = version.parse().map_err(|_| "the world's version isn't of the form 1.2.3")?;
        Ok(Self { name: name.into(), version })
    }
}

impl TryFrom<String> for World {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"
        schema = 1
        [plugin]
        id = "org.example.luna"
        version = "1.0.0"
        world = "symbolon:plugin/keystore-provider@0.1.0"
        summary = "An example"
        license = "Apache-2.0"
    "#;

    #[test]
    fn a_manifest_asks_for_nothing_by_default() {
        let manifest: Manifest = PLAIN.parse().unwrap();
        assert_eq!(manifest.grants, Asked::default());
        assert!(!manifest.instance.warm);
        assert_eq!(manifest.plugin.world.version.to_string(), "0.1.0");
    }

    #[test]
    fn what_a_manifest_may_not_say() {
        for (from, to) in [
            ("schema = 1", "schema = 2"),
            ("@0.1.0", ""),
            ("@0.1.0", "@one"),
            ("org.example.luna", "org example"),
            ("An example", "two\\nlines"),
            ("An example", "\u{202e}elpmaxe nA"),
            ("Apache-2.0", "\\u001b[2JApache-2.0"),
            ("summary", "sumary"),
            ("[plugin]", "[plugin"),
        ] {
            assert!(PLAIN.replace(from, to).parse::<Manifest>().is_err(), "{to}");
        }
        assert!(format!("{PLAIN}\n[grants]\nhttp = true").parse::<Manifest>().is_err());
    }
}
