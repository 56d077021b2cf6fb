//! Steps that manage keys.

use crate::scenario::{Action, Step};
use crate::value::Text;
use crate::{Outcome, Place};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use symbolon_client::keys::{KeyInfo, Members, NewKey, RootOfKey};
use symbolon_client::{Client, Error};
use symbolon_fragments::SuiteId;
use symbolon_fragments::names::Purpose;
use symbolon_protocol::api::KeyQuery;
use symbolon_trust::KeyKind;

/// A key that a step makes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Wanted {
    key: Text,
    #[serde(default = "two")]
    threshold: u16,
    #[serde(default = "three")]
    of: u16,
    #[serde(default)]
    suite: Suite,
    #[serde(default = "data")]
    purpose: String,
    #[serde(default)]
    customer_fragment: bool,
    #[serde(default)]
    shared: bool,
    on: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    expect: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Suite {
    #[default]
    Ristretto255,
    P256,
}

const fn two() -> u16 {
    2
}

const fn three() -> u16 {
    3
}

fn data() -> String {
    "data".to_owned()
}

pub(crate) fn act(place: &mut Place, step: &Step) -> Outcome {
    let client = place.client(&step.by);
    match &step.action {
        Action::CreateKey(wanted) => {
            let info = place.wait(client.keys().create(&wanted.new_key(place)?))?;
            check(&info, wanted.expect.as_ref(), step);
        }
        Action::RotateKey { key, expect } => {
            let info = place.wait(client.keys().rotate(&key.get(place).parse()?))?;
            check(&info, expect.as_ref(), step);
        }
        Action::ShowKey { key, expect } => {
            let info = place.wait(client.keys().show(&key.get(place).parse()?))?;
            check(&info, expect.as_ref(), step);
        }
        Action::ListKeys { below, expect } => {
            let listed = place.wait(list(&client, below))?;
            assert_eq!(listed, *expect, "{step:?}");
        }
        Action::LabelKey { key, set, remove, expect } => {
            let set = set.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
            let labels = set.chain(remove.iter().map(|name| (name.clone(), None))).collect();
            let labelled = place.wait(client.keys().label(&key.get(place).parse()?, labels))?;
            assert_eq!(json!(labelled.summary.labels), json!(expect), "{step:?}");
        }
        other => unreachable!("{other:?} is no step of keys"),
    }
    Ok(())
}

impl Wanted {
    fn new_key(&self, place: &Place) -> Result<NewKey, Error> {
        let root = match (&self.on, self.shared) {
            (Some(key), _) => RootOfKey::SharedWith(key.parse()?),
            (None, true) => RootOfKey::NewShared,
            (None, false) => RootOfKey::Dedicated,
        };
        Ok(NewKey {
            key: self.key.get(place).parse()?,
            suite: match self.suite {
                Suite::Ristretto255 => SuiteId::Ristretto255Sha512,
                Suite::P256 => SuiteId::P256Sha256,
            },
            t: self.threshold,
            members: Members::Any(self.of),
            purpose: self.purpose.parse::<Purpose>().expect("a purpose"),
            customer_fragment: self.customer_fragment,
            root,
            labels: self.labels.clone(),
        })
    }
}

async fn list(client: &Client, below: &str) -> Result<Vec<String>, Error> {
    let query = KeyQuery { below: Some(below.to_owned()), ..KeyQuery::default() };
    Ok(client.keys().list(query).await?.into_iter().map(|key| key.key).collect())
}

fn check(info: &KeyInfo, expect: Option<&Map<String, Value>>, step: &Step) {
    let shown = shown(info);
    for (name, value) in expect.into_iter().flatten() {
        assert_eq!(shown[name], *value, "{name}: {step:?}");
    }
}

fn shown(info: &KeyInfo) -> Value {
    let certificate = info.newest().expect("a version with a certificate").certificate();
    json!({
        "version": certificate.version,
        "state": info.entry.summary.state,
        "suite": certificate.suite.name().to_lowercase().split('-').next(),
        "threshold": certificate.t,
        "of": certificate.members.len(),
        "purpose": certificate.purpose.to_string(),
        "customer-fragment": certificate.customer_fragment,
        "shared": certificate.kind == KeyKind::Shared,
        "labels": info.entry.summary.labels,
    })
}
