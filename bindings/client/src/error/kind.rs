//! Whose move it is after an error: the few sorts that every language's exceptions have.

use super::{Error, Unavailable};
use std::error::Error as _;
use std::time::Duration;

/// The sort of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The caller may not: ask the account's owner.
    Denied,
    /// There is no such thing: check the name.
    NotFound,
    /// The state of things doesn't allow it: look, then decide.
    Conflict,
    /// The call itself is wrong: mend it.
    Invalid,
    /// Something isn't what it claims to be: don't try again.
    Integrity,
    /// It can't be done now: try again.
    Unavailable,
    /// A fault in this program, or in a server: report it.
    Bug,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Denied,
        Self::NotFound,
        Self::Conflict,
        Self::Invalid,
        Self::Integrity,
        Self::Unavailable,
        Self::Bug,
    ];

    /// The kind's word, the same in every language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Integrity => "integrity",
            Self::Unavailable => "unavailable",
            Self::Bug => "bug",
        }
    }
}

impl Error {
    /// Whose move it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Denied(_) => Kind::Denied,
            Self::NotFound(_) => Kind::NotFound,
            Self::Conflict(_) => Kind::Conflict,
            Self::Invalid(_) => Kind::Invalid,
            Self::Integrity(_) => Kind::Integrity,
            Self::Unavailable { .. } => Kind::Unavailable,
            Self::Bug(_) => Kind::Bug,
        }
    }

    /// When to try again, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What happened and why, on one line. Managers that can't be used are named, each with its reason.
    pub fn detail(&self) -> String {
        let mut detail = String::new();
        let mut cause = self.source();
        while let Some(error) = cause {
            let separator = if detail.is_empty() { "" } else { ": " };
            detail = format!("{detail}{separator}{error}");
            cause = error.source();
        }
        if let Self::Unavailable { cause: Unavailable::TooFewManagers { down, .. }, .. } = self {
            let named: Vec<_> = down.iter().map(ToString::to_string).collect();
            detail = format!("{detail} ({})", named.join("; "));
        }
        detail
    }
}
