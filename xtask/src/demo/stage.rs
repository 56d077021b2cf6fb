//! Where the demo plays: a folder of its own, a deployment in it, and the processes of the deployment.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::failure::{During, Failure};

/// The deployment's folder in the stage's.
const DEPLOYMENT: &str = "symbolon-dev";

/// Roles that the demo stops and starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Kfm1,
    Kfm2,
    Driver,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Kfm1 => "kfm-1",
            Self::Kfm2 => "kfm-2",
            Self::Driver => "driver",
        }
    }
}

pub struct Stage {
    programs: PathBuf,
    folder: PathBuf,
    dev: Option<Child>,
    /// Roles that we started ourselves, in the place of those that `symbolon dev` started.
    own: Vec<(Role, Child)>,
    /// The processes that `symbolon dev` started: name and number.
    roles: Vec<(String, u64)>,
}

/// A command that ended, well or badly.
pub struct Ended {
    pub succeeded: bool,
    pub stdout: Vec<u8>,
    stderr: String,
}

impl Ended {
    pub fn says(&self, words: &str) -> bool {
        self.stderr.contains(words)
    }
}

impl Stage {
    /// A new folder beside the build's output: 3 GiB don't fit into every machine's /tmp.
    pub fn set(programs: &Path) -> Result<Self, Failure> {
        let folder = programs.with_file_name(format!("demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).during(&format!("making {}", folder.display()))?;
        Ok(Self { programs: programs.to_owned(), folder, dev: None, own: Vec::new(), roles: Vec::new() })
    }

    /// A file of the stage.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A role's own folder.
    pub fn home(&self, role: Role) -> PathBuf {
        self.path(DEPLOYMENT).join(role.name())
    }

    /// The profile of the first person.
    pub fn profile(&self) -> PathBuf {
        self.path(DEPLOYMENT).join("profile.toml")
    }

    /// Starts all roles; gives what `symbolon dev` says of them.
    pub fn start(&mut self) -> Result<String, Failure> {
        let mut command = self.command("symbolon", &["--json", "dev"]);
        let mut dev = command.stdout(Stdio::piped()).spawn().during("starting symbolon dev")?;
        let answer =
            dev.stdout.take().map(first_json).ok_or_else(|| Failure::new("symbolon dev says nothing"))?;
        self.dev = Some(dev);
        let answer = answer?;
        let roles = answer["roles"].as_array().into_iter().flatten();
        self.roles = roles
            .filter_map(|role| Some((role["name"].as_str()?.to_owned(), role["pid"].as_u64()?)))
            .collect();
        std::fs::copy(self.path(DEPLOYMENT).join("account.root"), self.path("account.root"))
            .during("copying the root document")?;
        Ok(format!(
            "{} processes, {} ms, {} MiB together",
            self.roles.len(),
            answer["milliseconds"],
            answer["memory_mib"]
        ))
    }

    /// Runs a command of the first person, which has to succeed.
    pub fn symbolon(&self, words: &[&str]) -> Result<String, Failure> {
        let done = self.pipe(words, b"")?;
        Ok(String::from_utf8_lossy(&done).into_owned())
    }

    /// The same for the owner, whose passphrase lies in a file here.
    pub fn owner(&self, words: &[&str]) -> Result<String, Failure> {
        let passphrase = format!("{DEPLOYMENT}/owner/passphrase");
        self.symbolon(&[&["--passphrase-file", &passphrase], words].concat())
    }

    /// The same with something on standard input.
    pub fn pipe(&self, words: &[&str], input: &[u8]) -> Result<Vec<u8>, Failure> {
        let ended = self.output(words, input)?;
        if ended.succeeded {
            return Ok(ended.stdout);
        }
        Err(Failure::new(format!("symbolon {} failed:\n{}", words.join(" "), ended.stderr)))
    }

    /// Runs a command that may fail.
    pub fn output(&self, words: &[&str], input: &[u8]) -> Result<Ended, Failure> {
        let doing = format!("running symbolon {}", words.join(" "));
        let mut command = self.command("symbolon", words);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .during(&doing)?;
        // A command that refuses early doesn't read its input; its exit code says all.
        let _refused_early = child.stdin.take().map(|mut stdin| stdin.write_all(input));
        let output = child.wait_with_output().during(&doing)?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Ended { succeeded: output.status.success(), stdout: output.stdout, stderr })
    }

    fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(words).current_dir(&self.folder).env_remove("SYMBOLON_PROFILE").stderr(Stdio::null());
        command
    }

    /// Stops a role, whoever started it, and waits for its end.
    pub fn stop(&mut self, role: Role) -> Result<(), Failure> {
        if let Some(place) = self.own.iter().position(|(own, _)| *own == role) {
            return end(&mut self.own.swap_remove(place).1);
        }
        let started = self.roles.iter().position(|(name, _)| name == role.name());
        let started = started.ok_or_else(|| Failure::new(format!("{} doesn't run", role.name())))?;
        let (_, pid) = self.roles.swap_remove(started);
        terminate(pid)?;
        while Path::new(&format!("/proc/{pid}")).exists() {
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Starts a role again, as an operator does.
    pub fn restart(&mut self, role: Role) -> Result<(), Failure> {
        self.take_place(role, "symbolon", &["fragment-manager", "run", "--config"])
    }

    /// Starts a liar in a role's place.
    pub fn lie(&mut self, role: Role) -> Result<(), Failure> {
        self.take_place(role, "symbolon-lying-manager", &["run", "--config"])
    }

    /// Starts a driver, which takes nobody's place.
    pub fn drive(&mut self) -> Result<(), Failure> {
        self.take_place(Role::Driver, "symbolon", &["driver", "run", "--config"])
    }

    fn take_place(&mut self, role: Role, program: &str, words: &[&str]) -> Result<(), Failure> {
        let config = format!("{DEPLOYMENT}/{}/config.toml", role.name());
        let doing = format!("starting {program} for {}", role.name());
        let mut command = self.command(program, &[words, &[&config]].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().during(&doing)?;
        let mut line = String::new();
        let stdout = child.stdout.take();
        self.own.push((role, child));
        stdout.map(|stdout| BufReader::new(stdout).read_line(&mut line)).transpose().during(&doing)?;
        if line.contains(" is ready ") {
            Ok(())
        } else {
            Err(Failure::new(format!("{doing}: it ended at once")))
        }
    }

    /// Stops everything and takes the folder away.
    pub fn clear(mut self) {
        let own = self.own.iter_mut().map(|(_, child)| child);
        for child in own.chain(&mut self.dev) {
            if let Err(failure) = end(child) {
                eprintln!("{failure}");
            }
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays behind: {error}", self.folder.display());
        }
    }
}

/// Asks a child to end, and waits.
fn end(child: &mut Child) -> Result<(), Failure> {
    terminate(child.id().into())?;
    child.wait().during("waiting for a process").map(|_| ())
}

/// The standard library only kills; `kill` asks.
fn terminate(pid: u64) -> Result<(), Failure> {
    Command::new("kill").arg(pid.to_string()).status().during("stopping a process").map(|_| ())
}

/// The JSON value with which a program's output begins.
fn first_json(stdout: ChildStdout) -> Result<Value, Failure> {
    let mut values = serde_json::Deserializer::from_reader(BufReader::new(stdout).take(1 << 20)).into_iter();
    values
        .next()
        .ok_or_else(|| Failure::new("symbolon dev ended at once"))?
        .during("reading what symbolon dev says")
}

/// A text in a JSON answer.
pub fn text(answer: &str, field: &str) -> Result<String, Failure> {
    let value: Value = serde_json::from_str(answer).during("reading an answer")?;
    let found = value[field].as_str().map(str::to_owned);
    found.ok_or_else(|| Failure::new(format!("no {field} in {answer}")))
}

/// A number in a JSON answer.
pub fn number(answer: &str, field: &str) -> Result<String, Failure> {
    let value: Value = serde_json::from_str(answer).during("reading an answer")?;
    value[field]
        .as_u64()
        .map(|number| number.to_string())
        .ok_or_else(|| Failure::new(format!("no {field} in {answer}")))
}
