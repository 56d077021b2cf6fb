//! What the tests need from the machine, and how it gets there: Debian packages, installed when we are root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::step;

/// Something outside of cargo that a step needs: how to see that it is there, and the packages that bring it.
pub struct Need {
    pub name: &'static str,
    pub present: fn() -> bool,
    pub packages: &'static [&'static str],
}

/// The C sources are those of aws-lc and `SQLite`.
pub const C_COMPILER: Need =
    Need { name: "a C compiler", present: || answers("cc"), packages: &["gcc", "libc6-dev"] };

/// The ceremony's model and the second implementation of the vectors are Python; tests look into datastores with it.
pub const PYTHON: Need = Need {
    name: "Python 3 with sqlite3",
    present: || runs("python3", &["-c", "import sqlite3"]),
    packages: &["python3"],
};

/// A TLS client that isn't ours.
pub const OPENSSL: Need =
    Need { name: "openssl", present: || runs("openssl", &["version"]), packages: &["openssl"] };

/// Real processes get another time from it, never from a switch of ours.
pub const FAKETIME: Need =
    Need { name: "libfaketime", present: || answers("faketime"), packages: &["faketime"] };

/// Wheels are tried in an environment of their own.
pub const VENV: Need = Need {
    name: "Python's venv",
    present: || runs("python3", &["-c", "import ensurepip, venv"]),
    packages: &["python3-venv"],
};

/// The Kotlin client is built and tested with Maven.
pub const MAVEN: Need = Need {
    name: "a JDK and Maven",
    present: || answers("javac") && answers("mvn"),
    packages: &["default-jdk-headless", "maven"],
};

/// A PKCS#11 module in software, made by others.
pub const SOFTHSM: Need = Need {
    name: "SoftHSM2",
    present: || answers("softhsm2-util") && Path::new("/usr/lib/softhsm/libsofthsm2.so").exists(),
    packages: &["softhsm2"],
};

/// What the other PKCS#11 module, kryoptic, is built with: `OpenSSL`'s sources, and bindings made from headers.
pub const KRYOPTIC: Need = Need {
    name: "perl, make and libclang",
    present: || runs("perl", &["-MFindBin", "-MIPC::Cmd", "-e", ""]) && answers("make") && libclang(),
    packages: &["perl", "make", "libclang-dev"],
};

/// Volumes that aren't ours: LUKS images are made and opened by it.
pub const QEMU: Need = Need {
    name: "qemu-img and qemu-io",
    present: || answers("qemu-img") && answers("qemu-io"),
    packages: &["qemu-utils"],
};

/// A compiler that comes with the source of its libraries, for targets that rustup has not installed.
pub const LIBRARY_SOURCE: Need = Need {
    name: "a Rust compiler with its library's source",
    present: || Path::new("/usr/lib/rustlib/src/rust/library/alloc").is_dir() && answers("/usr/bin/rustc"),
    packages: &["rustc-web", "rust-web-src"],
};

/// Makes sure of all `needs` at once, so that apt runs once.
pub fn provide(needs: &[&Need]) -> Result<(), Failure> {
    let missing: Vec<&Need> = needs.iter().copied().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    if !is_root() || !answers("apt-get") {
        return Err(not_here(&missing, &packages));
    }
    install(&packages)
}

fn install(packages: &[&str]) -> Result<(), Failure> {
    let named = packages.join(" ");
    step::run("apt-get update", apt().args(["update", "-qq"]))?;
    step::run(
        &format!("install {named}"),
        apt().args(["install", "-qq", "-y", "--no-install-recommends"]).args(packages),
    )
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn not_here(missing: &[&Need], packages: &[&str]) -> Failure {
    let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
    Failure::new(format!(
        "this machine lacks {}; install it with\n  sudo apt-get install --no-install-recommends {}",
        names.join(", "),
        packages.join(" "),
    ))
}

/// Whether `program --version` can be run.
pub fn answers(program: &str) -> bool {
    runs(program, &["--version"])
}

fn runs(program: &str, words: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Debian keeps each version of it in a folder of its own.
fn libclang() -> bool {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].map(PathBuf::from);
    let versions = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let llvm = versions.map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains("/llvm-"));
    let mut files = folders
        .into_iter()
        .chain(llvm.map(|path| path.join("lib")))
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .flatten();
    files.any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libclang-") && name.contains(".so") || name == "libclang.so"
    })
}

/// The file that stands for our own process belongs to our effective user.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0)
}
