//! What a command gets: who is acting, how to speak, where passphrases come from.

use std::path::{Path, PathBuf};

use symbolon_client::{Client, Error, Profile, Unlock};
use zeroize::Zeroizing;

use super::Globals;
use super::failure::Failure;
use super::output::Output;
use super::transfer::Transferred;
use crate::passphrase::{PassphraseError, Passphrases};

/// One command's surroundings.
#[derive(Debug)]
pub struct Context {
    profile: Option<PathBuf>,
    passphrases: Passphrases,
    output: Output,
}

impl Context {
    pub(super) fn new(globals: Globals) -> Self {
        let Globals { profile, passphrase_file, json } = globals;
        Self { profile, passphrases: Passphrases::from(passphrase_file), output: Output::new(json) }
    }

    /// How to speak.
    pub const fn output(&self) -> Output {
        self.output
    }

    /// A passphrase that opens something. `what` completes "passphrase of …".
    pub fn passphrase(&self, what: &str) -> Result<Zeroizing<String>, Failure> {
        Ok(self.passphrases.existing(what)?)
    }

    /// The same, from `file` where that is there and no other was named.
    pub fn passphrase_beside(&self, file: &Path, what: &str) -> Result<Zeroizing<String>, Failure> {
        Ok(self.passphrases.or(file).existing(what)?)
    }

    /// A passphrase that is being chosen, asked for twice. `what` completes "new passphrase for …".
    pub fn new_passphrase(&self, what: &str) -> Result<Zeroizing<String>, Failure> {
        Ok(self.passphrases.chosen(what)?)
    }

    /// Where passphrases come from, for what asks by itself.
    pub const fn passphrases(&self) -> &Passphrases {
        &self.passphrases
    }

    /// The file of the profile to act as: the named one, else that of `symbolon dev` here, else the person's own.
    pub fn profile_file(&self) -> Result<PathBuf, Failure> {
        Ok(Profile::locate(self.profile.as_deref())?)
    }

    /// The profile to act as.
    pub fn profile(&self) -> Result<Profile, Failure> {
        Ok(Profile::load(&self.profile_file()?)?)
    }

    /// A client that asks servers, and neither encrypts nor decrypts: no customer fragment is opened for that. It
    /// connects when it is used.
    pub fn client(&self) -> Result<Client, Failure> {
        self.client_of(&Profile { customer_fragments: Vec::new(), ..self.profile()? })
    }

    /// A client that acts as the profile says, with its customer fragments. It connects when it is used.
    pub fn client_with_fragments(&self) -> Result<Client, Failure> {
        self.client_of(&self.profile()?)
    }

    fn client_of(&self, profile: &Profile) -> Result<Client, Failure> {
        let mut unlocking = self.unlocking();
        Client::open(profile, &mut unlocking).map_err(|error| unlocking.explain(error))
    }

    /// What opens the files of a profile.
    pub fn unlocking(&self) -> Unlocking {
        Unlocking { passphrases: self.passphrases.clone(), problem: None }
    }

    /// Awaits an operation of the client, and tells what went well in spite of something.
    pub fn noting<T>(
        &self,
        client: &Client,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Failure>> {
        let operation = Box::pin(operation);
        async move {
            // What fails says by itself who was the reason.
            let done = operation.await?;
            for notice in client.take_notices() {
                self.output.note(format_args!("note: {notice}"));
            }
            Ok(done)
        }
    }

    /// Tells about a file that was written; where it was standard output, there is nothing to tell there.
    pub fn answer_file(&self, done: &Transferred) -> Result<(), Failure> {
        if done.output.is_some() { self.output.answer(done) } else { Ok(()) }
    }
}

/// Opens the profile's files with passphrases from where the command line says.
pub struct Unlocking {
    passphrases: Passphrases,
    /// Why there was no passphrase.
    problem: Option<PassphraseError>,
}

impl Unlocking {
    /// Why a file could not be opened: `error` says which; where there was no passphrase, the reason for that is better.
    fn explain(self, error: Error) -> Failure {
        match self.problem {
            None | Some(PassphraseError::NobodyToAsk) => error.into(),
            Some(problem) => problem.into(),
        }
    }
}

impl Unlock for Unlocking {
    fn passphrase(&mut self, file: &Path) -> Option<Zeroizing<String>> {
        let given = self.passphrases.existing(&file.display().to_string());
        given.map_err(|problem| self.problem = Some(problem)).ok()
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}
