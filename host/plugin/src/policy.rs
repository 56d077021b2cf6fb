//! The operator's file: whose plugins may run, what they are given, what they may use.

use serde::{Deserialize, Deserializer, de};
use symbolon_trust::PublicKey;

use crate::grants::Given;
use crate::limits::LimitsAsked;

/// What an operator says of one plugin. Nothing is given by default.
///
/// ```
/// let policy: symbolon_plugin::Policy = toml::from_str(r#"
///     signers = []
///     [grants]
///     log = true
///     config = { label = "symbolon" }
///     [limits]
///     memory-mib = 8
/// "#)?;
/// assert!(policy.grants.log && !policy.grants.entropy);
/// # Ok::<_, toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Policy {
    /// Keys (`sympub1…`) of those whose plugins run here; one of them must have signed.
    #[serde(deserialize_with = "public_keys")]
    pub signers: Vec<PublicKey>,
    /// Whether a signature is needed.
    pub signature: SignatureRule,
    /// What the plugin is given. Of that it gets what its manifest asks for.
    pub grants: Given,
    /// What its calls may use at most.
    pub limits: LimitsAsked,
}

/// Whether a plugin must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureRule {
    /// By one of the operator's signers.
    #[default]
    Required,
    /// Whoever can write the file decides what runs.
    IAcceptUnsignedPlugins,
}

fn public_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PublicKey>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Result<Policy, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_signature_is_required_unless_the_file_says_otherwise() {
        assert_eq!(policy("").unwrap().signature, SignatureRule::Required);
        let without = policy("signature = 'i-accept-unsigned-plugins'").unwrap();
        assert_eq!(without.signature, SignatureRule::IAcceptUnsignedPlugins);
        for vague in ["signature = false", "signature = 'none'", "unsigned = true", "signers = ['somebody']"]
        {
            assert!(policy(vague).is_err(), "{vague}");
        }
    }
}
