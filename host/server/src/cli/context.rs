//! What a command gets: who is acting, how to speak, where passphrases come from.

use std::path::{Path, PathBuf};

use symbolon_client::{Client, Error, Profile, Unlock};
use zeroize::Zeroizing;

use super::Globals;
use super::failure::Failure;
use super::output::Output;
use super::transfer::Transferred;
use crate::passphrase::Passphrases;

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

    /// A client that acts as the profile says. It connects when it is used.
    pub fn client(&self) -> Result<Client, Failure> {
        Ok(Client::open(&self.profile()?, &mut self.unlocking())?)
    }

    /// What opens the files of a profile.
    pub fn unlocking(&self) -> impl Unlock {
        Unlocking(self.passphrases.clone())
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
struct Unlocking(Passphrases);

impl Unlock for Unlocking {
    fn passphrase(&mut self, file: &Path) -> Option<Zeroizing<String>> {
        self.0.existing(&file.display().to_string()).ok()
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}
