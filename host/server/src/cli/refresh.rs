//! `symbolon refresh`: fresh fragments for all, of the very same keys.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use symbolon_client::Client;
use symbolon_fragments::names::{KeyId, SetId};
use symbolon_protocol::api::{Id, Set};

use super::sent::{milliseconds, took};
use super::{Context, Failure, Kind};

/// Between two looks at how far the ceremonies are.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// `symbolon refresh [KEY…]`
#[derive(Debug, Args)]
pub struct Refresh {
    /// The keys whose fragments are made anew [default: all]
    keys: Vec<KeyId>,
    /// Wait so many seconds for the ceremonies to settle; 0 starts them only
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
}

impl Refresh {
    /// Starts the ceremonies and waits for their end.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let began = Instant::now();
        let wanted = self.sets(context, &client).await?;
        let before = instances(&context.noting(&client, client.sets()).await?, &wanted);
        context.noting(&client, client.refresh(&wanted)).await?;
        let settled = self.wait_until_settled(context, &client, &before).await?;
        let answer = Refreshed { sets: before.len(), settled, took_ms: milliseconds(began.elapsed()) };
        context.output().answer(&answer)?;
        if settled == answer.sets || self.wait == 0 {
            return Ok(());
        }
        Err(Failure::new(Kind::Unavailable, "it takes all members of a set; it goes on by itself")
            .next("who is missing:  symbolon status"))
    }

    /// The sets of the named keys' newest versions; none for all.
    async fn sets(&self, context: &Context, client: &Client) -> Result<Vec<SetId>, Failure> {
        let mut sets = Vec::new();
        for key in &self.keys {
            let info = context.noting(client, client.keys().show(key)).await?;
            let newest = info
                .newest()
                .ok_or_else(|| Failure::new(Kind::Conflict, format!("key {key} is not ready yet")))?;
            sets.push(newest.certificate().set);
        }
        Ok(sets)
    }

    async fn wait_until_settled(
        &self,
        context: &Context,
        client: &Client,
        before: &Instances,
    ) -> Result<usize, Failure> {
        let until = Instant::now() + Duration::from_secs(self.wait);
        loop {
            let sets = context.noting(client, client.sets()).await?;
            let settled = sets.iter().filter(|set| is_renewed(set, before)).count();
            if settled >= before.len() || Instant::now() >= until {
                return Ok(settled);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The newest instance of each set.
type Instances = BTreeMap<Id, Id>;

fn instances(sets: &[Set], wanted: &[SetId]) -> Instances {
    let asked = |set: &&Set| wanted.is_empty() || wanted.iter().any(|id| *id.as_bytes() == set.set.0);
    sets.iter().filter(asked).map(|set| (set.set, set.newest.instance)).collect()
}

fn is_renewed(set: &Set, before: &Instances) -> bool {
    set.newest.settled && before.get(&set.set).is_some_and(|old| *old != set.newest.instance)
}

#[derive(Debug, Serialize)]
struct Refreshed {
    sets: usize,
    settled: usize,
    took_ms: u64,
}

impl fmt::Display for Refreshed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sets, settled, took_ms } = self;
        write!(f, "fragments made anew: {settled} of {sets} sets ({})", took(*took_ms))?;
        if settled == sets {
            f.write_str(". The keys are the same; the old fragments are erased.")?;
        }
        Ok(())
    }
}
