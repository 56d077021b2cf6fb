//! Pairs on the command line, `NAME=VALUE`: contexts and labels.

use symbolon_client::ContextError;

use super::{Failure, Kind};

/// One pair.
pub fn parse(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("a pair is written NAME=VALUE")?;
    if name.is_empty() {
        Err("the name before = is missing")
    } else {
        Ok((name.to_owned(), value.to_owned()))
    }
}

/// What a ciphertext is bound to.
pub fn context(pairs: Vec<(String, String)>) -> Result<symbolon_client::Context, Failure> {
    symbolon_client::Context::from_pairs(pairs)
        .map_err(|error: ContextError| Failure::new(Kind::Invalid, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_be_empty_or_contain_the_sign_and_a_name_may_not() {
        assert_eq!(parse("album=2026"), Ok(("album".to_owned(), "2026".to_owned())));
        assert_eq!(parse("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(parse("a="), Ok(("a".to_owned(), String::new())));
        assert!(parse("=a").is_err());
        assert!(parse("album").is_err());
    }
}
