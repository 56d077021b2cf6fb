//! `symbolon status`: who answers, how old the fragments are, what to do.

use std::fmt;

use clap::Args;
use serde::Serialize;
use symbolon_client::{Client, ManagerStatus};
use symbolon_fragments::names::SetId;
use symbolon_protocol::api::{Instance, Set};
use symbolon_trust::TrustedRoot;

use super::failure::with_causes;
use super::output::Table;
use super::{Context, Failure, date};

/// `symbolon status`
#[derive(Debug, Args)]
pub struct StatusOf {
    /// List every fragment set with its epoch
    #[arg(long, short)]
    verbose: bool,
}

impl StatusOf {
    /// Asks everybody.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let status = client.status().await;
        let sets = if status.access_manager.is_ok() { client.sets().await? } else { Vec::new() };
        let mut overview = Overview::of(&client, status, &sets);
        overview.each = self.verbose.then(|| sets.iter().map(OneSet::of).collect());
        context.output().answer(&overview)
    }
}

#[derive(Debug, Serialize)]
struct Overview {
    account: String,
    you: String,
    access_manager: Server,
    fragment_managers: Vec<Server>,
    sets: Sets,
    #[serde(skip_serializing_if = "Option::is_none")]
    each: Option<Vec<OneSet>>,
    advice: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Server {
    name: String,
    answers: bool,
    milliseconds: Option<u128>,
    root_version: Option<u64>,
    deny_version: Option<u64>,
    fragment_sets: Option<u64>,
    problem: Option<String>,
}

/// The fragment sets in sum.
#[derive(Debug, Serialize)]
struct Sets {
    count: usize,
    keys: u64,
    unsettled: usize,
    oldest_epoch: Option<u64>,
    oldest_hours: Option<u64>,
}

/// One fragment set, by its newest instance.
#[derive(Debug, Serialize)]
struct OneSet {
    set: String,
    keys: u64,
    threshold: String,
    serial: u64,
    epoch: u64,
    since: u64,
    settled: bool,
}

impl OneSet {
    fn of(set: &Set) -> Self {
        let Instance { serial, epoch, t, members, settled, completed, .. } = &set.newest;
        Self {
            set: SetId::new(set.set.0).to_string(),
            keys: set.keys,
            threshold: format!("{t}-of-{}", members.len()),
            serial: *serial,
            epoch: *epoch,
            since: *completed,
            settled: *settled,
        }
    }
}

impl Overview {
    fn of(client: &Client, status: symbolon_client::Status, sets: &[Set]) -> Self {
        let root = client.root();
        let took = status.access_manager_took.as_millis();
        let answer = status.access_manager.map_err(|error| Failure::from(error).to_string());
        let access_manager = Server::access_manager(answer.map(|_| took));
        let fragment_managers: Vec<Server> = status.managers.iter().map(Server::manager).collect();
        let lost = lost(&status.managers, sets);
        let sets = Sets::of(sets);
        let mut advice = advice(&access_manager, &fragment_managers, &sets, &root);
        advice.extend(lost);
        let (account, you) = (root.account().to_string(), client.holder().to_string());
        Self { account, you, access_manager, fragment_managers, sets, each: None, advice }
    }
}

impl Server {
    fn access_manager(answer: Result<u128, String>) -> Self {
        Self {
            name: "access manager".to_owned(),
            answers: answer.is_ok(),
            milliseconds: answer.as_ref().ok().copied(),
            root_version: None,
            deny_version: None,
            fragment_sets: None,
            problem: answer.err(),
        }
    }

    fn manager(ManagerStatus { member, status, took }: &ManagerStatus) -> Self {
        let known = status.as_ref().ok();
        Self {
            name: member.name.clone(),
            answers: known.is_some(),
            milliseconds: known.map(|_| took.as_millis()),
            root_version: known.map(|status| status.root_version),
            deny_version: known.map(|status| status.deny_version),
            fragment_sets: known.map(|status| status.sets),
            problem: status.as_ref().err().map(with_causes),
        }
    }
}

impl Sets {
    fn of(sets: &[Set]) -> Self {
        let oldest = sets.iter().map(|set| set.newest.completed).min();
        let now = date::now().0;
        Self {
            count: sets.len(),
            keys: sets.iter().map(|set| set.keys).sum(),
            unsettled: sets.iter().filter(|set| !is_settled(&set.newest)).count(),
            oldest_epoch: oldest,
            oldest_hours: oldest.map(|oldest| now.saturating_sub(oldest) / 3600),
        }
    }
}

const fn is_settled(instance: &Instance) -> bool {
    instance.settled
}

/// After so many hours without fresh fragments, somebody should look: managers refresh once a day.
const OLD_HOURS: u64 = 48;

fn advice(access_manager: &Server, managers: &[Server], sets: &Sets, root: &TrustedRoot) -> Vec<String> {
    let mut advice = Vec::new();
    if !access_manager.answers {
        advice.push("start the access manager: nothing new is permitted without it".to_owned());
    }
    for silent in managers.iter().filter(|manager| !manager.answers) {
        advice.push(format!("start {}: fragments are not refreshed while one is missing", silent.name));
    }
    let newest = root.document().version;
    for behind in
        managers.iter().filter(|manager| manager.root_version.is_some_and(|version| version < newest))
    {
        advice.push(format!(
            "{} has an older root document; the owner brings it up to date:  symbolon owner push",
            behind.name
        ));
    }
    if sets.oldest_hours.is_some_and(|hours| hours >= OLD_HOURS) {
        advice.push("the oldest fragments are overdue; refresh them:  symbolon refresh".to_owned());
    }
    advice
}

/// Managers that serve nothing of what they are members of, while others do: their disks were lost or set back.
fn lost(managers: &[ManagerStatus], sets: &[Set]) -> Vec<String> {
    let has = |manager: &&ManagerStatus| manager.status.as_ref().is_ok_and(|status| status.sets > 0);
    if !managers.iter().any(|manager| has(&manager)) {
        return Vec::new();
    }
    let member_of = |index: u16| {
        let settled = sets.iter().map(|set| &set.newest).filter(|newest| newest.settled);
        settled.filter(|newest| newest.members.contains(&index)).count()
    };
    let silent =
        managers.iter().filter(|manager| manager.status.as_ref().is_ok_and(|status| status.sets == 0));
    let lost = silent.map(|manager| (&manager.member, member_of(manager.member.index.get())));
    lost.filter(|(_, sets)| *sets > 0)
        .map(|(member, sets)| {
            format!(
                "{} has none of its {sets} fragment sets; the owner has it given new fragments:  symbolon order repair --manager {0}",
                member.name
            )
        })
        .collect()
}

impl fmt::Display for Overview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "account  {}\nyou      {}\n", self.account, self.you)?;
        let mut table = Table::new(["server", "answer", "root document", "deny document", "fragment sets"]);
        for server in std::iter::once(&self.access_manager).chain(&self.fragment_managers) {
            table.row(server.cells());
        }
        writeln!(f, "{table}")?;
        for server in std::iter::once(&self.access_manager).chain(&self.fragment_managers) {
            server.problem.iter().try_for_each(|problem| writeln!(f, "{}: {problem}", server.name))?;
        }
        writeln!(f, "{}", self.sets)?;
        self.each.iter().try_for_each(|sets| write!(f, "\n{}\n", table_of(sets)))?;
        self.advice.iter().try_for_each(|line| writeln!(f, "→ {line}"))
    }
}

fn table_of(sets: &[OneSet]) -> Table {
    let mut table = Table::new(["set", "keys", "fragments", "order", "epoch", "since", ""]);
    for OneSet { set, keys, threshold, serial, epoch, since, settled } in sets {
        let state = if *settled { "" } else { "being renewed" };
        let numbers = [keys, serial, epoch].map(ToString::to_string);
        let [keys, serial, epoch] = numbers;
        let since = date::minute(*since);
        table.row([set.clone(), keys, threshold.clone(), serial, epoch, since, state.to_owned()]);
    }
    table
}

impl Server {
    fn cells(&self) -> [String; 5] {
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let answers = match (&self.problem, self.milliseconds) {
            (None, Some(milliseconds)) => format!("{milliseconds} ms"),
            _ => "none".to_owned(),
        };
        [
            self.name.clone(),
            answers,
            number(self.root_version),
            number(self.deny_version),
            number(self.fragment_sets),
        ]
    }
}

impl fmt::Display for Sets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fragment sets: {}, keys: {}", self.count, self.keys)?;
        if let Some(oldest) = self.oldest_epoch.map(date::minute) {
            write!(f, "; oldest fragments of {oldest}")?;
        }
        if self.unsettled > 0 {
            write!(f, "; being renewed: {}", self.unsettled)?;
        }
        Ok(())
    }
}
