//! The operator's own policy, in Cedar. It decides after the owner's grants and can only take away from them.

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, ParseErrors,
    PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};
use symbolon_fragments::names::{AccountId, KeyId, Thumbprint};
use symbolon_trust::Seconds;

const SCHEMA: &str = include_str!("policy.cedarschema");
const DEFAULT: &str = include_str!("default.cedar");

/// Why a policy file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It can't be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// It isn't Cedar.
    #[error("{} is not a Cedar policy", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: Box<ParseErrors>,
    },
    /// It speaks about what there isn't.
    #[error("{} does not fit the schema: {faults}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        faults: String,
    },
}

/// The operator's policy forbids it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operator's policy does not allow to {action}")]
pub(crate) struct PolicyDenied {
    action: Action,
}

/// The operator's policies: one for all accounts, and some accounts' own.
pub(crate) struct Policies {
    authorizer: Authorizer,
    general: PolicySet,
    own: HashMap<AccountId, PolicySet>,
}

/// What a policy decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Encrypt,
    Decrypt,
    Sign,
    Create,
    Label,
    Relay,
    Refresh,
    Audit,
}

impl Action {
    const fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::Sign => "sign",
            Self::Create => "create",
            Self::Label => "label",
            Self::Relay => "relay",
            Self::Refresh => "refresh",
            Self::Audit => "audit",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A key, as a policy sees it.
pub(crate) struct KeyFacts<'a> {
    pub(crate) key: &'a KeyId,
    pub(crate) version: u64,
    pub(crate) purpose: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) customer_fragment: bool,
    pub(crate) labels: &'a BTreeMap<String, String>,
}

/// Who asks, when, by which right.
pub(crate) struct Circumstances<'a> {
    pub(crate) holder: Thumbprint,
    pub(crate) time: Seconds,
    pub(crate) grant: u64,
    pub(crate) on_behalf_of: Option<&'a str>,
}

impl Policies {
    /// The policies in these files; without a general one, everything that is granted is allowed.
    pub(crate) fn read(general: Option<&Path>, own: &[(AccountId, PathBuf)]) -> Result<Self, PolicyError> {
        let general = match general {
            Some(path) => read(path)?,
            None => parse(DEFAULT, Path::new("default.cedar"))?,
        };
        let own = own.iter().map(|(account, path)| Ok((*account, read(path)?))).collect::<Result<_, _>>()?;
        Ok(Self { authorizer: Authorizer::new(), general, own })
    }

    /// Decides about a key.
    pub(crate) fn check_key(
        &self,
        account: AccountId,
        action: Action,
        facts: &KeyFacts<'_>,
        circumstances: &Circumstances<'_>,
    ) -> Result<(), PolicyDenied> {
        let mut context =
            vec![("time".into(), long(circumstances.time.0)), ("grant".into(), long(circumstances.grant))];
        let on_behalf_of =
            circumstances.on_behalf_of.map(|name| RestrictedExpression::new_string(name.into()));
        context.extend(on_behalf_of.map(|name| ("on_behalf_of".into(), name)));
        self.check(
            account,
            action,
            circumstances.holder,
            uid("Key", facts.key.as_str()),
            context,
            entities(facts),
        )
    }

    /// Decides about the account as a whole.
    pub(crate) fn check_account(
        &self,
        account: AccountId,
        action: Action,
        holder: Thumbprint,
        time: Seconds,
    ) -> Result<(), PolicyDenied> {
        let resource = uid("Account", &account.to_string());
        let context = vec![("time".into(), long(time.0))];
        self.check(account, action, holder, resource, context, Vec::new())
    }

    fn check(
        &self,
        account: AccountId,
        action: Action,
        holder: Thumbprint,
        resource: EntityUid,
        context: Vec<(String, RestrictedExpression)>,
        entities: Vec<Entity>,
    ) -> Result<(), PolicyDenied> {
        let denied = PolicyDenied { action };
        let principal = uid("Holder", &holder.to_string());
        let context = Context::from_pairs(context).map_err(|_| denied.clone())?;
        let request = Request::new(principal, uid("Action", action.name()), resource, context, None);
        let request = request.map_err(|_| denied.clone())?;
        let entities = Entities::from_entities(entities, None).map_err(|_| denied.clone())?;
        let policies = self.own.get(&account).unwrap_or(&self.general);
        let response = self.authorizer.is_authorized(&request, policies, &entities);
        // Cedar leaves out a policy that can't be evaluated. It may have been the one that forbids.
        let evaluated = response.diagnostics().errors().next().is_none();
        match response.decision() {
            Decision::Allow if evaluated => Ok(()),
            Decision::Allow | Decision::Deny => Err(denied),
        }
    }
}

/// The key and the paths above it.
fn entities(facts: &KeyFacts<'_>) -> Vec<Entity> {
    let mut above: Vec<EntityUid> = Vec::new();
    let mut entities = Vec::new();
    for (end, _) in facts.key.as_str().match_indices('/') {
        let path = uid("Path", &facts.key.as_str()[..end]);
        entities.push(Entity::new_no_attrs(path.clone(), above.last().cloned().into_iter().collect()));
        above.push(path);
    }
    let text = |text: &str| RestrictedExpression::new_string(text.into());
    let attributes = [
        ("tenant".to_owned(), text(facts.key.tenant())),
        ("purpose".to_owned(), text(facts.purpose)),
        ("kind".to_owned(), text(facts.kind)),
        ("customer_fragment".to_owned(), RestrictedExpression::new_bool(facts.customer_fragment)),
        ("version".to_owned(), long(facts.version)),
    ];
    let tags = facts.labels.iter().map(|(name, value)| (name.clone(), text(value)));
    let key = Entity::new_with_tags(uid("Key", facts.key.as_str()), attributes, above.last().cloned(), tags);
    // Texts, numbers and truth values are values already: there is nothing in them that could fail to evaluate.
    entities.extend(key);
    entities
}

fn long(number: u64) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::try_from(number).unwrap_or(i64::MAX))
}

fn uid(kind: &str, id: &str) -> EntityUid {
    let kind =
        EntityTypeName::from_str(&format!("Symbolon::{kind}")).expect("the schema's names are well formed");
    EntityUid::from_type_name_and_id(kind, EntityId::new(id))
}

fn read(path: &Path) -> Result<PolicySet, PolicyError> {
    let text = fs::read_to_string(path).map_err(|cause| PolicyError::File { path: path.into(), cause })?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<PolicySet, PolicyError> {
    let policies = PolicySet::from_str(text)
        .map_err(|cause| PolicyError::Syntax { path: path.into(), cause: Box::new(cause) })?;
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).expect("the schema is Cedar");
    let verdict = Validator::new(schema).validate(&policies, ValidationMode::default());
    if verdict.validation_passed() {
        return Ok(policies);
    }
    let faults = verdict.validation_errors().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Err(PolicyError::Schema { path: path.into(), faults })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    const ACCOUNT: AccountId = AccountId::new([1; 32]);
    const HOLDER: Thumbprint = Thumbprint::new([2; 32]);
    static LABELS: LazyLock<BTreeMap<String, String>> =
        LazyLock::new(|| BTreeMap::from([("env".to_owned(), "prod".to_owned())]));

    fn policies(text: &str) -> Result<Policies, PolicyError> {
        let general = parse(text, Path::new("test.cedar"))?;
        Ok(Policies { authorizer: Authorizer::new(), general, own: HashMap::new() })
    }

    fn decide(policies: &Policies, key: &str, action: Action, on_behalf_of: Option<&str>) -> bool {
        let key: KeyId = key.parse().unwrap();
        let (version, purpose, kind) = (1, "data", "dedicated");
        let facts = KeyFacts { key: &key, version, purpose, kind, customer_fragment: false, labels: &LABELS };
        let circumstances = Circumstances { holder: HOLDER, time: Seconds(5), grant: 1, on_behalf_of };
        policies.check_key(ACCOUNT, action, &facts, &circumstances).is_ok()
    }

    #[test]
    fn the_default_allows_what_is_granted() {
        let policies = Policies::read(None, &[]).unwrap();
        assert!(decide(&policies, "shop/orders", Action::Decrypt, Some("till-7")));
        policies.check_account(ACCOUNT, Action::Relay, HOLDER, Seconds(5)).unwrap();
    }

    #[test]
    fn a_policy_sees_paths_labels_purpose_and_whom_it_is_for() {
        let policies = policies(
            r#"permit (principal, action == Symbolon::Action::"decrypt", resource in Symbolon::Path::"shop/eu")
                 when { resource.hasTag("env") && resource.getTag("env") == "prod" && resource.purpose == "data" };
               forbid (principal, action == Symbolon::Action::"decrypt", resource)
                 when { context has on_behalf_of && context.on_behalf_of == "intern" };"#,
        )
        .unwrap();
        assert!(decide(&policies, "shop/eu/orders", Action::Decrypt, None));
        assert!(decide(&policies, "shop/eu/a/b", Action::Decrypt, Some("till-7")));
        assert!(!decide(&policies, "shop/eu/orders", Action::Decrypt, Some("intern")));
        assert!(!decide(&policies, "shop/us/orders", Action::Decrypt, None));
        assert!(!decide(&policies, "shop/eu/orders", Action::Encrypt, None));
    }

    #[test]
    fn a_policy_names_its_holder_as_people_see_it() {
        let text = format!(r#"permit (principal == Symbolon::Holder::"{HOLDER}", action, resource);"#);
        assert!(decide(&policies(&text).unwrap(), "a", Action::Create, None));
        let other = Thumbprint::new([3; 32]);
        let text = format!(r#"permit (principal == Symbolon::Holder::"{other}", action, resource);"#);
        assert!(!decide(&policies(&text).unwrap(), "a", Action::Create, None));
    }

    #[test]
    fn a_policy_that_cannot_be_evaluated_lets_nothing_through() {
        let overflowing = policies(
            "permit (principal, action, resource);
             forbid (principal, action, resource) when { context.time * 9223372036854775807 > 0 };",
        )
        .unwrap();
        assert!(!decide(&overflowing, "shop/orders", Action::Decrypt, None));
    }

    #[test]
    fn a_policy_about_what_there_is_not_is_refused_at_start() {
        let typo = policies("permit (principal, action, resource) when { resource.porpose == \"data\" };");
        assert!(matches!(typo, Err(PolicyError::Schema { .. })));
        assert!(matches!(policies("permit (principal"), Err(PolicyError::Syntax { .. })));
    }
}
