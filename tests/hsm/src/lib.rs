//! Tokens in software for tests: `SoftHSM2` of Debian and kryoptic of crates.io, each in a folder of its own.
//!
//! A [`TestToken`] is made by an outside tool (`softhsm2-util`) and ends with its folder. `cargo xtask test` provides
//! both modules; without it `cargo xtask kryoptic` builds kryoptic, and `SoftHSM2` is `apt-get install softhsm2`.
#![forbid(unsafe_code)]

mod fault;
pub mod plugin;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use symbolon_pkcs11::TokenSettings;
use tempfile::TempDir;

pub use fault::{FaultyModule, PLANTED};

/// The label of every test token.
pub const LABEL: &str = "symbolon test";
/// Its user's PIN.
pub const PIN: &str = "the-pin-of-a-test-token";
/// Its security officer's PIN.
pub const OFFICER_PIN: &str = "officer-of-a-test-token";

/// A PKCS#11 module that is software.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// `SoftHSM2`: no KWP, no wrapping of Ed25519, but secp256k1.
    SoftHsm2,
    /// kryoptic: KWP, Ed25519, but no secp256k1.
    Kryoptic,
}

impl Module {
    /// Both.
    pub const ALL: [Self; 2] = [Self::SoftHsm2, Self::Kryoptic];

    /// The library.
    ///
    /// # Panics
    /// It is not on this machine; the message says how it comes there.
    pub fn path(self) -> PathBuf {
        let (candidates, advice) = match self {
            Self::SoftHsm2 => (soft_hsm2(), "apt-get install softhsm2"),
            Self::Kryoptic => (kryoptic(), "cargo xtask kryoptic"),
        };
        let found = candidates.iter().find(|path| path.is_file());
        found.unwrap_or_else(|| panic!("{self:?} is in none of {candidates:?}; run: {advice}")).clone()
    }

    /// The configuration file's text for a token in this folder, and the variable that names the file.
    fn configuration(self, folder: &Path) -> (&'static str, String) {
        let folder = folder.display();
        match self {
            Self::SoftHsm2 => {
                ("SOFTHSM2_CONF", format!("directories.tokendir = {folder}/tokens\nlog.level = ERROR\n"))
            }
            Self::Kryoptic => (
                "KRYOPTIC_CONF",
                format!("[[slots]]\nslot = 0\ndbtype = \"sqlite\"\ndbargs = \"{folder}/tokens/token.sql\"\n"),
            ),
        }
    }
}

fn soft_hsm2() -> Vec<PathBuf> {
    let debian = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
    debian.iter().map(PathBuf::from).collect()
}

/// `$SYMBOLON_KRYOPTIC`, or where `cargo xtask kryoptic` puts it.
fn kryoptic() -> Vec<PathBuf> {
    match std::env::var_os("SYMBOLON_KRYOPTIC") {
        Some(path) => vec![path.into()],
        None => in_build_folder("kryoptic/release/libkryoptic_pkcs11.so"),
    }
}

/// The build folder is one of those above the running test.
fn in_build_folder(path: &str) -> Vec<PathBuf> {
    let us = std::env::current_exe().unwrap_or_default();
    us.ancestors().map(|folder| folder.join(path)).collect()
}

/// A token in a folder of its own.
pub struct TestToken {
    module: Module,
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl TestToken {
    /// Makes and initialises a token with the label [`LABEL`] and the PIN [`PIN`].
    ///
    /// # Panics
    /// The module or `softhsm2-util` is not there, or fails.
    pub fn new(module: Module) -> Self {
        Self::with(module, "")
    }

    /// As [`TestToken::new`], with more lines in the module's configuration.
    ///
    /// # Panics
    /// As [`TestToken::new`].
    pub fn with(module: Module, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("tokens")).expect("a folder for the token");
        let (variable, text) = module.configuration(folder.path());
        let file = folder.path().join("module.conf");
        fs::write(&file, text + more).expect("the module's configuration");
        let environment = BTreeMap::from([(variable.to_owned(), file.display().to_string())]);
        let token = Self { module, folder, environment };
        token.write_pin(PIN);
        token.initialize();
        token
    }

    fn initialize(&self) {
        let mut tool = Command::new("softhsm2-util");
        tool.arg("--module").arg(self.module.path());
        match self.module {
            Module::SoftHsm2 => tool.args(["--init-token", "--free"]),
            Module::Kryoptic => tool.args(["--init-token", "--slot", "0"]),
        };
        tool.args(["--label", LABEL, "--pin", PIN, "--so-pin", OFFICER_PIN]);
        let made = tool.envs(&self.environment).stdin(Stdio::null()).output().expect("softhsm2-util");
        assert!(made.status.success(), "softhsm2-util: {made:?}");
    }

    /// The module.
    pub fn module(&self) -> Module {
        self.module
    }

    /// The folder, with `tokens/` in it and the PIN's file.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the module needs in its environment.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The file of the PIN.
    pub fn pin_file(&self) -> PathBuf {
        self.folder.path().join("pin")
    }

    /// Writes another PIN into its file.
    ///
    /// # Panics
    /// The file can't be written.
    pub fn write_pin(&self, pin: &str) {
        fs::write(self.pin_file(), format!("{pin}\n")).expect("the PIN's file");
        fs::set_permissions(self.pin_file(), fs::Permissions::from_mode(0o600)).expect("its rights");
    }

    /// What an operator's file says of the token.
    pub fn settings(&self) -> TokenSettings {
        TokenSettings {
            module: self.module.path(),
            token: LABEL.to_owned(),
            pin_file: self.pin_file(),
            environment: self.environment.clone(),
            timeout_secs: 30,
            mechanisms: None,
            attributes: None,
        }
    }
}
