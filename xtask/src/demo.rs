//! `cargo xtask demo`: the system's promises on a real file of 1 GiB, or as many MiB as said, step by step, each with its time.
//!
//! It is a user: it knows the command line and nothing else. What it makes, it takes away again.

mod big_file;
mod chain;
mod languages;
mod stage;

use std::time::Instant;

use crate::failure::{During, Failure};
use crate::python::Environment;
use crate::{machine, plugins, step};
use big_file::BigFile;
use languages::Languages;
use stage::{Role, Stage};

/// How the line of a step begins: its time, right-aligned.
const TIME: usize = 8;

/// The message on which small steps are shown.
const MESSAGE: &[u8] = b"a message whose key never existed whole";

/// How often a liar that is seldom asked is looked for.
const TRIES: usize = 20;

/// MiB of the file that nobody chose otherwise.
const MEBIBYTES: u64 = 1024;

/// What it takes from the machine, installed at once.
const NEEDS: [&machine::Need; 6] = [
    &machine::C_COMPILER,
    &machine::PYTHON,
    &machine::VENV,
    &machine::MAVEN,
    &machine::SOFTHSM,
    &machine::QEMU,
];

/// `cargo xtask demo [--size MIB]`.
pub fn run(words: &[String]) -> Result<(), Failure> {
    let mebibytes = match words {
        [] => MEBIBYTES,
        [option, size] if option == "--size" => size.parse().during("the size, in MiB")?,
        _ => return Err(Failure::new("demo takes no arguments but  --size MIB")),
    };
    machine::provide(&NEEDS)?;
    let programs = ["build", "-q", "--release", "-p", "symbolon-server", "-p", "symbolon-lying-manager"];
    step::run("build the programs (some minutes the first time)", &mut step::cargo(&programs))?;
    perform("release", mebibytes, &Languages::build()?)
}

/// All of it on a small file, with what the tests have built: whether it is still true.
pub fn rehearse(python: Environment) -> Result<(), Failure> {
    eprintln!("── demo on a small file");
    perform("debug", 4, &Languages::of_tests(python)?)
}

fn perform(profile: &str, mebibytes: u64, languages: &Languages) -> Result<(), Failure> {
    let plugins = plugins::build()?;
    let mut stage = Stage::set(&step::target().join(profile))?;
    let played = play(&mut stage, mebibytes)
        .and_then(|()| languages.show(&stage))
        .and_then(|()| chain::show(&mut stage, &plugins));
    stage.clear();
    played
}

fn play(stage: &mut Stage, mebibytes: u64) -> Result<(), Failure> {
    let file =
        act(&format!("a file of {mebibytes} MiB"), || BigFile::make(&stage.path("archive.tar"), mebibytes))?;
    let up = act("the whole system starts", || stage.start())?;
    println!("{:TIME$}  {up}", "");
    let key = act("a 2-of-3 key is created", || {
        stage.symbolon(&["key", "create", "notes", "--threshold", "2-of-3"])
    })?;
    println!("{:TIME$}  {}", "", key.trim_end().replace('\n', &format!("\n{:TIME$}  ", "")));
    act("the file is encrypted", || stage.symbolon(&["encrypt", "--key", "notes", "archive.tar"]))?;
    let small = stage.pipe(&["encrypt", "--key", "notes"], MESSAGE)?;
    act("one fragment manager stops", || stage.stop(Role::Kfm2))?;
    decrypted_again(stage, &file, "the file is decrypted by the other two, and is the same")?;
    act("it is started again", || stage.restart(Role::Kfm2))?;
    act("all fragments are made anew; the old ones are erased", || stage.symbolon(&["refresh"]))?;
    decrypted_again(stage, &file, "the file is decrypted with the new fragments, and is the same")?;
    act("a lying fragment manager is named, and decryption goes on", || liar_is_named(stage, &small))?;
    act("a revoked caller is refused", || revoked_is_refused(stage))?;
    let audit = act("the audit log is verified", || stage.symbolon(&["audit", "verify"]))?;
    println!("{:TIME$}  {}", "", audit.trim_end().replace('\n', &format!("\n{:TIME$}  ", "")));
    Ok(())
}

/// One step, and a line with its time.
fn act<T>(what: &str, step: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let began = Instant::now();
    let done = step().map_err(|failure| Failure::new(format!("{what}: it is not so\n{failure}")))?;
    println!("{:>TIME$}  {what}", format!("{:.2} s", began.elapsed().as_secs_f64()));
    Ok(done)
}

fn decrypted_again(stage: &Stage, file: &BigFile, what: &str) -> Result<(), Failure> {
    act(what, || {
        stage.symbolon(&["decrypt", "--output", "again.tar", "--force", "archive.tar.symbolon"])?;
        file.is_the_same_as(&stage.path("again.tar"))
    })
}

/// A liar takes the place of kfm-1, with its keys and its fragments. Encryption fails before anything is written;
/// decryption goes on through the others; both name it.
fn liar_is_named(stage: &mut Stage, small: &[u8]) -> Result<(), Failure> {
    stage.stop(Role::Kfm1)?;
    stage.lie(Role::Kfm1)?;
    // A busy machine may have the two others answer first; the message is right each time.
    let mut named = false;
    for _ in 0..TRIES {
        let opened = stage.output(&["decrypt"], small)?;
        expect(opened.stdout == MESSAGE, "the message isn't decrypted through the others")?;
        named = opened.says("kfm-1") && opened.says("lied");
        if named {
            break;
        }
    }
    expect(named, "decryption doesn't name the liar")?;
    let refused = stage.output(&["encrypt", "--key", "notes"], MESSAGE)?;
    expect(!refused.succeeded && refused.stdout.is_empty(), "a ciphertext was released to a liar")?;
    expect(refused.says("kfm-1"), "encryption doesn't name the liar")?;
    stage.stop(Role::Kfm1)?;
    stage.restart(Role::Kfm1)
}

fn revoked_is_refused(stage: &Stage) -> Result<(), Failure> {
    let bob = ["--profile", "bob.toml"];
    let made =
        stage.symbolon(&["profile", "create", "bob.toml", "--account", "account.root", "--no-passphrase"])?;
    let id = made.split_whitespace().find(|word| word.starts_with("sym1"));
    let id = id.ok_or_else(|| Failure::new(format!("no access id in: {made}")))?;
    let grant =
        stage.owner(&["--json", "grant", "create", "--to", id, "--key", "notes", "--allow", "encrypt"])?;
    let encrypt = [&bob[..], &["encrypt", "--key", "notes"]].concat();
    stage.pipe(&encrypt, MESSAGE)?;
    stage.owner(&["grant", "revoke", &stage::number(&grant, "id")?])?;
    let refused = stage.output(&encrypt, MESSAGE)?;
    expect(!refused.succeeded && refused.stdout.is_empty(), "the revoked caller still encrypts")?;
    expect(refused.says("revoked"), "the caller isn't told that it was revoked")
}

fn expect(holds: bool, otherwise: impl Into<String>) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(otherwise)) }
}
