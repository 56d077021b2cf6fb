//! Drivers of a deployment, with an HSM in software behind the plugin `hsm-pkcs11`: each a process of the test's own.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use symbolon_hsm::{FaultyModule, Module, TestToken, plugin};
use symbolon_pkcs11::TokenSettings;
use symbolon_plugin::Bundle;
use symbolon_trust::KeyPair;

use crate::{Deployment, Finished, Process, Site, Start, eventually, symbolon};

/// The label of the key store that drivers of tests serve.
pub const STORE: &str = "prod";

/// The line by which a driver says that it takes jobs.
const READY: &str = "symbolon driver is ready for the key store";

/// A driver's own directory, configuration and process.
pub struct Driver {
    home: PathBuf,
    name: String,
    process: Option<Process>,
}

/// A token of this module, with a library before it that fails as it is told.
pub fn token(module: Module) -> FaultyModule {
    FaultyModule::before(TestToken::new(module))
}

/// A plugin's file, signed by whom the operators of tests trust.
pub fn signed(mut plugin: Bundle) -> Vec<u8> {
    plugin.sign(&author());
    plugin.encode()
}

fn author() -> KeyPair {
    KeyPair::from_seed(&[77; 32])
}

impl Site {
    /// Lays a driver out that reaches this token, by a signed plugin. Nothing of it is enrolled yet.
    pub fn lay_out_driver(&self, name: &str, token: &TokenSettings) -> Driver {
        let home = self.home(name);
        fs::create_dir(&home).expect("the driver is new");
        let driver = Driver { home, name: name.to_owned(), process: None };
        driver.have_plugin(&signed(plugin::bundle()));
        let account = self.home("owner").join("account.root");
        fs::write(driver.config(), configuration(&account, token)).expect("the driver's configuration");
        driver
    }

    /// Starts a driver where it is expected to refuse, and waits for its end.
    pub fn run_driver(&self, driver: &Driver) -> Finished {
        self.cli().run(&["driver", "run", "--config", &driver.config()])
    }
}

impl Deployment {
    /// The same, with its own keys, and the enrolment in `driver.enrolment`; says its fingerprint.
    pub fn enrol_driver(&self, driver: &Driver, more: &[&str]) -> String {
        let config = driver.config();
        let arguments = [&["driver", "enrol", "--config", &config], more].concat();
        self.cli().json(&arguments)["fingerprint"].as_str().expect("a fingerprint").to_owned()
    }

    /// Has the owner sign a driver in.
    pub fn sign_in(&self, driver: &Driver, fingerprint: &str) -> Finished {
        let file = driver.home.join("driver.enrolment");
        let file = file.to_str().expect("paths of tests are UTF-8");
        self.owner().run(&["root", "add-driver", &driver.name, file, "--fingerprint", fingerprint])
    }

    /// A driver that runs, signed in; the first one of a token makes the store's master key.
    pub fn driver(&self, name: &str, token: &TokenSettings) -> Driver {
        let mut driver = self.site().lay_out_driver(name, token);
        let fingerprint = self.enrol_driver(&driver, &["--create-master-key"]);
        self.sign_in(&driver, &fingerprint).succeeds();
        driver.start(self);
        driver
    }
}

impl Driver {
    /// Its directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Its configuration file.
    pub fn config(&self) -> String {
        self.home.join("config.toml").to_str().expect("paths of tests are UTF-8").to_owned()
    }

    /// Replaces a text in its configuration, wherever it stands.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.config()).expect("the driver's configuration");
        assert!(text.contains(from), "no `{from}` in:\n{text}");
        fs::write(self.config(), text.replace(from, to)).expect("the driver's configuration");
    }

    /// Puts another file in the place of its plugin's.
    pub fn have_plugin(&self, file: &[u8]) {
        fs::write(self.home.join("hsm.plugin"), file).expect("the plugin's file");
    }

    /// How it is started.
    pub fn how(&self) -> Start {
        Start::new(&self.name, &symbolon(), &["driver", "run", "--config", &self.config()])
    }

    /// Starts it, and waits until it takes jobs.
    pub fn start(&mut self, deployment: &Deployment) {
        let before = self.log().matches(READY).count();
        self.spawn(deployment);
        eventually("the driver is ready", || {
            let log = self.log();
            assert!(self.process.as_ref().is_some_and(Process::is_running), "{} ended:\n{log}", self.name);
            log.matches(READY).count() > before
        });
    }

    /// Starts it and doesn't wait.
    pub fn spawn(&mut self, deployment: &Deployment) {
        self.process = Some(self.how().spawn(deployment.site().guardian()));
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the driver was started")
    }

    /// All that it wrote.
    pub fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }

    /// Waits until it has written this.
    pub fn says(&self, what: &str) {
        eventually(what, || self.log().contains(what));
    }
}

fn configuration(account: &Path, token: &TokenSettings) -> String {
    let [account, module, pin_file] =
        [account, &token.module, &token.pin_file].map(|path| path.display().to_string());
    let mut text = format!(
        "account = {account:?}\nstore = \"{STORE}\"\nidentity = \"identity.key\"\njob-key = \"job.key\"\n\
         sealing = {{ file = \"sealing.key\" }}\ndatastore = \"driver.db\"\n\n\
         [plugin]\nfile = \"hsm.plugin\"\n\n[plugin.policy]\nsigners = [\"{}\"]\n\n\
         [plugin.policy.grants]\nlog = true\nentropy = true\nconfig = {{ label = \"{STORE}\" }}\n\n\
         [plugin.policy.limits]\ndeadline-ms = 60000\n\n\
         [plugin.policy.grants.pkcs11.main]\nmodule = {:?}\ntoken = {:?}\npin-file = {:?}\ntimeout-secs = {}\n\n\
         [plugin.policy.grants.pkcs11.main.environment]\n",
        author().public(),
        module,
        token.token,
        pin_file,
        token.timeout_secs,
    );
    for (name, value) in &token.environment {
        writeln!(text, "{name} = {value:?}").expect("writing into memory does not fail");
    }
    text
}
