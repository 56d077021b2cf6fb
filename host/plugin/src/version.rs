//! Versions of contracts, and which of them work together (wit/VERSIONING.md).

use std::fmt;
use std::str::FromStr;

/// `major.minor.patch`. No pre-releases: what is shipped has a number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Breaking changes from 1.0 on.
    pub major: u32,
    /// Breaking changes before 1.0, additions after.
    pub minor: u32,
    /// Additions before 1.0.
    pub patch: u32,
}

/// Not a version of the form `1.2.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version of the form 1.2.3")]
pub struct WrongVersion;

impl Version {
    /// Whether components for one work with the other: the same major, and before 1.0 the same minor.
    ///
    /// The patch may be newer on either side. A component that imports a function which this host lacks is refused when
    /// it is linked.
    pub const fn works_with(self, other: Self) -> bool {
        self.major == other.major && (self.major > 0 || self.minor == other.minor)
    }
}

impl FromStr for Version {
    type Err = WrongVersion;

    fn from_str(text: &str) -> Result<Self, WrongVersion> {
        let mut parts = text.split('.').map(number);
        let mut next = || parts.next().flatten().ok_or(WrongVersion);
        let version = Self { major: next()?, minor: next()?, patch: next()? };
        if parts.next().is_some() { Err(WrongVersion) } else { Ok(version) }
    }
}

fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn only_plain_versions_are_versions() {
        assert_eq!(version("0.1.0"), Version { major: 0, minor: 1, patch: 0 });
        for wrong in
            ["", "1", "1.2", "1.2.3.4", "1.2.x", "01.2.3", "1.2.3-rc1", "+1.2.3", "1..3", "1.2.99999999999"]
        {
            assert_eq!(wrong.parse::<Version>(), Err(WrongVersion), "{wrong}");
        }
    }

    #[test]
    fn a_minor_breaks_before_one_and_not_after() {
        assert!(version("0.1.0").works_with(version("0.1.9")));
        assert!(!version("0.1.0").works_with(version("0.2.0")));
        assert!(version("1.4.0").works_with(version("1.0.3")));
        assert!(!version("1.4.0").works_with(version("2.0.0")));
    }
}
