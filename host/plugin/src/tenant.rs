//! On whose behalf a call is made.

use std::fmt;
use std::sync::Arc;

/// The longest name, bytes.
const MAX: usize = 256;

/// A tenant's name; for a driver, the account. An instance of a plugin serves one tenant in its whole life.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tenant(Arc<str>);

/// The name is empty, longer than 256 bytes, or has control characters in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1 to 256 bytes and no control characters")]
pub struct WrongTenant;

impl Tenant {
    /// A tenant of this name.
    pub fn new(name: &str) -> Result<Self, WrongTenant> {
        if name.is_empty() || name.len() > MAX || name.chars().any(char::is_control) {
            return Err(WrongTenant);
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
