//! The SDK for Kotlin.

use crate::figure::Figure;
use crate::sdk::Sdk;
use crate::site::Site;

const KOTLIN: Sdk = Sdk {
    name: "kotlin",
    command: "SYMBOLON_KOTLIN_BENCH",
    // The virtual machine compiles what it runs often.
    warm_up: 15,
    allowed: "1 KiB under a data key in hand, to the Rust client's; at most 60 µs more",
};

/// What a call costs, without and with the network, and the throughput of a large file both ways.
pub fn figures(site: &Site, rounds: usize, mebibytes: usize) -> Vec<Figure> {
    KOTLIN.figures(site, &mut KOTLIN.half(site), rounds, mebibytes)
}
