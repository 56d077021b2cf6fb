//! Key ids and the patterns that grants name them by.

use alloc::{string::String, sync::Arc};
use core::{fmt, str::FromStr};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Segments in a key id, bytes in a segment, bytes in all.
const SEGMENTS: usize = 8;
const SEGMENT_BYTES: usize = 63;
const BYTES: usize = 255;

/// Text that is not a key id or pattern, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongKeyName {
    /// No text, or a segment without any (`a//b`).
    #[error("a key id has no empty segment")]
    Empty,
    /// More than 255 bytes, or a segment of more than 63.
    #[error("a key id has at most 255 characters, each segment at most 63")]
    TooLong,
    /// More than eight segments.
    #[error("a key id has at most 8 segments")]
    TooDeep,
    /// A character outside `a-z 0-9 . _ -`, or a segment that starts with one of the last three.
    #[error("a segment of a key id is made of a-z, 0-9, '.', '_', '-' and starts with a letter or a digit")]
    Character,
}

/// A key's id: a path, tenant first, never reused. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first segment: the tenant.
    pub fn tenant(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
}

impl FromStr for KeyId {
    type Err = WrongKeyName;

    fn from_str(text: &str) -> Result<Self, WrongKeyName> {
        if text.len() > BYTES {
            return Err(WrongKeyName::TooLong);
        }
        if text.split('/').count() > SEGMENTS {
            return Err(WrongKeyName::TooDeep);
        }
        text.split('/').try_for_each(check_segment)?;
        Ok(Self(text.into()))
    }
}

fn check_segment(segment: &str) -> Result<(), WrongKeyName> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let first = *segment.as_bytes().first().ok_or(WrongKeyName::Empty)?;
    if !plain(first) || !segment.bytes().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-')) {
        return Err(WrongKeyName::Character);
    }
    if segment.len() > SEGMENT_BYTES {
        return Err(WrongKeyName::TooLong);
    }
    Ok(())
}

/// Which keys a grant is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPattern {
    /// `*`: every key of the account.
    Any,
    /// A key id: that key.
    Exactly(KeyId),
    /// A key id and `/*`: every key below it, not itself.
    Below(KeyId),
}

impl KeyPattern {
    /// Whether the pattern is about this key. Prefixes are of whole segments: `shop/*` is not about `shopping/x`.
    pub fn covers(&self, key: &KeyId) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(id) => id == key,
            Self::Below(id) => {
                key.as_str().strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('/'))
            }
        }
    }
}

impl FromStr for KeyPattern {
    type Err = WrongKeyName;

    fn from_str(text: &str) -> Result<Self, WrongKeyName> {
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.strip_suffix("/*") {
            Some(id) => id.parse().map(Self::Below),
            None => text.parse().map(Self::Exactly),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.pad("*"),
            Self::Exactly(id) => id.fmt(f),
            Self::Below(id) => f.pad(&alloc::format!("{id}/*")),
        }
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.as_str().into()
    }
}

macro_rules! encoded_as_text {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.str(&alloc::string::ToString::to_string(self)).map(|_| ())
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                d.str()?.parse().map_err(|_| decode::Error::message("not a key name"))
            }
        }
    };
}

encoded_as_text!(KeyId);
encoded_as_text!(KeyPattern);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use symbolon_encoding::{from_canonical, to_canonical};

    fn key(text: &str) -> KeyId {
        text.parse().unwrap()
    }

    #[test]
    fn key_ids_are_strict() {
        let longest = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(63)].join("/");
        assert_eq!(longest.len(), 255);
        for right in ["a", "0", "acme/data", "a/b/c/d/e/f/g/h", "a.b_c-d", longest.as_str()] {
            assert_eq!(key(right).as_str(), right);
        }
        let wrong = [
            ("", WrongKeyName::Empty),
            ("/a", WrongKeyName::Empty),
            ("a/", WrongKeyName::Empty),
            ("a//b", WrongKeyName::Empty),
            ("A", WrongKeyName::Character),
            ("é", WrongKeyName::Character),
            (".a", WrongKeyName::Character),
            ("a/-b", WrongKeyName::Character),
            ("a b", WrongKeyName::Character),
            ("a\0", WrongKeyName::Character),
            ("a/*", WrongKeyName::Character),
            ("..", WrongKeyName::Character),
            ("a/b/c/d/e/f/g/h/i", WrongKeyName::TooDeep),
        ];
        for (text, error) in wrong {
            assert_eq!(text.parse::<KeyId>(), Err(error), "{text:?}");
        }
        assert_eq!("a".repeat(64).parse::<KeyId>(), Err(WrongKeyName::TooLong));
        assert_eq!((longest + "d").parse::<KeyId>(), Err(WrongKeyName::TooLong));
        assert_eq!(key("acme/data").tenant(), "acme");
    }

    #[test]
    fn patterns_cover_whole_segments() {
        let covers = |pattern: &str, id: &str| pattern.parse::<KeyPattern>().unwrap().covers(&key(id));
        assert!(covers("*", "a") && covers("a", "a") && covers("a/*", "a/b") && covers("a/*", "a/b/c"));
        assert!(!covers("a", "a/b") && !covers("a/*", "a") && !covers("a/*", "ab/c") && !covers("a/b", "a"));
        for wrong in ["/*", "**", "a*", "a/*/b", "*/a", "a/**", "*/*", ""] {
            assert!(wrong.parse::<KeyPattern>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn both_are_text_in_every_encoding() {
        for text in ["*", "a/b", "a/b/*"] {
            let pattern: KeyPattern = text.parse().unwrap();
            assert_eq!(pattern.to_string(), text);
            assert_eq!(from_canonical(&to_canonical(&pattern)), Ok(pattern.clone()));
        }
        assert_eq!(to_canonical(&key("ab")), b"\x62ab");
        assert!(from_canonical::<KeyId>(b"\x61A").is_err());
    }
}
