//! The file's form, and which function carries out which step.

use crate::value::{Bytes, Pairs, Text};
use crate::{Outcome, Place, control, file, keys, message, stream};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is.
    pub about: String,
    /// Version of the form.
    pub version: u32,
    /// Steps before the first case.
    pub setup: Vec<Step>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// How.
    pub steps: Vec<Step>,
}

/// One step: what is done, by which client, and how it fails if it is to fail.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Step {
    pub(crate) action: Action,
    pub(crate) by: String,
    pub(crate) error: Option<Expected>,
}

/// The error of a step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub(crate) kind: String,
    pub(crate) code: String,
}

impl Scenario {
    /// Reads a scenario.
    pub fn load(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).expect("the scenario is there");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }
}

/// What all steps have is taken out, so that what is left has to be the action's own.
impl TryFrom<Map<String, Value>> for Step {
    type Error = serde_json::Error;

    fn try_from(mut fields: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let by = fields.remove("as").map(serde_json::from_value).transpose()?;
        let error = fields.remove("error").map(serde_json::from_value).transpose()?;
        let action = serde_json::from_value(Value::Object(fields))?;
        Ok(Self { action, by: by.unwrap_or_else(|| "first".to_owned()), error })
    }
}

/// What a step does; README.md has the table.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub(crate) enum Action {
    Client {
        name: String,
        profile: Option<Text>,
        passphrase: Option<String>,
        deadline_ms: Option<u64>,
        on_behalf_of: Option<String>,
        callback: Option<crate::callback::Spec>,
    },
    ClientFromEnvironment {
        name: String,
        environment: BTreeMap<String, Text>,
    },
    Close {},
    Encrypt {
        key: Text,
        plaintext: Bytes,
        #[serde(default)]
        context: Pairs,
        save: Option<String>,
    },
    Decrypt {
        sealed: Bytes,
        #[serde(default)]
        context: Pairs,
        expect: Option<Bytes>,
    },
    EncryptMany {
        key: Text,
        messages: Vec<Message>,
        #[serde(default = "once")]
        times: usize,
        save: Vec<String>,
    },
    DecryptMany {
        messages: Vec<Message>,
        #[serde(default = "once")]
        times: usize,
        expect: Option<Vec<Bytes>>,
    },
    EncryptStream {
        key: Text,
        plaintext: Bytes,
        #[serde(default)]
        context: Pairs,
        pieces: usize,
        meanwhile: Option<Meanwhile>,
        save: Option<String>,
    },
    DecryptStream {
        sealed: Bytes,
        #[serde(default)]
        context: Pairs,
        pieces: usize,
        meanwhile: Option<Meanwhile>,
        expect: Option<Bytes>,
    },
    Seek {
        sealed: Bytes,
        #[serde(default)]
        context: Pairs,
        plaintext: Bytes,
        reads: Vec<(stream::Whence, i64, usize, u64, usize)>,
    },
    EncryptFile {
        key: Text,
        from: String,
        to: String,
        #[serde(default)]
        context: Pairs,
        #[serde(default)]
        overwrite: bool,
        stop_at: Option<u64>,
    },
    DecryptFile {
        from: String,
        to: String,
        #[serde(default)]
        context: Pairs,
        #[serde(default)]
        overwrite: bool,
        stop_at: Option<u64>,
    },
    Write {
        name: String,
        content: Bytes,
    },
    Append {
        name: String,
        content: Bytes,
    },
    Absent {
        name: String,
    },
    DataKey {
        key: Text,
        #[serde(default)]
        context: Pairs,
        save: Option<String>,
        save_key: Option<String>,
    },
    OpenDataKey {
        wrapped: Bytes,
        #[serde(default)]
        context: Pairs,
        save_key: Option<String>,
        same_as: Option<String>,
    },
    SealRecord {
        with: String,
        plaintext: Bytes,
        #[serde(default)]
        context: Pairs,
        save: String,
    },
    OpenRecord {
        with: String,
        sealed: Bytes,
        #[serde(default)]
        context: Pairs,
        expect: Option<Bytes>,
    },
    CreateKey(keys::Wanted),
    RotateKey {
        key: Text,
        expect: Option<Map<String, Value>>,
    },
    ShowKey {
        key: Text,
        expect: Option<Map<String, Value>>,
    },
    ListKeys {
        below: String,
        expect: Vec<String>,
    },
    LabelKey {
        key: Text,
        #[serde(default)]
        set: BTreeMap<String, String>,
        #[serde(default)]
        remove: Vec<String>,
        expect: BTreeMap<String, String>,
    },
    Notices {
        expect: Vec<String>,
    },
    Inspect {
        sealed: Bytes,
        expect: Option<Map<String, Value>>,
    },
    Differ {
        values: (Bytes, Bytes),
    },
    Same {
        values: (Bytes, Bytes),
    },
    Cancel {
        step: Box<Step>,
    },
    Cli(control::Command),
    Owner(control::Command),
    Folder {
        path: Text,
    },
    Stop {
        roles: Vec<String>,
    },
    Start {
        roles: Vec<String>,
        #[serde(default)]
        lying: bool,
        clock: Option<String>,
    },
    Pause {
        roles: Vec<String>,
    },
    Resume {
        roles: Vec<String>,
    },
}

/// A message of a step with many.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    #[serde(alias = "sealed")]
    pub(crate) plaintext: Bytes,
    #[serde(default)]
    pub(crate) context: Pairs,
}

/// Steps in the middle of a stream.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meanwhile {
    pub(crate) after: usize,
    pub(crate) steps: Vec<Step>,
}

const fn once() -> usize {
    1
}

/// Carries a step out.
pub(crate) fn act(place: &mut Place, step: &Step) -> Outcome {
    use Action as Do;
    match &step.action {
        Do::Client { name, .. } => {
            let client = control::client(place, &step.action)?;
            place.keep_client(name, client);
            Ok(())
        }
        Do::ClientFromEnvironment { name, environment } => {
            let client = control::from_environment(place, environment)?;
            place.keep_client(name, client);
            Ok(())
        }
        Do::Close {} => {
            place.client(&step.by).close();
            Ok(())
        }
        Do::Notices { expect } => {
            control::notices(&place.client(&step.by), expect);
            Ok(())
        }
        Do::Encrypt { .. }
        | Do::Decrypt { .. }
        | Do::EncryptMany { .. }
        | Do::DecryptMany { .. }
        | Do::DataKey { .. }
        | Do::OpenDataKey { .. }
        | Do::SealRecord { .. }
        | Do::OpenRecord { .. }
        | Do::Inspect { .. }
        | Do::Differ { .. }
        | Do::Same { .. }
        | Do::Cancel { .. } => message::act(place, step),
        Do::EncryptStream { .. } | Do::DecryptStream { .. } | Do::Seek { .. } => stream::act(place, step),
        Do::EncryptFile { .. }
        | Do::DecryptFile { .. }
        | Do::Write { .. }
        | Do::Append { .. }
        | Do::Absent { .. }
        | Do::Folder { .. } => file::act(place, step),
        Do::CreateKey(_)
        | Do::RotateKey { .. }
        | Do::ShowKey { .. }
        | Do::ListKeys { .. }
        | Do::LabelKey { .. } => keys::act(place, step),
        Do::Cli(_)
        | Do::Owner(_)
        | Do::Stop { .. }
        | Do::Start { .. }
        | Do::Pause { .. }
        | Do::Resume { .. } => {
            control::act(place, &step.action);
            Ok(())
        }
    }
}
