//! Large files through the client's streams, beside the bare cipher on the same reads, writes, chunks and threads.

mod bare;

use crate::figure::Figure;
use crate::measure::{median, seconds};
use crate::process::peak_memory;
use crate::site::{Site, key};
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use symbolon_client::{Context, read_preamble};
use symbolon_fragments::SuiteId;

const MIB: f64 = 1024.0 * 1024.0;

/// Throughput of files and in memory, and the memory that a large file takes.
pub fn figures(site: &Site, rounds: usize, mebibytes: usize) -> Vec<Figure> {
    let files = Files::new(&site.scratch(), mebibytes);
    let mut figures = vec![files.encrypt(site, rounds), files.decrypt(site, rounds)];
    figures.extend(in_memory(site, rounds, mebibytes.min(256)));
    figures.push(memory(site, &files));
    figures
}

/// The large file and the places for what is made of it.
struct Files {
    plain: std::path::PathBuf,
    sealed: std::path::PathBuf,
    opened: std::path::PathBuf,
    mebibytes: usize,
}

impl Files {
    fn new(directory: &Path, mebibytes: usize) -> Self {
        let [plain, sealed, opened] = ["plain", "sealed", "opened"].map(|name| directory.join(name));
        file_of(&plain, mebibytes);
        Self { plain, sealed, opened, mebibytes }
    }

    fn encrypt(&self, site: &Site, rounds: usize) -> Figure {
        let ours = || encrypt(site, open(&self.plain), create(&self.sealed));
        let bare = || bare::encrypt(open(&self.plain), create(&self.opened)).expect("it is encrypted");
        compare("bulk-encrypt", self.mebibytes, rounds, ours, bare)
    }

    fn decrypt(&self, site: &Site, rounds: usize) -> Figure {
        let bare_sealed = self.opened.with_extension("bare");
        bare::encrypt(open(&self.plain), create(&bare_sealed)).expect("it is encrypted");
        let ours = || decrypt(site, open(&self.sealed), create(&self.opened));
        let bare = || bare::decrypt(open(&bare_sealed), create(&self.opened)).expect("it is authentic");
        compare("bulk-decrypt", self.mebibytes, rounds, ours, bare)
    }
}

/// Makes a file of so many mebibytes.
pub(crate) fn file_of(path: &Path, mebibytes: usize) {
    let mut file = File::create(path).expect("the directory can be written");
    let mut block = vec![0; 1 << 20];
    getrandom::fill(&mut block).expect("the system gives random bytes");
    for _ in 0..mebibytes {
        file.write_all(&block).expect("there is room");
    }
}

/// Throughput beside the bare cipher's. Both take turns, so that what the machine does besides meets both.
fn compare(
    name: &str,
    mebibytes: usize,
    rounds: usize,
    mut ours: impl FnMut(),
    mut bare: impl FnMut(),
) -> Figure {
    ours();
    bare();
    let pairs = (0..rounds).map(|_| (seconds(1, &mut ours)[0], seconds(1, &mut bare)[0]));
    let (ours, bare): (Vec<_>, Vec<_>) = pairs.unzip();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let size = mebibytes as f64;
    Figure::new(name, size / median(&ours), "MiB/s", size / median(&bare))
        .note("to bare AES-256-GCM; should reach 0.7")
}

fn open(path: &Path) -> File {
    File::open(path).expect("the file is there")
}

fn create(path: &Path) -> File {
    File::create(path).expect("the directory can be written")
}

fn encrypt(site: &Site, input: impl Read + Send, output: impl Write + Send) {
    let key = key(SuiteId::Ristretto255Sha512).parse().expect("a key id");
    let encryption =
        site.runtime.block_on(site.client.encryption(&key, &Context::new())).expect("it is granted");
    encryption.run(input, output, &mut |_| ControlFlow::Continue(())).expect("it is encrypted");
}

fn decrypt(site: &Site, mut input: impl Read + Send, output: impl Write + Send) {
    let preamble = read_preamble(&mut input).expect("a ciphertext");
    let decryption =
        site.runtime.block_on(site.client.decryption(&preamble, &Context::new())).expect("it is granted");
    decryption.run(input, output, &mut |_| ControlFlow::Continue(())).expect("it is authentic");
}

/// The same without files: what remains is the cipher and the way to it.
fn in_memory(site: &Site, rounds: usize, mebibytes: usize) -> [Figure; 2] {
    let plain = vec![0; mebibytes << 20];
    let (mut sealed, mut bare) = (Vec::new(), Vec::new());
    encrypt(site, &plain[..], &mut sealed);
    bare::encrypt(&plain[..], &mut bare).expect("it is encrypted");
    [
        compare(
            "bulk-encrypt-memory",
            mebibytes,
            rounds,
            || encrypt(site, &plain[..], io::sink()),
            || {
                bare::encrypt(&plain[..], io::sink()).expect("it is encrypted");
            },
        ),
        compare(
            "bulk-decrypt-memory",
            mebibytes,
            rounds,
            || decrypt(site, &sealed[..], io::sink()),
            || {
                bare::decrypt(&bare[..], io::sink()).expect("it is authentic");
            },
        ),
    ]
}

/// How much more memory the command line needs for the large file than for an empty one.
fn memory(site: &Site, files: &Files) -> Figure {
    let idle = peak_of_encrypting(site, Path::new("/dev/null"));
    let large = peak_of_encrypting(site, &files.plain);
    #[expect(clippy::cast_precision_loss, reason = "some mebibytes")]
    let over = large.saturating_sub(idle) as f64 / MIB;
    Figure::new("bulk-memory", over, "MiB", 64.0).note("over idle, to what is allowed; should stay below 1")
}

/// The peak of a `symbolon encrypt` from a file to nowhere.
fn peak_of_encrypting(site: &Site, plain: &Path) -> u64 {
    let mut child = Command::new(symbolon_e2e::symbolon())
        .arg("--profile")
        .arg(site.scratch().join("profile.toml"))
        .args(["encrypt", "--key", key(SuiteId::Ristretto255Sha512)])
        .stdin(open(plain))
        .stdout(Stdio::null())
        .spawn()
        .expect("symbolon starts");
    let mut peak = 0;
    while child.try_wait().expect("it is our child").is_none() {
        peak = peak_memory(child.id()).unwrap_or(0).max(peak);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(child.wait().expect("it is our child").success(), "symbolon encrypt failed");
    peak
}
