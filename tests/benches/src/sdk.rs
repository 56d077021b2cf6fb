//! An SDK beside the client that it is a shell of: what a call costs more, and what a large file does.
//!
//! The SDK's half is a program of its own, which does one thing at a time and says how long it took.

use crate::bulk::file_of;
use crate::figure::Figure;
use crate::half::Half;
use crate::measure::{median, seconds};
use crate::site::{Site, data_key, key};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use symbolon_client::{Context, DataKey, FileOptions};
use symbolon_fragments::SuiteId;

/// Calls of one measurement, of records and over the network.
const RECORDS: usize = 2000;
const CALLS: usize = 20;
/// Measurements of a large file: more would say little more.
const FILES: usize = 7;

/// An SDK.
pub(crate) struct Sdk {
    /// What its figures' names begin with.
    pub(crate) name: &'static str,
    /// The variable in which `cargo xtask bench` leaves the command line of its half.
    pub(crate) command: &'static str,
    /// Measurements before the first that counts.
    pub(crate) warm_up: usize,
    /// What a call may cost, in words.
    pub(crate) allowed: &'static str,
}

impl Sdk {
    /// Starts the SDK's half, with the site's profile and keys.
    pub(crate) fn half(&self, site: &Site) -> Half {
        let data_key = data_key();
        site.create(vec![data_key.clone()]);
        let command =
            std::env::var(self.command).expect("`cargo xtask bench` sets the command line of the SDK's half");
        let mut words = command.split_whitespace();
        let mut command = Command::new(words.next().expect("a program"));
        let profile = site.scratch().join("profile.toml");
        let keys = [key(SuiteId::Ristretto255Sha512), data_key.key.as_str()];
        Half::start(command.args(words).arg(profile).args(keys))
    }

    /// What a call costs, without and with the network, and the throughput of a large file both ways.
    pub(crate) fn figures(
        &self,
        site: &Site,
        half: &mut Half,
        rounds: usize,
        mebibytes: usize,
    ) -> Vec<Figure> {
        let mut figures = vec![self.record(site, half, rounds), self.call(site, half, rounds)];
        figures.extend(self.bulk(site, half, rounds.min(FILES), mebibytes));
        figures
    }

    fn record(&self, site: &Site, half: &mut Half, rounds: usize) -> Figure {
        let name = data_key().key;
        let data_key: DataKey =
            site.runtime.block_on(site.client.data_key(&name, &Context::new())).expect("it is granted");
        let (text, context) = ([0; 1024], Context::new());
        let ours = || (0..RECORDS).for_each(|_| drop(data_key.seal(&text, &context).expect("it is sealed")));
        let theirs = || half.measure(&format!("record {RECORDS}"));
        let (theirs, ours) = in_turns(self.warm_up, rounds, ours, theirs);
        micros(format!("{}-overhead", self.name), RECORDS, &theirs, &ours).note(self.allowed)
    }

    fn call(&self, site: &Site, half: &mut Half, rounds: usize) -> Figure {
        let key = key(SuiteId::Ristretto255Sha512).parse().expect("a key id");
        let (text, context) = ([0; 1024], Context::new());
        let ours = || {
            for _ in 0..CALLS {
                site.runtime.block_on(site.client.encrypt(&key, &text, &context)).expect("it is granted");
            }
        };
        let theirs = || half.measure(&format!("call {CALLS}"));
        let (theirs, ours) = in_turns(self.warm_up, rounds, ours, theirs);
        micros(format!("{}-overhead-networked", self.name), CALLS, &theirs, &ours)
            .note("1 KiB by the fragment managers, to the Rust client's")
    }

    fn bulk(&self, site: &Site, half: &mut Half, rounds: usize, mebibytes: usize) -> [Figure; 2] {
        let [plain, sealed, opened] =
            ["plain", "sealed", "opened"].map(|part| site.scratch().join(format!("{}.{part}", self.name)));
        file_of(&plain, mebibytes);
        let (encrypting, decrypting) = (file("encrypt", &plain, &sealed), file("decrypt", &sealed, &opened));
        let encrypted = in_turns(1, rounds, || encrypt(site, &plain, &sealed), || half.measure(&encrypting));
        let decrypted = in_turns(1, rounds, || decrypt(site, &sealed, &opened), || half.measure(&decrypting));
        [("bulk", encrypted), ("bulk-decrypt", decrypted)].map(|(name, (theirs, ours))| {
            throughput(format!("{}-{name}", self.name), mebibytes, &theirs, &ours)
                .note("a file, to the Rust client's; should reach 0.95")
        })
    }
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

/// Seconds of theirs and ours, measured in turns, so that what the machine does besides meets both.
pub(crate) fn in_turns(
    warm_up: usize,
    rounds: usize,
    mut ours: impl FnMut(),
    mut theirs: impl FnMut() -> f64,
) -> (Vec<f64>, Vec<f64>) {
    for _ in 0..warm_up.min(rounds) {
        ours();
        theirs();
    }
    (0..rounds).map(|_| (theirs(), seconds(1, &mut ours)[0])).unzip()
}

/// MiB a second of two.
pub(crate) fn throughput(name: impl Into<String>, mebibytes: usize, theirs: &[f64], ours: &[f64]) -> Figure {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let size = mebibytes as f64;
    Figure::new(name, size / median(theirs), "MiB/s", size / median(ours))
}

fn micros(name: String, times: usize, theirs: &[f64], ours: &[f64]) -> Figure {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let each = |all: &[f64]| median(all) / times as f64 * 1e6;
    Figure::new(name, each(theirs), "µs", each(ours))
}

/// The line that has a file encrypted or decrypted.
pub(crate) fn file(verb: &str, from: &Path, to: &Path) -> String {
    format!("{verb} {} {}", from.display(), to.display())
}
