//! A running gateway, and a program that calls it: one that knows nothing but HTTP and JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::{Deployment, Process, Start, free_port, run, symbolon};

/// A gateway with the one caller that it is laid out with.
pub struct Gateway {
    /// The gateway itself.
    pub process: Process,
    trust: PathBuf,
    token: String,
}

impl Gateway {
    /// The deployment's gateway.
    pub fn start(deployment: &Deployment) -> Self {
        Self::of(deployment, deployment.gateway())
    }

    /// A second one beside it, with the same profile: another process of the same holder, on another port.
    pub fn second(deployment: &Deployment) -> Self {
        let config = deployment.site().home("gateway").join("second.toml");
        let text = fs::read_to_string(deployment.site().config("gateway")).expect("a configuration file");
        let listen = text.lines().find(|line| line.starts_with("listen")).expect("it listens");
        let elsewhere = format!("listen = \"127.0.0.1:{}\"", free_port());
        fs::write(&config, text.replace(listen, &elsewhere)).expect("a second configuration file");
        let config = config.to_str().expect("paths of tests are UTF-8");
        let start = Start::new("gateway-2", &symbolon(), &["gateway", "run", "--config", config]);
        Self::of(deployment, start.ready(deployment.site().guardian()))
    }

    fn of(deployment: &Deployment, process: Process) -> Self {
        let home = deployment.site().home("gateway");
        let token = fs::read_to_string(home.join("token")).expect("the caller's token");
        Self { process, trust: home.join("tls.pem"), token }
    }

    /// Posts a body, and gives status and answer.
    pub fn post(&self, path: &str, body: &Value) -> (u64, Value) {
        let url = format!("https://{}{path}", self.process.address());
        let call = json!({ "url": url, "trust": self.trust, "token": self.token, "body": body });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/foreign.py");
        let answer = run(Command::new("python3").arg(script), call.to_string().as_bytes()).json();
        (answer["status"].as_u64().expect("a status"), answer["answer"].clone())
    }

    /// Has a data key made, and gives the status.
    pub fn data_key(&self, system: &str, volume: &str) -> u64 {
        let path = format!("/v1/systems/{}/data-keys", system.replace('/', "%2F"));
        self.post(&path, &json!({ "volume": volume })).0
    }
}
