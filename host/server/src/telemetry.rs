//! Where a role's log goes: stderr, one line an event; `SYMBOLON_LOG` says how much, as `info` or `symbolon=debug`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// What is logged when nothing is asked for.
const DEFAULT: &str = "info";

/// The environment variable that says how much.
const VARIABLE: &str = "SYMBOLON_LOG";

/// Starts logging; as JSON where a program reads it.
pub fn start(json: bool) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        lines.json().init();
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).init();
    }
}
