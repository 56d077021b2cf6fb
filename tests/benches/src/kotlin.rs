//! The SDK for Kotlin beside the client that it is a shell of: what a call costs more, and what a large file does.

use crate::bulk::file_of;
use crate::figure::Figure;
use crate::measure::{median, seconds};
use crate::site::{Site, data_key, key};
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use symbolon_client::{Context, DataKey, FileOptions};
use symbolon_fragments::SuiteId;

/// The command line of the SDK's half, as `cargo xtask bench` knows it.
const COMMAND: &str = "SYMBOLON_KOTLIN_BENCH";
/// Calls of one measurement, of records and over the network.
const RECORDS: usize = 2000;
const CALLS: usize = 20;
/// Measurements before the first that counts: the virtual machine compiles what it runs often.
const WARM_UP: usize = 15;

/// What a call costs, without and with the network, and the throughput of a large file both ways.
pub fn figures(site: &Site, rounds: usize, mebibytes: usize) -> Vec<Figure> {
    site.create(vec![data_key()]);
    let mut other = Other::start(site);
    let mut figures = vec![record(site, &mut other, rounds), call(site, &mut other, rounds)];
    figures.extend(bulk(site, &mut other, rounds.min(7), mebibytes));
    figures
}

fn record(site: &Site, other: &mut Other, rounds: usize) -> Figure {
    let name = data_key().key;
    let data_key: DataKey =
        site.runtime.block_on(site.client.data_key(&name, &Context::new())).expect("it is granted");
    let (text, context) = ([0; 1024], Context::new());
    let ours = || (0..RECORDS).for_each(|_| drop(data_key.seal(&text, &context).expect("it is sealed")));
    let (theirs, ours) = in_turns(rounds, ours, || other.measure(&format!("record {RECORDS}")));
    micros("kotlin-overhead", RECORDS, &theirs, &ours)
        .note("1 KiB under a data key in hand, to the Rust client's; at most 60 µs more")
}

fn call(site: &Site, other: &mut Other, rounds: usize) -> Figure {
    let key = key(SuiteId::Ristretto255Sha512).parse().expect("a key id");
    let (text, context) = ([0; 1024], Context::new());
    let ours = || {
        for _ in 0..CALLS {
            site.runtime.block_on(site.client.encrypt(&key, &text, &context)).expect("it is granted");
        }
    };
    let (theirs, ours) = in_turns(rounds, ours, || other.measure(&format!("call {CALLS}")));
    micros("kotlin-overhead-networked", CALLS, &theirs, &ours)
        .note("1 KiB by the fragment managers, to the Rust client's")
}

fn bulk(site: &Site, other: &mut Other, rounds: usize, mebibytes: usize) -> [Figure; 2] {
    let folder = site.scratch();
    let [plain, sealed, opened] =
        ["kotlin.plain", "kotlin.sealed", "kotlin.opened"].map(|name| folder.join(name));
    file_of(&plain, mebibytes);
    let both = |verb: &str, from: &Path, to: &Path| format!("{verb} {} {}", from.display(), to.display());
    let (encrypting, decrypting) = (both("encrypt", &plain, &sealed), both("decrypt", &sealed, &opened));
    let encrypted = in_turns(rounds, || encrypt(site, &plain, &sealed), || other.measure(&encrypting));
    let decrypted = in_turns(rounds, || decrypt(site, &sealed, &opened), || other.measure(&decrypting));
    [("kotlin-bulk", encrypted), ("kotlin-bulk-decrypt", decrypted)].map(|(name, (theirs, ours))| {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let total = mebibytes as f64;
        Figure::new(name, total / median(&theirs), "MiB/s", total / median(&ours))
            .note("a file, to the Rust client's; should reach 0.95")
    })
}

fn encrypt(site: &Site, from: &Path, to: &Path) {
    let key = key(SuiteId::Ristretto255Sha512).parse().expect("a key id");
    let (context, options) = (Context::new(), FileOptions { overwrite: true });
    let progress = Box::new(|_| ControlFlow::Continue(()));
    let work = site.client.encrypt_file(&key, &context, from, to, options, progress);
    site.runtime.block_on(work).expect("it is encrypted");
}

fn decrypt(site: &Site, from: &Path, to: &Path) {
    let (context, options) = (Context::new(), FileOptions { overwrite: true });
    let progress = Box::new(|_| ControlFlow::Continue(()));
    let work = site.client.decrypt_file(&context, from, to, options, progress);
    site.runtime.block_on(work).expect("it is authentic");
}

/// Seconds of both, measured in turns, so that what the machine does besides meets both.
fn in_turns(rounds: usize, mut ours: impl FnMut(), mut theirs: impl FnMut() -> f64) -> (Vec<f64>, Vec<f64>) {
    for _ in 0..WARM_UP.min(rounds) {
        ours();
        theirs();
    }
    (0..rounds).map(|_| (theirs(), seconds(1, &mut ours)[0])).unzip()
}

fn micros(name: &str, times: usize, theirs: &[f64], ours: &[f64]) -> Figure {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let each = |all: &[f64]| median(all) / times as f64 * 1e6;
    Figure::new(name, each(theirs), "µs", each(ours))
}

/// The SDK's half: a virtual machine that measures one thing at a time.
struct Other {
    child: Child,
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Other {
    fn start(site: &Site) -> Self {
        let command =
            std::env::var(COMMAND).expect("`cargo xtask bench` sets the command line of the SDK's half");
        let mut words = command.split_whitespace();
        let mut child = Command::new(words.next().expect("a program"))
            .args(words)
            .arg(site.scratch().join("profile.toml"))
            .args([key(SuiteId::Ristretto255Sha512), data_key().key.as_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("java starts");
        let asking = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, asking, answers }
    }

    /// Seconds of what the line says.
    fn measure(&mut self, line: &str) -> f64 {
        writeln!(self.asking, "{line}").expect("it listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        answer.trim().parse().expect("seconds")
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself, having failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
