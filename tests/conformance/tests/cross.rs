//! What one program wrote, the others open: the command line, Rust, and the SDKs whose programs are named.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use symbolon_e2e::{Cli, Deployment, build, run};

/// A program that writes and opens by the plan.
enum Program {
    /// `symbolon` itself, which has words of its own.
    CommandLine,
    /// `PROGRAM write|open FOLDER NAME`.
    Named(&'static str, Vec<String>),
}

/// Those that are here, the SDKs' by what `cargo xtask test` says.
fn programs() -> Vec<Program> {
    let rust = build("symbolon-conformance", "symbolon-cross").to_str().expect("UTF-8").to_owned();
    let sdk = |name, variable| {
        let line = std::env::var(variable).ok()?;
        Some(Program::Named(name, line.split_whitespace().map(str::to_owned).collect()))
    };
    let sdks = [sdk("python", "SYMBOLON_CROSS_PYTHON"), sdk("kotlin", "SYMBOLON_CROSS_KOTLIN")];
    let here = [Program::CommandLine, Program::Named("rust", vec![rust])];
    here.into_iter().chain(sdks.into_iter().flatten()).collect()
}

#[test]
fn what_one_wrote_the_others_open() {
    let plan_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("cross.json");
    let plan: Value = serde_json::from_slice(&fs::read(&plan_file).unwrap()).unwrap();
    let deployment = Deployment::start();
    let folder = deployment.site().directory().join("cross");
    fs::create_dir(&folder).unwrap();
    fs::copy(&plan_file, folder.join("cross.json")).unwrap();
    make_keys(&deployment.cli(), &plan);
    let programs = programs();
    for program in &programs {
        program.play(&deployment.cli(), "write", &plan, &folder);
    }
    let written = fs::read_dir(&folder).unwrap().count() - 1;
    assert_eq!(written, programs.len() * plan["entries"].as_array().unwrap().len());
    for program in &programs {
        program.play(&deployment.cli(), "open", &plan, &folder);
    }
}

fn make_keys(cli: &Cli, plan: &Value) {
    cli.run(&["customer-fragment", "create", "--plain"]).succeeds();
    for key in plan["keys"].as_array().unwrap() {
        let mut words = vec!["key", "create", text(&key["key"]), "--suite", text(&key["suite"])];
        words.extend((key["customer-fragment"] == true).then_some("--customer-fragment"));
        cli.run(&words).succeeds();
    }
}

impl Program {
    fn play(&self, cli: &Cli, verb: &str, plan: &Value, folder: &Path) {
        match self {
            Self::Named(name, line) => {
                let mut command = Command::new(&line[0]);
                command.args(&line[1..]).arg(verb).arg(folder).arg(name);
                run(command.env("SYMBOLON_PROFILE", cli.profile()), b"").succeeds();
            }
            Self::CommandLine => {
                for entry in plan["entries"].as_array().unwrap() {
                    if verb == "write" { encrypt(cli, entry, folder) } else { decrypt(cli, entry, folder) }
                }
            }
        }
    }
}

fn encrypt(cli: &Cli, entry: &Value, folder: &Path) {
    let target = folder.join(format!("{}.cli.symbolon", text(&entry["name"])));
    let mut words = vec!["encrypt".to_owned(), "--key".to_owned(), text(&entry["key"]).to_owned()];
    words.extend(context(entry));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    fs::write(target, cli.pipe(&words, &pattern(entry)).succeeds()).unwrap();
}

fn decrypt(cli: &Cli, entry: &Value, folder: &Path) {
    let words: Vec<String> = ["decrypt".to_owned()].into_iter().chain(context(entry)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for file in written(entry, folder) {
        let opened = cli.pipe(&words, &fs::read(&file).unwrap()).succeeds();
        assert!(opened == pattern(entry), "{} holds something else", file.display());
    }
}

fn written(entry: &Value, folder: &Path) -> Vec<PathBuf> {
    let prefix = format!("{}.", text(&entry["name"]));
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.file_name().unwrap().to_string_lossy().starts_with(&prefix)).collect()
}

fn context(entry: &Value) -> Vec<String> {
    let pairs = entry["context"].as_object().unwrap();
    pairs.iter().flat_map(|(name, value)| ["--context".into(), format!("{name}={}", text(value))]).collect()
}

fn pattern(entry: &Value) -> Vec<u8> {
    let length = usize::try_from(entry["pattern"].as_u64().unwrap()).unwrap();
    (0..=250).cycle().take(length).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
