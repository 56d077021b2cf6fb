//! The plugin's settings, as the operator wrote them.

use crate::bindings::symbolon::host::config;
use crate::bindings::symbolon::types::values::Value;
use crate::failure::{Result, invalid};

/// All settings, with their defaults.
pub struct Settings {
    /// The token's name in the grant.
    pub token: String,
    /// What the labels of the HSM's own keys start with.
    pub label: String,
    /// How many unwrapped keys may stay in the session.
    pub cache: usize,
}

/// On some modules an unwrap costs 16 times what a signature does.
const CACHE: usize = 64;
/// Each costs the session an object and the host a handle.
const LARGEST_CACHE: i64 = 96;

impl Settings {
    pub fn read() -> Result<Self> {
        Ok(Self {
            token: text("token")?.unwrap_or_else(|| "main".into()),
            label: text("label")?.unwrap_or_else(|| "symbolon".into()),
            cache: cache()?,
        })
    }
}

fn text(key: &str) -> Result<Option<String>> {
    match config::get(key) {
        None => Ok(None),
        Some(Value::Text(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(invalid("config.value", format!("`{key}` has to be a text"))),
    }
}

fn cache() -> Result<usize> {
    match config::get("cache") {
        None => Ok(CACHE),
        Some(Value::Integer(cache @ 0..=LARGEST_CACHE)) => Ok(usize::try_from(cache).unwrap_or(CACHE)),
        Some(_) => {
            Err(invalid("config.value", format!("`cache` has to be a number from 0 to {LARGEST_CACHE}")))
        }
    }
}
