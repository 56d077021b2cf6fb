//! Context: pairs of names and values that a ciphertext is bound to but doesn't contain (specification §4.2).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use symbolon_encoding::Tuple;

/// Most pairs of a context.
pub const MAX_CONTEXT_PAIRS: usize = 64;
/// Longest name and longest value of a pair, bytes.
const MAX_NAME_LEN: usize = 255;
const MAX_VALUE_LEN: usize = 4096;

/// What a message belongs to, as its writer says it; whoever reads it must say the same. Not secret, not stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, String>);

/// A pair that a context can't take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// The name is empty or longer than 255 bytes.
    #[error("a context name has 1 to 255 bytes")]
    Name,
    /// The value is longer than 4096 bytes.
    #[error("a context value has at most 4096 bytes")]
    Value,
    /// The same name twice.
    #[error("a context name occurs twice")]
    Duplicate,
    /// More than 64 pairs.
    #[error("a context has at most 64 pairs")]
    TooMany,
}

impl Context {
    /// The empty context.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// A context of these pairs, in any order.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ContextError> {
        let mut context = Self::new();
        for (name, value) in pairs {
            context.insert(name.into(), value.into())?;
        }
        Ok(context)
    }

    /// Adds a pair.
    pub fn insert(&mut self, name: String, value: String) -> Result<(), ContextError> {
        if name.is_empty() || name.len() > MAX_NAME_LEN {
            return Err(ContextError::Name);
        }
        if value.len() > MAX_VALUE_LEN {
            return Err(ContextError::Value);
        }
        if self.0.contains_key(&name) {
            return Err(ContextError::Duplicate);
        }
        if self.0.len() == MAX_CONTEXT_PAIRS {
            return Err(ContextError::TooMany);
        }
        self.0.insert(name, value);
        Ok(())
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `T("context", [* [name, value]])`, the names ascending bytewise.
    pub fn canonical(&self) -> Vec<u8> {
        self.tuple().encode()
    }

    /// SHA-256 over [`Context::canonical`]: what goes into the derivation of a message's key.
    pub fn hash(&self) -> [u8; 32] {
        self.tuple().sha256()
    }

    fn tuple(&self) -> Tuple {
        Tuple::new("context").value(&self.0.iter().collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn order_of_insertion_does_not_matter() {
        let one = Context::from_pairs([("b", "1"), ("a", "2"), ("aa", "3")]).unwrap();
        let other = Context::from_pairs([("aa", "3"), ("a", "2"), ("b", "1")]).unwrap();
        assert_eq!(one.canonical(), other.canonical());
        assert_eq!(
            one.canonical(),
            b"\x82\x73symbolon/v1/context\x83\x82\x61a\x612\x82\x62aa\x613\x82\x61b\x611"
        );
    }

    #[test]
    fn pairs_do_not_run_into_each_other() {
        let hash = |name: &str, value: &str| Context::from_pairs([(name, value)]).unwrap().hash();
        assert_ne!(hash("ab", "c"), hash("a", "bc"));
        assert_ne!(Context::new().hash(), hash("a", ""));
    }

    #[test]
    fn contexts_are_bounded() {
        let pair = |name: usize, value: usize| [("n".repeat(name), "v".repeat(value))];
        assert!(Context::from_pairs(pair(255, 4096)).is_ok());
        assert_eq!(Context::from_pairs(pair(0, 0)), Err(ContextError::Name));
        assert_eq!(Context::from_pairs(pair(256, 0)), Err(ContextError::Name));
        assert_eq!(Context::from_pairs(pair(1, 4097)), Err(ContextError::Value));
        assert_eq!(Context::from_pairs([("a", "1"), ("a", "1")]), Err(ContextError::Duplicate));
        let many = |count| Context::from_pairs((0..count).map(|i| (format!("{i}"), "")));
        assert_eq!(many(64).unwrap().len(), 64);
        assert_eq!(many(65), Err(ContextError::TooMany));
    }
}
