//! A whole deployment: laid out by `symbolon dev --prepare`, each role then a process of the test's own, which it can stop, kill, replace.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Account, Finished, Guardian, Process, Start, run, symbolon, wrong_clock};

/// The directories of the fragment managers, in the order of their roster indices.
pub const MANAGERS: [&str; 3] = ["kfm-1", "kfm-2", "kfm-3"];

/// Configuration, identities and account of a deployment, none of whose roles run yet.
pub struct Site {
    guardian: Guardian,
}

impl Site {
    /// Lays out a deployment of three fragment managers, an access manager and a gateway in a directory of its own.
    pub fn prepare() -> Self {
        let site = Self { guardian: Guardian::new() };
        let directory = site.directory();
        let mut prepare = Command::new(symbolon());
        prepare.args(["dev", "--prepare", "--directory"]).arg(directory).current_dir(directory);
        run(&mut prepare, b"").succeeds();
        site
    }

    /// Everything of the deployment lies below.
    pub fn directory(&self) -> &Path {
        self.guardian.directory()
    }

    /// What watches over the processes of this site.
    pub fn guardian(&self) -> &Guardian {
        &self.guardian
    }

    /// A role's own directory.
    pub fn home(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// A role's configuration file.
    pub fn config(&self, name: &str) -> PathBuf {
        self.home(name).join("config.toml")
    }

    /// How a role is started: its directory is `kfm-1` to `kfm-3`, `access-manager` or `gateway`.
    pub fn role(&self, name: &str) -> Start {
        let role = if name.starts_with("kfm-") { "fragment-manager" } else { name };
        let config = self.config(name);
        Start::new(name, &symbolon(), &[role, "run", "--config", config.to_str().expect("UTF-8")])
    }

    /// Replaces a text in a role's configuration file.
    pub fn reconfigure(&self, name: &str, from: &str, to: &str) {
        let path = self.config(name);
        let text = fs::read_to_string(&path).expect("the configuration file is there");
        assert!(text.contains(from), "{} has no `{from}`:\n{text}", path.display());
        fs::write(&path, text.replace(from, to)).expect("the configuration file can be written");
    }

    /// The command line of the account's first person, who may do everything.
    pub fn cli(&self) -> Cli {
        Cli::new(self.directory(), &self.directory().join("profile.toml"))
    }

    /// The command line of the owner: the same person, with the passphrase of the owner's root at hand.
    pub fn owner(&self) -> Cli {
        self.cli().with_passphrase(&self.home("owner").join("passphrase"))
    }

    /// Starts the access manager and all fragment managers.
    pub fn start(self) -> Deployment {
        let access_manager = self.role("access-manager").ready(&self.guardian);
        let managers = MANAGERS.map(|name| self.role(name).spawn(&self.guardian));
        let managers = managers.map(Process::when_ready);
        Deployment { managers, access_manager, site: self }
    }
}

/// A running deployment.
pub struct Deployment {
    /// The fragment managers; `managers[0]` is `kfm-1`.
    pub managers: [Process; 3],
    /// The access manager.
    pub access_manager: Process,
    site: Site,
}

impl Deployment {
    /// A new one, ready.
    pub fn start() -> Self {
        Site::prepare().start()
    }

    /// Its files.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The command line of the account's first person.
    pub fn cli(&self) -> Cli {
        self.site.cli()
    }

    /// The command line of the owner.
    pub fn owner(&self) -> Cli {
        self.site.owner()
    }

    /// The account.
    pub fn account(&self) -> Account {
        Account::at(&self.site.home("owner").join("account.root"))
    }

    /// Starts the gateway as well.
    pub fn gateway(&self) -> Process {
        self.site.role("gateway").ready(self.site.guardian())
    }

    /// Starts every role again on machines whose clocks are off.
    pub fn move_clocks(&mut self, offset: &str) {
        let guardian = self.site.guardian().clone();
        self.managers.iter_mut().chain([&mut self.access_manager]).for_each(Process::stop);
        for process in self.managers.iter_mut().chain([&mut self.access_manager]) {
            *process = wrong_clock(process.start(), offset).ready(&guardian);
        }
    }

    /// A new person with a profile and a holder's key, and no grant yet.
    pub fn person(&self, name: &str) -> Person {
        new_person(&self.site.home(name), &self.site.home("owner").join("account.root"))
    }

    /// Has the owner grant something to a holder, and gives the grant's number.
    pub fn grant(&self, fingerprint: &str, what: &[&str]) -> u64 {
        let arguments: Vec<&str> =
            ["grant", "create", "--to", fingerprint].iter().chain(what).copied().collect();
        self.owner().json(&arguments)["id"].as_u64().expect("a grant has a number")
    }

    /// Where a fragment manager listens.
    pub fn manager_address(&self, position: usize) -> SocketAddr {
        self.managers[position].address()
    }
}

/// A person with a profile of their own.
pub struct Person {
    /// Their command line.
    pub cli: Cli,
    /// Their holder's key, as people write it.
    pub fingerprint: String,
}

/// A person with a profile in a folder of their own, who has nothing but the account's root document.
pub fn new_person(home: &Path, root: &Path) -> Person {
    fs::create_dir(home).expect("the person is new");
    let profile = home.join("profile.toml");
    let cli = Cli::new(home, &profile);
    let text = |path: &Path| path.to_str().expect("paths of tests are UTF-8").to_owned();
    let made =
        cli.run(&["profile", "create", &text(&profile), "--account", &text(root), "--no-passphrase"]).text();
    let fingerprint = made.split_whitespace().find(|word| word.starts_with("sym1")).expect("a fingerprint");
    Person { cli, fingerprint: fingerprint.to_owned() }
}

/// `symbolon` as one person runs it.
#[derive(Clone)]
pub struct Cli {
    directory: PathBuf,
    profile: PathBuf,
    passphrase: Option<PathBuf>,
    environment: Vec<(String, String)>,
    impatience: Option<u32>,
}

impl Cli {
    /// With this profile, in this working directory.
    pub fn new(directory: &Path, profile: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            profile: profile.to_owned(),
            passphrase: None,
            environment: Vec::new(),
            impatience: None,
        }
    }

    /// The profile.
    pub fn profile(&self) -> &Path {
        &self.profile
    }

    /// The same with a passphrase file.
    #[must_use]
    pub fn with_passphrase(mut self, file: &Path) -> Self {
        self.passphrase = Some(file.to_owned());
        self
    }

    /// The same with one more environment variable.
    #[must_use]
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// The same person, who gives up a command after so long.
    #[must_use]
    pub fn within_secs(mut self, seconds: u32) -> Self {
        self.impatience = Some(seconds);
        self
    }

    /// Runs one command, nothing on its standard input.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.pipe(arguments, b"")
    }

    /// Runs one command with `input` on its standard input.
    pub fn pipe(&self, arguments: &[&str], input: &[u8]) -> Finished {
        let mut command = self.program();
        command.current_dir(&self.directory).arg("--profile").arg(&self.profile);
        if let Some(file) = &self.passphrase {
            command.arg("--passphrase-file").arg(file);
        }
        command.envs(self.environment.iter().map(|(k, v)| (k, v)));
        run(command.args(arguments), input)
    }

    fn program(&self) -> Command {
        let Some(seconds) = self.impatience else { return Command::new(symbolon()) };
        let mut command = Command::new("timeout");
        command.args(["--signal", "KILL", &seconds.to_string()]).arg(symbolon());
        command
    }

    /// Runs one command with `--json`, and gives its answer.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
        self.run(&arguments).json()
    }
}
