//! `cargo xtask kotlin`: the SDK for Kotlin and Java, from the native library to the tested jar.
//!
//! Maven knows nothing of cargo: what it needs of ours (the native library, and the bindings that are generated from it)
//! is put where its `pom.xml` looks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{During, Failure};
use crate::{machine, step};

const LIBRARY: &str = "libsymbolon_uniffi.so";

/// `cargo xtask kotlin`: builds what the tests need, and runs them.
pub fn run(words: &[String]) -> Result<(), Failure> {
    if !words.is_empty() {
        return Err(Failure::new("kotlin takes no arguments"));
    }
    machine::provide(&[&machine::C_COMPILER, &machine::MAVEN, &machine::FAKETIME, &machine::SOFTHSM])?;
    step::run("programs", &mut step::cargo(&["build", "-q", "--workspace"]))?;
    test()
}

/// Packs the SDK and tests it, against programs that are built already.
pub fn test() -> Result<(), Failure> {
    bindings("debug")?;
    step::run("Kotlin", maven("debug").arg("verify"))
}

/// The command line of the program that takes part in tests/conformance's cross-opening; needs [`test()`] before.
pub fn cross() -> Result<String, Failure> {
    Ok(words_of("debug", "io.symbolon.conformance.CrossKt")?.join(" "))
}

/// The command line of a program that decrypts a file to its standard output: `FILE [NAME=VALUE…]`. The SDK of the
/// profile has been packed, by [`test()`] or [`pack`].
pub fn opener(profile: &str) -> Result<String, Failure> {
    Ok(words_of(profile, "io.symbolon.example.OpenKt")?.join(" "))
}

/// Packs the SDK with an optimised library; gives the command line of its load tool.
pub fn load_tool() -> Result<String, Failure> {
    pack()?;
    Ok(words_of("release", "io.symbolon.bench.MainKt")?.join(" "))
}

/// Packs the SDK with an optimised library, and tests nothing.
pub fn pack() -> Result<(), Failure> {
    machine::provide(&[&machine::C_COMPILER, &machine::MAVEN])?;
    let packages = ["-p", "symbolon-uniffi", "-p", "symbolon-uniffi-bindgen"];
    step::run("library", step::cargo(&["build", "-q", "--release"]).args(packages))?;
    bindings("release")?;
    step::run("Kotlin", maven("release").args(["package", "-DskipTests"]))
}

/// Puts the library into JNA's resource path, and the bindings that are generated from it beside.
fn bindings(profile: &str) -> Result<(), Failure> {
    let (built, bindings) = (step::target().join(profile), output(profile).join("bindings"));
    let native = bindings.join("native").join(resource_prefix());
    fs::create_dir_all(&native).during("making room for the bindings")?;
    let library = built.join(LIBRARY);
    let mut generate = Command::new(built.join("symbolon-uniffi-bindgen"));
    generate.arg("generate").arg(&library).args(["--language", "kotlin", "--no-format", "--out-dir"]);
    step::run("bindings", generate.arg(bindings.join("kotlin")).current_dir(step::root()))?;
    strip(&library, &native.join(LIBRARY))
}

/// The tests' library is many times as large with what debuggers want to know.
fn strip(from: &Path, to: &Path) -> Result<(), Failure> {
    step::run("library", Command::new("strip").arg("--strip-debug").arg("-o").arg(to).arg(from))
}

fn maven(profile: &str) -> Command {
    let mut command = Command::new("mvn");
    command
        .args(["-q", "-B"])
        .arg(format!("-Doutput={}", output(profile).display()))
        .current_dir(step::root().join("sdk-kotlin"))
        .env("SYMBOLON_BINARIES", step::target().join(profile));
    command
}

/// How a program of the SDK's tests is run with the packed jar.
fn words_of(profile: &str, class: &str) -> Result<Vec<String>, Failure> {
    let output = output(profile);
    let dependencies = fs::read_to_string(output.join("classpath")).during("reading the SDK's class path")?;
    let jar = output.join("symbolon-0.1.0.jar");
    let path = format!("{}:{}:{}", jar.display(), output.join("test-classes").display(), dependencies.trim());
    Ok(["java", "-cp", &path, class].map(Into::into).into())
}

fn output(profile: &str) -> PathBuf {
    let name = if profile == "debug" { "kotlin".into() } else { format!("kotlin-{profile}") };
    step::target().join(name)
}

/// How JNA calls this machine.
fn resource_prefix() -> String {
    let processor = std::env::consts::ARCH.replace("x86_64", "x86-64");
    format!("{}-{processor}", std::env::consts::OS)
}
