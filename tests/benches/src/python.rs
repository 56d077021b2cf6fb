//! The SDK for Python, also beside the AWS Encryption SDK for Python, and its batches beside single calls.

use crate::bulk::file_of;
use crate::figure::Figure;
use crate::half::Half;
use crate::measure::median;
use crate::sdk::{Sdk, file, throughput};
use crate::site::Site;

const PYTHON: Sdk = Sdk {
    name: "python",
    command: "SYMBOLON_PYTHON_BENCH",
    warm_up: 3,
    allowed: "1 KiB under a data key in hand, to the Rust client's; at most 30 µs more",
};

/// Records of a batch, and how many of them are encrypted one by one in the same turn.
const BATCH: u32 = 1000;
const SINGLY: u32 = 100;
/// Length of the file for two SDKs, MiB: the other one takes some seconds for it.
const SHARED_FILE: usize = 256;

/// What a call costs, without and with the network, the throughput of a large file, and two comparisons.
pub fn figures(site: &Site, rounds: usize, mebibytes: usize) -> Vec<Figure> {
    let mut half = PYTHON.half(site);
    let mut figures = PYTHON.figures(site, &mut half, rounds, mebibytes);
    figures.push(beside_aws(site, &mut half, rounds.min(3), mebibytes.min(SHARED_FILE)));
    figures.push(batch(&mut half, rounds.min(9)));
    figures
}

/// A file by both SDKs in turns, in the same interpreter.
fn beside_aws(site: &Site, half: &mut Half, rounds: usize, mebibytes: usize) -> Figure {
    let [plain, sealed] = ["shared.plain", "shared.sealed"].map(|name| site.scratch().join(name));
    file_of(&plain, mebibytes);
    let [ours, theirs] = ["encrypt", "aws"].map(|verb| file(verb, &plain, &sealed));
    let turn = |_| (half.measure(&ours), half.measure(&theirs));
    let (ours, theirs): (Vec<_>, Vec<_>) = (0..rounds).map(turn).unzip();
    throughput("python-bulk-vs-aws-encryption-sdk", mebibytes, &ours, &theirs)
        .note("a file, to aws-encryption-sdk with a raw keyring; should reach 5")
}

/// Many small records in one call, beside one call each.
fn batch(half: &mut Half, rounds: usize) -> Figure {
    let turn = |_| (half.measure(&format!("many {BATCH}")), half.measure(&format!("each {SINGLY}")));
    let (many, each): (Vec<_>, Vec<_>) = (0..rounds).map(turn).unzip();
    let per_second = |count: u32, times: &[f64]| f64::from(count) / median(times);
    Figure::new("python-batch", per_second(BATCH, &many), "records/s", per_second(SINGLY, &each))
        .note("1,000 at once, to one by one; should reach 10")
}
