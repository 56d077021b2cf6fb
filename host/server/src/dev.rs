//! All roles on loopback, each a process of its own with the files that a real deployment has.
//!
//! It starts and stops processes, and lays out their files the first time; it is no role itself and holds no key.

mod fleet;
mod layout;
mod memory;
mod prepare;

use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{pending, select_all};

pub use fleet::StartError;
pub use layout::Layout;
pub use prepare::PrepareError;

use crate::process;
use fleet::Running;

/// A deployment that runs.
pub struct Deployment {
    layout: Layout,
    fleet: Vec<Running>,
    took: Duration,
}

/// What a watched deployment has to say.
#[derive(Debug)]
pub enum Happening {
    /// A role ended by itself, or somebody ended it: its name, how, and the command that starts it again.
    Ended(&'static str, io::Result<ExitStatus>, String),
    /// We were told to stop.
    Stop,
}

/// Lays out a deployment in `layout`'s folder, if none is there. Gives whether it is new.
pub fn prepare(layout: &Layout) -> Result<bool, PrepareError> {
    let new = !layout.is_complete();
    if new {
        prepare::prepare(layout)?;
    }
    Ok(new)
}

impl Deployment {
    /// Starts all roles, and waits until they answer.
    pub async fn start(layout: Layout) -> Result<Self, StartError> {
        let began = Instant::now();
        let fleet = fleet::start(layout.roles()).await?;
        Ok(Self { layout, fleet, took: began.elapsed() })
    }

    /// Where everything lies.
    pub fn folder(&self) -> &Path {
        self.layout.folder()
    }

    /// How long it took until all roles answered.
    pub const fn took(&self) -> Duration {
        self.took
    }

    /// The memory of all roles together and of this process, in bytes; none where the system doesn't tell.
    pub fn memory(&self) -> Option<u64> {
        let roles = self.fleet.iter().map(Running::pid).collect::<Option<Vec<_>>>()?;
        memory::proportional(roles.into_iter().chain([std::process::id()]))
    }

    /// Name, address and process of each role.
    pub fn roles(&self) -> impl Iterator<Item = (&'static str, &str, Option<u32>)> {
        self.fleet.iter().map(|role| (role.name(), role.address(), role.pid()))
    }

    /// Waits for the next thing to happen. A role that ended is not watched any more.
    pub async fn next(&mut self) -> io::Result<Happening> {
        tokio::select! {
            () = process::stopped()? => Ok(Happening::Stop),
            (place, status) = first_end(&mut self.fleet) => {
                let role = self.fleet.remove(place);
                Ok(Happening::Ended(role.name(), status, role.command()))
            }
        }
    }

    /// Stops all roles.
    pub async fn stop(self) {
        fleet::stop(self.fleet).await;
    }
}

async fn first_end(fleet: &mut [Running]) -> (usize, io::Result<ExitStatus>) {
    if fleet.is_empty() {
        return pending().await;
    }
    let (status, place, _) = select_all(fleet.iter_mut().map(|role| role.wait().boxed_local())).await;
    (place, status)
}
