//! The command line: a noun, then a verb; one file a noun. This file only names them and picks one.

mod access_manager;
mod audit;
mod blast_radius;
mod context;
mod customer_fragment;
mod data_key;
mod date;
mod decrypt;
mod desk;
mod dev;
mod driver;
mod encrypt;
mod failure;
mod fragment_manager;
mod gateway;
mod grant;
mod init;
mod inspect;
mod key;
mod key_owner;
mod key_view;
mod lease_view;
mod link_owner;
mod link_view;
mod order;
pub mod output;
mod owner;
mod pairs;
mod plugin;
mod profile;
mod refresh;
mod role;
mod root;
mod sent;
mod shell;
mod spelled;
mod status;
mod system;
mod tenant;
mod transfer;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use context::Context;
pub use failure::{Failure, Kind};

/// A key management system with no key to steal.
#[derive(Debug, Parser)]
#[command(name = "symbolon", version, max_term_width = 100, after_long_help = failure::EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
struct Globals {
    /// The profile to act as [default: ./symbolon-dev/profile.toml, else ~/.config/symbolon/profile.toml]
    #[arg(long, global = true, env = "SYMBOLON_PROFILE", value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Read the passphrase from this file (mode 0600, or a pipe such as /dev/fd/3) and don't ask
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make keys, look at them, switch them off
    #[command(subcommand)]
    Key(key::Key),
    /// Make tenants below root keys, and switch them off
    #[command(subcommand)]
    Tenant(tenant::Tenant),
    /// Make systems of tenants, and switch them off
    #[command(subcommand)]
    System(system::System),
    /// Make data keys for the volumes of systems, and open them
    #[command(subcommand)]
    DataKey(data_key::DataKey),
    /// Encrypt a file, or standard input
    Encrypt(encrypt::Encrypt),
    /// Decrypt a file, or standard input
    Decrypt(decrypt::Decrypt),
    /// Show what a ciphertext says about itself
    Inspect(inspect::Inspect),
    /// Let somebody use keys, or take it back
    #[command(subcommand)]
    Grant(grant::Grant),
    /// Have fragments made anew, for other fragment managers
    #[command(subcommand)]
    Order(order::Order),
    /// Look at and change the account's root document
    #[command(subcommand)]
    Root(root::Root),
    /// Keep the owner's folder: push what was signed, sign what others made
    #[command(subcommand)]
    Owner(owner::OwnerVerb),
    /// Found an account
    Init(Box<init::Init>),
    /// Verify what the servers say they did
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Show who answers and how old the fragments are
    Status(status::StatusOf),
    /// Have the fragments of keys made anew; the keys stay the same
    Refresh(refresh::Refresh),
    /// Be somebody: an identity, and a profile that uses it
    #[command(subcommand)]
    Profile(profile::ProfileOf),
    /// Keep the part of keys that never leaves your side
    #[command(subcommand)]
    CustomerFragment(customer_fragment::CustomerFragment),
    /// Run the whole system on this machine, to try it out
    Dev(dev::Dev),
    /// Hold fragments, on a machine of its own
    #[command(subcommand)]
    FragmentManager(fragment_manager::FragmentManager),
    /// Issue permits, relay, keep the logs
    #[command(subcommand)]
    AccessManager(access_manager::AccessManager),
    /// Serve programs without a client library, at the customer's side
    #[command(subcommand)]
    Gateway(gateway::Gateway),
    /// Reach an HSM, on a machine beside it
    #[command(subcommand)]
    Driver(driver::Driver),
    /// Make, sign and check plugins
    #[command(subcommand)]
    Plugin(plugin::PluginVerb),
    /// The process that loads a token's PKCS#11 module; a driver starts it
    #[command(name = "pkcs11-broker", hide = true)]
    Pkcs11Broker,
    /// Print the completions of a shell
    Completions(shell::Completions),
    /// Print a man page, or write all of them into a folder
    Man(shell::Man),
}

/// Runs the command that the process was started with, and says how it ended.
pub fn main() -> ExitCode {
    let Cli { globals, command } = Cli::parse();
    let context = Context::new(globals);
    match run(command, &context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => context.output().failed(&failure),
    }
}

fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Key(verb) => wait_for(verb.run(context)),
        Command::Tenant(verb) => wait_for(verb.run(context)),
        Command::System(verb) => wait_for(verb.run(context)),
        Command::DataKey(verb) => wait_for(verb.run(context)),
        Command::Profile(verb) => verb.run(context),
        Command::Plugin(verb) => verb.run(context),
        Command::Pkcs11Broker => {
            symbolon_pkcs11::broker::serve().map_err(|error| Failure::io("serving a PKCS#11 token", &error))
        }
        Command::Status(verb) => wait_for(verb.run(context)),
        Command::Refresh(verb) => wait_for(verb.run(context)),
        Command::Encrypt(verb) => wait_for(verb.run(context)),
        Command::Decrypt(verb) => wait_for(verb.run(context)),
        Command::Inspect(verb) => verb.run(context),
        Command::Grant(verb) => wait_for(verb.run(context)),
        Command::Order(verb) => wait_for(verb.run(context)),
        Command::Root(verb) => wait_for(verb.run(context)),
        Command::Owner(verb) => wait_for(verb.run(context)),
        Command::Init(verb) => verb.run(context),
        Command::Audit(verb) => wait_for(verb.run(context)),
        Command::CustomerFragment(verb) => verb.run(context),
        Command::Dev(verb) => wait_for(verb.run(context)),
        Command::FragmentManager(verb) => verb.run(context),
        Command::AccessManager(verb) => verb.run(context),
        Command::Gateway(verb) => verb.run(context),
        Command::Driver(verb) => verb.run(context),
        Command::Completions(verb) => verb.run(context),
        Command::Man(verb) => verb.run(context),
    }
}

/// Runs a command that talks to servers. One thread waits; what is heavy has threads of its own.
fn wait_for(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::io("starting", &error))?.block_on(command)
}
