//! What the roles' commands have in common: where the configuration is, and how a role's process begins.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use symbolon_channel::CancellationToken;
use symbolon_trust::KeyPair;

use super::{Context, Failure, Kind};
use crate::{process, telemetry};

/// The configuration of a role.
#[derive(Debug, Args)]
pub struct Configured {
    /// The role's configuration
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Runs a role until it is told to stop.
#[derive(Debug, Args)]
pub struct Run {
    /// The role's configuration.
    #[command(flatten)]
    pub configured: Configured,
    /// End when the process that started this one ends
    #[arg(long, hide = true)]
    with_parent: bool,
}

impl Run {
    /// Before the role's first secret is read: its log, its end, its memory.
    pub fn begin(&self, context: &Context) -> Result<(), Failure> {
        self.start(context)?;
        Self::protect();
        Ok(())
    }

    /// Of [`Run::begin`] what goes before anything else: its log, its end.
    pub fn start(&self, context: &Context) -> Result<(), Failure> {
        telemetry::start(context.output().is_for_programs());
        if self.with_parent {
            process::end_with_parent()
                .map_err(|error| Failure::io("following the parent process", &error))?;
        }
        Ok(())
    }

    /// Of [`Run::begin`] what goes before the first secret: its memory.
    pub fn protect() {
        process::protect_memory();
        symbolon_channel::tls::seed_random();
    }
}

/// A runtime with so many threads.
pub fn runtime(workers: usize) -> Result<tokio::runtime::Runtime, Failure> {
    process::runtime(workers).map_err(|error| Failure::io("starting threads", &error))
}

/// Cancelled by the first signal to stop.
pub fn stop_on_signal() -> Result<CancellationToken, Failure> {
    let stopped = process::stopped().map_err(|error| Failure::io("waiting for signals", &error))?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        stopped.await;
        tracing::info!("stopping");
        token.cancel();
    });
    Ok(stop)
}

/// Says that the role answers.
pub fn announce(role: &str, listener: &tokio::net::TcpListener) -> Result<(), Failure> {
    let announced = listener.local_addr().and_then(|address| process::announce(role, address));
    announced.map_err(|error| Failure::new(Kind::Io, error))
}

/// What the owner needs to sign a role in.
#[derive(Debug, Serialize)]
pub struct PublicKeys {
    identity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    permit: Option<String>,
}

impl PublicKeys {
    /// Of a role that has an identity alone.
    pub fn of(identity: &KeyPair) -> Self {
        Self { identity: identity.public().to_string(), permit: None }
    }

    /// Of the access manager, whose other key signs permits.
    pub fn with_permit(identity: &KeyPair, permit: &KeyPair) -> Self {
        Self { permit: Some(permit.public().to_string()), ..Self::of(identity) }
    }
}

impl fmt::Display for PublicKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "identity {}", self.identity)?;
        self.permit.iter().try_for_each(|permit| writeln!(f, "permit {permit}"))
    }
}
