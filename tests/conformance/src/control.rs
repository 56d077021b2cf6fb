//! Steps that open clients, run the command line, and start and stop roles.

use crate::Place;
use crate::callback::Callback;
use crate::scenario::Action;
use crate::value::{Bytes, Text};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use symbolon_client::customer::Keeper;
use symbolon_client::{Client, Error, NoUnlock, Options, Profile, Unlock};
use symbolon_e2e::{Cli, Finished};
use zeroize::Zeroizing;

/// A command of the command line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Command {
    args: Vec<Text>,
    profile: Option<Text>,
    passphrase_file: Option<Text>,
    stdin: Option<Bytes>,
    #[serde(default)]
    code: i32,
    save: Option<String>,
    #[serde(default)]
    save_json: BTreeMap<String, String>,
}

pub(crate) fn act(place: &mut Place, action: &Action) {
    match action {
        Action::Cli(command) => run(place, command, command.passphrase_file.as_ref()),
        Action::Owner(command) => {
            run(place, command, Some(&Text::Plain("{dir}/owner/passphrase".to_owned())));
        }
        Action::Stop { roles } => roles.iter().for_each(|role| place.stop(role)),
        Action::Start { roles, lying, clock } => {
            for role in roles {
                place.start(role, *lying, clock.as_deref());
            }
        }
        Action::Pause { roles } => roles.iter().for_each(|role| place.process(role).freeze()),
        Action::Resume { roles } => roles.iter().for_each(|role| place.process(role).thaw()),
        other => unreachable!("{other:?} is no step of control"),
    }
}

fn run(place: &mut Place, command: &Command, passphrase_file: Option<&Text>) {
    let profile = command.profile.as_ref().map_or_else(|| place.profile(), |file| file.get(place).into());
    let mut cli = Cli::new(place.work(), &profile);
    if let Some(file) = passphrase_file {
        cli = cli.with_passphrase(Path::new(&file.get(place)));
    }
    let json = (!command.save_json.is_empty()).then(|| "--json".to_owned());
    let words: Vec<String> =
        json.into_iter().chain(command.args.iter().map(|word| word.get(place))).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let input = command.stdin.as_ref().map(|input| input.get(place)).unwrap_or_default();
    let done: Finished = cli.pipe(&words, &input);
    assert!(done.code == Some(command.code), "{done}");
    for (name, field) in &command.save_json {
        let answer: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let text = answer[field].as_str().map_or_else(|| answer[field].to_string(), str::to_owned);
        place.save_text(name, text);
    }
    place.save(command.save.as_ref(), done.stdout);
}

/// Each of these words is in something that the client got around.
pub(crate) fn notices(client: &Client, expected: &[String]) {
    let notices: Vec<String> = client.take_notices().iter().map(ToString::to_string).collect();
    for word in expected {
        assert!(notices.iter().any(|notice| notice.contains(word)), "{word} is not in {notices:?}");
    }
}

/// Opens a client as a step says.
pub(crate) fn client(place: &Place, action: &Action) -> Result<Client, Error> {
    let Action::Client { profile, passphrase, deadline_ms, on_behalf_of, callback, .. } = action else {
        unreachable!("{action:?} opens no client")
    };
    let file = profile.as_ref().map_or_else(|| place.profile(), |file| PathBuf::from(file.get(place)));
    let keeper = |spec: &crate::callback::Spec| -> Arc<dyn Keeper> {
        Arc::new(Callback::new(&spec.file.get(place), spec.fault))
    };
    let customer_fragments = callback.iter().map(keeper).collect();
    let options = Options { customer_fragments, ..Options::default() };
    let mut unlock = Knows(passphrase.clone());
    let mut client = Client::open_with(&Profile::load(&file)?, &mut unlock, options)?;
    if let Some(deadline) = deadline_ms {
        client = client.within(Duration::from_millis(*deadline));
    }
    Ok(on_behalf_of.iter().fold(client, |client, name| client.on_behalf_of(name)))
}

/// Opens a client as `Client::from_environment` does, in another environment than this process's own.
pub(crate) fn from_environment(place: &Place, environment: &BTreeMap<String, Text>) -> Result<Client, Error> {
    let variable = |name: &str| environment.get(name).map(|value| OsString::from(value.get(place)));
    Client::open_file(&Profile::locate_in(None, variable)?, &mut NoUnlock)
}

struct Knows(Option<String>);

impl Unlock for Knows {
    fn passphrase(&mut self, _: &Path) -> Option<Zeroizing<String>> {
        self.0.clone().map(Zeroizing::new)
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}
