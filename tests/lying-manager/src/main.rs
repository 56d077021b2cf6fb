//! A fragment manager that lies: it runs from an honest manager's configuration, identity and datastore, and evaluates with `s + 1`.
//!
//! It is a binary of its own, because `symbolon` has no switch for lying. Its proofs are made with `s + 1` too, which is the best that a
//! liar can do: they are right for a public share that no certificate names.
#![forbid(unsafe_code)]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser};
use symbolon_channel::CancellationToken;
use symbolon_fragment_manager::{BoxFuture, Clock, Config, FragmentError, FragmentManager, FragmentSource};
use symbolon_fragments::names::InstanceId;
use symbolon_server::passphrase::Passphrases;
use symbolon_server::sealing::unlock;
use symbolon_server::{config, identity, port, process};
use zeroize::Zeroizing;

/// What an honest manager's `symbolon fragment-manager run` takes.
#[derive(Parser)]
#[command(name = "symbolon-lying-manager")]
enum Command {
    /// Evaluates with another fragment than the one that was dealt
    Run(Run),
}

#[derive(Args)]
struct Run {
    /// The configuration of the manager whose place it takes
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where the sealing key's passphrase is, if it has one
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Command::Run(run) = Command::parse();
    let config: Config = config::load(&run.config)?;
    process::runtime(config.workers)?.block_on(serve(config, run.passphrase_file))
}

async fn serve(config: Config, passphrase_file: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let key = unlock(&config.sealing, &Passphrases::from(passphrase_file))?;
    let identity = identity::load(&config.identity, Some(&key))?;
    let listener = port::bind(&config.listen).await?;
    let liar = |honest| Arc::new(Lying(honest)) as Arc<dyn FragmentSource>;
    let role = FragmentManager::open_with(&config, key, identity, Clock::system(), &liar).await?;
    let stop = CancellationToken::new();
    let (stopped, signalled) = (process::stopped()?, stop.clone());
    tokio::spawn(async move {
        stopped.await;
        signalled.cancel();
    });
    process::announce("lying-manager", listener.local_addr()?)?;
    Ok(role.serve(listener, stop).await?)
}

/// Fragments that are off by one.
struct Lying(Arc<dyn FragmentSource>);

impl FragmentSource for Lying {
    fn load(&self, instance: InstanceId) -> BoxFuture<'_, Result<Zeroizing<Vec<u8>>, FragmentError>> {
        Box::pin(async move { Ok(next(self.0.load(instance).await?)) })
    }
}

/// `s + 1` in ristretto255's little-endian encoding; in P-256's big-endian one some other scalar, which lies as well.
fn next(mut scalar: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    for byte in scalar.iter_mut() {
        let carry;
        (*byte, carry) = byte.overflowing_add(1);
        if !carry {
            break;
        }
    }
    scalar
}
