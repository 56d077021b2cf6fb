//! Where a scenario is played: a deployment, clients, and what was saved.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use symbolon_client::{Client, DataKey, NoUnlock};
use symbolon_e2e::{MANAGERS, Process, Site, Start, build, wrong_clock};
use symbolon_hsm::Module;
use tokio::runtime::Runtime;

/// The client that is always there.
const FIRST: &str = "first";

/// A deployment whose roles run, and everything of the run so far.
pub struct Place {
    // Dropped first: connections end before the servers do.
    clients: HashMap<String, Client>,
    data_keys: HashMap<String, DataKey>,
    saved: HashMap<String, Vec<u8>>,
    texts: HashMap<String, String>,
    runtime: Runtime,
    processes: BTreeMap<String, Process>,
    site: Site,
    work: PathBuf,
}

impl Place {
    /// A new deployment, with client `first`.
    pub fn new() -> Self {
        let site = Site::prepare();
        let work = site.directory().join("work");
        std::fs::create_dir(&work).expect("a new folder");
        let runtime = Runtime::new().expect("a runtime starts");
        let mut place = Self {
            clients: HashMap::new(),
            data_keys: HashMap::new(),
            saved: HashMap::new(),
            texts: HashMap::new(),
            runtime,
            processes: BTreeMap::new(),
            site,
            work,
        };
        let text = |path: &Path| path.to_str().expect("paths of tests are UTF-8").to_owned();
        place.texts.insert("dir".into(), text(place.site.directory()));
        place.texts.insert("work".into(), text(&place.work));
        place.texts.insert("module".into(), text(&Module::SoftHsm2.path()));
        place.start("access-manager", false, None);
        for role in MANAGERS {
            place.start(role, false, None);
        }
        let first = Client::open_file(&place.profile(), &mut NoUnlock).expect("the first person's profile");
        place.clients.insert(FIRST.into(), first);
        place
    }

    /// Ends what a case opened.
    pub fn end_case(&mut self) {
        self.clients.retain(|name, _| name == FIRST);
    }

    pub(crate) fn profile(&self) -> PathBuf {
        self.site.directory().join("profile.toml")
    }

    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    pub(crate) fn client(&self, name: &str) -> Client {
        self.clients.get(name).unwrap_or_else(|| panic!("no client is called {name}")).clone()
    }

    pub(crate) fn keep_client(&mut self, name: &str, client: Client) {
        self.clients.insert(name.into(), client);
    }

    pub(crate) fn data_key(&self, name: &str) -> &DataKey {
        self.data_keys.get(name).unwrap_or_else(|| panic!("no data key is called {name}"))
    }

    pub(crate) fn keep_data_key(&mut self, name: Option<&String>, key: DataKey) {
        name.map(|name| self.data_keys.insert(name.clone(), key));
    }

    pub(crate) fn saved(&self, name: &str) -> Vec<u8> {
        self.saved.get(name).unwrap_or_else(|| panic!("nothing was saved as {name}")).clone()
    }

    pub(crate) fn save(&mut self, name: Option<&String>, bytes: Vec<u8>) {
        name.map(|name| self.saved.insert(name.clone(), bytes));
    }

    pub(crate) fn save_text(&mut self, name: &str, text: String) {
        self.texts.insert(name.into(), text);
    }

    /// A text with its variables replaced.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.texts
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    pub(crate) fn wait<T>(&self, operation: impl Future<Output = T>) -> T {
        self.runtime.block_on(operation)
    }

    /// Starts a role, or a manager that lies in its place, by a clock that may be wrong.
    pub(crate) fn start(&mut self, role: &str, lying: bool, clock: Option<&str>) {
        let mut start = self.site.role(role);
        if lying {
            let liar = build("symbolon-lying-manager", "symbolon-lying-manager");
            let config = self.site.config(role);
            start = Start::new(role, &liar, &["run", "--config", config.to_str().expect("UTF-8")]);
        }
        let start = clock.iter().fold(start, |start, offset| wrong_clock(&start, offset));
        self.processes.insert(role.into(), start.ready(self.site.guardian()));
    }

    pub(crate) fn stop(&mut self, role: &str) {
        self.processes.remove(role).expect("the role runs").stop();
    }

    pub(crate) fn process(&self, role: &str) -> &Process {
        self.processes.get(role).expect("the role runs")
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}
