//! What `symbolon dev` takes when nobody asks for anything.

use crate::figure::Figure;
use crate::process::{children, proportional_memory};
use std::thread::sleep;
use std::time::{Duration, Instant};
use symbolon_e2e::{Guardian, PATIENCE, Start, symbolon};

const MIB: f64 = 1024.0 * 1024.0;
/// What the deployment says once all roles answer.
const UP: &str = "Symbolon is up";
/// Time to come to rest.
const REST: Duration = Duration::from_secs(3);

/// The memory of all processes of an idle `symbolon dev`.
///
/// # Panics
/// If it does not come up.
pub fn figures() -> Vec<Figure> {
    let guardian = Guardian::new();
    let directory = guardian.directory().join("dev");
    let directory = directory.to_str().expect("paths of tests are UTF-8");
    let mut dev = Start::new("dev", &symbolon(), &["dev", "--directory", directory]).spawn(&guardian);
    let patience = Instant::now() + PATIENCE;
    while !dev.log().contains(UP) {
        assert!(Instant::now() < patience && dev.is_running(), "symbolon dev is not up:\n{}", dev.log());
        sleep(Duration::from_millis(20));
    }
    sleep(REST);
    let processes = children(dev.pid()).into_iter().chain([dev.pid()]);
    let bytes: u64 = processes.map(proportional_memory).sum();
    dev.stop();
    #[expect(clippy::cast_precision_loss, reason = "some mebibytes")]
    let memory = bytes as f64 / MIB;
    vec![Figure::new("dev-memory", memory, "MiB", 150.0).note("to what is allowed; should stay below 1")]
}
