//! One token of a grant: the manifest asks for mechanisms and attributes, the operator names the token.

use std::sync::Arc;

use serde::Deserialize;
use symbolon_pkcs11::{Allowed, Numbers, Program, Token, TokenSettings};

use crate::refusal::{Refusal, Wider};

/// What a manifest asks of one token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenWish {
    /// `CKM_*`, by name or as `0x…`.
    pub mechanisms: Numbers,
    /// `CKA_*`, by name or as `0x…`.
    pub attributes: Numbers,
}

/// What holds of one token.
#[derive(Clone)]
pub struct TokenGrant {
    pub token: Token,
    pub allowed: Arc<Allowed>,
}

impl TokenGrant {
    /// What both have. Nothing is opened yet.
    pub fn between(
        name: &str,
        wish: &TokenWish,
        given: Option<&TokenSettings>,
        broker: &Program,
    ) -> Result<Self, Refusal> {
        let settings = given.ok_or_else(|| wider(name))?;
        let asked = allowed(&wish.mechanisms, &wish.attributes)?;
        let widest = allowed(
            settings.mechanisms.as_ref().unwrap_or(&wish.mechanisms),
            settings.attributes.as_ref().unwrap_or(&wish.attributes),
        )?;
        let token = Token::new(settings.clone(), broker.clone());
        Ok(Self { token, allowed: Arc::new(asked.and(&widest)) })
    }
}

impl std::fmt::Debug for TokenGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenGrant").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

fn allowed(mechanisms: &Numbers, attributes: &Numbers) -> Result<Allowed, Refusal> {
    let unknown = |name| Refusal::UnknownNumber { name };
    Ok(Allowed {
        mechanisms: mechanisms.mechanisms().map_err(unknown)?.into_iter().collect(),
        attributes: attributes.attributes().map_err(unknown)?.into_iter().collect(),
    })
}

fn wider(name: &str) -> Wider {
    Wider {
        wish: format!("the PKCS#11 token {name:?}"),
        line: format!("[grants.pkcs11.{name}] with module, token (its label) and pin-file"),
    }
}
