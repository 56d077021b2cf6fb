//! Keys in an HSM through the plugin, the library's process, and all that is checked on the way, beside the same functions
//! called directly. The HSM is kryoptic: on `SoftHSM2` one would measure `SoftHSM2`.
//!
//! `seal-kryoptic` seals 32 bytes under a key that stays unwrapped. `sign-kryoptic` is the whole cycle for each signature:
//! the outer MAC, unwrap, attributes read again, sign, destroy; its baseline only unwraps, signs and destroys.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use symbolon_hsm::plugin::Hosted;
use symbolon_hsm::{LABEL, Module, PIN, TestToken};
use symbolon_pkcs11::Program;
use symbolon_plugin::{KeyRef, KeySpec, Keystore, SignInput};

use crate::figure::Figure;
use crate::half::Half;
use crate::measure::median;

/// The word with which this program is started as the library's process.
pub const BROKER: &str = "pkcs11-broker";
/// Calls that are timed together.
const BATCH: u32 = 500;
const BINDING: &[u8] = b"binding";
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/hsm/bare.c");

/// Both figures.
pub fn figures(rounds: usize) -> Vec<Figure> {
    let token = TestToken::new(Module::Kryoptic);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut bare = bare(&token);
    runtime.block_on(async {
        let cached = store(&token, "").await;
        cached.keystore("acme").create_master().await.expect("a master key");
        let uncached = store(&token, "cache = 0").await;
        let (sealed, alone) = seal(&cached.keystore("acme"), &mut bare, rounds).await;
        let (signed, alone_signed) = sign(&uncached.keystore("acme"), &mut bare, rounds).await;
        vec![
            Figure::new("seal-kryoptic", micros(&sealed), "µs", micros(&alone))
                .note("bare PKCS#11; at most 40 µs more"),
            Figure::new("sign-kryoptic", rate(&signed), "/s", rate(&alone_signed))
                .note("bare PKCS#11; at least 0.6 of it"),
        ]
    })
}

async fn store(token: &TestToken, settings: &str) -> Hosted {
    let broker = Program::ourselves(BROKER).expect("our own file");
    Hosted::new(broker, token.settings(), settings).await
}

async fn seal(store: &Keystore, bare: &mut Half, rounds: usize) -> (Vec<f64>, Vec<f64>) {
    let spec = KeySpec { algorithm: "aes-256".to_owned(), usages: vec!["seal".to_owned()] };
    let key = store.generate(&spec, BINDING).await.expect("a key");
    let key = KeyRef { id: &key.id, binding: BINDING };
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begun = Instant::now();
        for _ in 0..BATCH {
            store.seal(key, black_box(&[3; 32]), &[2; 8]).await.expect("sealed");
        }
        times.0.push(begun.elapsed().as_secs_f64());
        times.1.push(bare.measure(&format!("seal {BATCH}")));
    }
    times
}

async fn sign(store: &Keystore, bare: &mut Half, rounds: usize) -> (Vec<f64>, Vec<f64>) {
    let spec = KeySpec { algorithm: "ecdsa-p256".to_owned(), usages: vec!["sign".to_owned()] };
    let key = store.generate(&spec, BINDING).await.expect("a key");
    let key = KeyRef { id: &key.id, binding: BINDING };
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begun = Instant::now();
        for _ in 0..BATCH {
            let digest = SignInput::Digest(black_box(&[4; 32]));
            store.sign(key, "ecdsa-p256-sha256", digest).await.expect("signed");
        }
        times.0.push(begun.elapsed().as_secs_f64());
        times.1.push(bare.measure(&format!("sign {BATCH}")));
    }
    times
}

fn micros(seconds: &[f64]) -> f64 {
    median(seconds) * 1e6 / f64::from(BATCH)
}

fn rate(seconds: &[f64]) -> f64 {
    f64::from(BATCH) / median(seconds)
}

/// A process that calls the library directly: `bare.c`.
fn bare(token: &TestToken) -> Half {
    let program = token.folder().join("bare");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-o"]).arg(&program).args([SOURCE, "-ldl"]);
    assert!(compiler.status().expect("a C compiler").success(), "cc");
    let mut command = Command::new(program);
    Half::start(command.arg(token.module().path()).args([LABEL, PIN]).envs(token.environment()))
}
