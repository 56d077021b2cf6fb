//! The command line as people and programs meet it: help, manual, completions, JSON, labels, shared roots, a bar on a terminal.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use symbolon_e2e::{Deployment, exit, run, symbolon};
use tempfile::TempDir;

/// A command: the words after `symbolon`, and its help.
struct Documented {
    words: Vec<String>,
    help: String,
}

/// This command and every one below it, as the help lists them.
fn commands(words: &[String]) -> Vec<Documented> {
    let help = run(Command::new(symbolon()).args(words).arg("--help"), b"").text();
    let listed = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
    let listed = listed.lines().take_while(|line| !line.is_empty());
    // A name is indented by two spaces; a description that goes on, by more.
    let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let below: Vec<_> = names.flat_map(|name| commands(&[words, &[name.to_owned()]].concat())).collect();
    [Documented { words: words.to_vec(), help }].into_iter().chain(below).collect()
}

#[test]
fn every_command_has_a_man_page_and_every_shell_its_completions() {
    let commands = commands(&[]);
    assert!(commands.len() > 60, "the help is not read");
    let expected: BTreeSet<_> = commands
        .iter()
        .map(|command| [&["symbolon".to_owned()], &command.words[..]].concat().join("-") + ".1")
        .collect();
    let folder = TempDir::new().unwrap();
    run(Command::new(symbolon()).args(["man", "--dir"]).arg(folder.path()), b"").succeeds();
    let pages = fs::read_dir(folder.path()).unwrap();
    let pages: BTreeSet<_> = pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(pages, expected);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(Command::new(symbolon()).args(["completions", shell]), b"").text();
        for word in ["customer-fragment", "cancel-destruction", "passphrase-file"] {
            assert!(script.contains(word), "{shell} doesn't complete {word}");
        }
    }
    run(Command::new(symbolon()).arg("encrpyt"), b"").fails(exit::USAGE);
}

/// Arguments and environment are seen by others on the machine: a secret comes from a file or a terminal.
#[test]
fn no_secret_is_an_argument_or_in_the_environment() {
    let mut taken = BTreeSet::new();
    for Documented { words, help } in commands(&[]) {
        let text: Vec<&str> = help.split_whitespace().collect();
        let with_value = text.windows(2).filter(|pair| pair[1].starts_with('<'));
        taken.extend(with_value.filter_map(|pair| pair[0].strip_prefix("--")).map(str::to_owned));
        let variables = help.split("[env: ").skip(1).filter_map(|rest| rest.split('=').next());
        assert!(variables.into_iter().all(|name| name == "SYMBOLON_PROFILE"), "{words:?} reads a variable");
    }
    for option in ["passphrase", "pin", "password", "secret", "seed", "fragment"] {
        assert!(!taken.contains(option), "a command takes --{option}");
    }
    assert!(taken.contains("passphrase-file") && taken.contains("pin-file"), "{taken:?}");
}

#[test]
fn keys_have_labels_and_may_share_a_root() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "shop/root", "--shared", "--label", "env=test"]).succeeds();
    for key in ["shop/orders", "shop/carts"] {
        cli.run(&["key", "create", key, "--on", "shop/root"]).succeeds();
    }
    cli.run(&["key", "create", "alone"]).succeeds();
    let instances = deployment.fragments_held(0);
    assert_eq!(instances, 2, "a key on a shared root makes no fragments of its own");

    cli.run(&["key", "label", "shop/orders", "team=billing", "env=prod"]).succeeds();
    cli.run(&["key", "label", "shop/orders", "env=test", "--remove", "team"]).succeeds();
    let names = |arguments: &[&str]| {
        let listed = cli.json(&[&["key", "list"], arguments].concat());
        let listed = listed.as_array().unwrap().iter();
        listed.map(|key| key["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["alone", "shop/carts", "shop/orders", "shop/root"]);
    assert_eq!(names(&["--below", "shop"]), ["shop/carts", "shop/orders", "shop/root"]);
    assert_eq!(names(&["--label", "env=test"]), ["shop/orders", "shop/root"]);
    assert_eq!(names(&["--label", "team=billing"]), [""; 0]);

    // Independent keys all the same: what one encrypts, another doesn't open, and each is switched off alone.
    let sealed = cli.pipe(&["encrypt", "--key", "shop/orders"], b"order").succeeds();
    let shown = cli.json(&["key", "show", "shop/orders"]);
    assert_eq!(shown["versions"][0]["certificate"]["kind"], json!("shared"), "{shown}");
    deployment.owner().run(&["key", "disable", "shop/carts"]).succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"order");
    let words = cli.pipe(&["encrypt", "--key", "shop/carts"], b"cart").fails(exit::DENIED);
    assert!(words.contains("disabled"), "{words}");
}

#[test]
fn programs_get_json_and_errors_too() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let folder = deployment.site().directory();
    fs::write(folder.join("plain"), "message").unwrap();
    let encrypted = cli.json(&["encrypt", "--key", "notes", "plain"]);
    assert_eq!((&encrypted["key"], &encrypted["bytes"]).1, &json!(size(&folder.join("plain.symbolon"))));
    for question in [
        &["status"][..],
        &["key", "show", "notes"],
        &["grant", "list"],
        &["root", "show"],
        &["profile", "show"],
        &["inspect", "plain.symbolon"],
        &["customer-fragment", "list"],
        &["audit", "verify"],
        &["refresh", "notes"],
    ] {
        cli.json(question);
    }
    let refused = cli.run(&["--json", "key", "show", "nothing"]).fails(exit::NOT_FOUND);
    let refused: serde_json::Value = serde_json::from_str(&refused).expect("one JSON value on stderr");
    assert_eq!(refused["error"]["kind"], json!("not-found"), "{refused}");
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

/// `script` gives the command a terminal of its own, and writes down what it draws there.
#[test]
fn progress_is_drawn_on_a_terminal_and_nowhere_else() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let folder = deployment.site().directory();
    let file = fs::File::create(folder.join("large")).unwrap();
    file.set_len(64 << 20).unwrap();

    let profile = cli.profile().display();
    let line = format!("{} --profile {profile} encrypt --key notes large", symbolon().display());
    let mut watched = Command::new("script");
    watched.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(folder);
    let seen = run(&mut watched, b"").text();
    assert!(seen.contains('%') && seen.contains("left"), "no bar: {seen:?}");

    let piped = cli.run(&["decrypt", "--output", "again", "large.symbolon"]);
    assert!(!piped.stderr.contains('%') && !piped.stderr.contains('\r'), "{piped}");
    piped.succeeds();
    assert_eq!(size(&folder.join("again")), 64 << 20);
}
