//! Verifying what the servers say they did: the access manager's log against its checkpoint, the managers' logs against
//! theirs, and both against each other.

mod bisect;

use crate::access::Subject;
use crate::client::Client;
use crate::error::{Denied, DownReason, Error, ManagerDown, MemberName};
use bisect::Leaves;
use symbolon_audit::{
    Alarm, CheckpointError, EvaluationLog, Finding, Gap, LogError, LogReader, Record, RecordError, TreeHead,
    VerifiedCheckpoint,
};
use symbolon_encoding::from_canonical;
use symbolon_protocol::api::{self, path};
use symbolon_protocol::wire::{LogPage, Request, Response};
use symbolon_trust::{Grant, Member, Seconds, Signed, TrustedRoot};

/// Records and entries asked for at once.
const PAGE: u32 = 500;

/// What an audit found.
#[derive(Debug)]
pub struct Audit {
    /// How many entries the access manager's log has.
    pub entries: u64,
    /// How many inputs the managers say they evaluated.
    pub evaluations: u64,
    /// The newest checkpoint that managers cosigned, if any did.
    pub cosigned: Option<Cosigned>,
    /// Managers whose logs were compared.
    pub managers: Vec<MemberName>,
    /// Managers whose logs could not be had.
    pub missing: Vec<ManagerDown>,
    /// Times for which a manager says that it may lack records, because it crashed.
    pub gaps: Vec<(MemberName, Gap)>,
    /// What managers want people to look at.
    pub alarms: Vec<(MemberName, Seconds, Alarm)>,
    /// What is wrong. Nothing: all is as it was signed for.
    pub faults: Vec<Fault>,
}

/// A checkpoint that managers vouched for.
#[derive(Debug)]
pub struct Cosigned {
    /// How many entries it is about.
    pub size: u64,
    /// Who, and when.
    pub by: Vec<(MemberName, Seconds)>,
}

/// Something that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The access manager's log.
    #[error("the access manager's log: {0}")]
    Log(#[source] LogError),
    /// An entry of it was edited; this is the first one.
    #[error("the access manager's log: entry {0} was edited")]
    Edited(u64),
    /// Its checkpoint.
    #[error("the access manager's checkpoint: {0}")]
    Checkpoint(#[source] CheckpointError),
    /// The log is not the one that managers cosigned.
    #[error(
        "the access manager's log was rewritten: its first {0} entries are not the ones that managers cosigned"
    )]
    Rewritten(u64),
    /// A manager's log.
    #[error("the log of {member}: {cause}")]
    Manager {
        /// The manager.
        member: MemberName,
        /// What is wrong with it.
        #[source]
        cause: RecordError,
    },
    /// A manager saw a log being rewritten.
    #[error("{member} says: {alarm}")]
    Alarm {
        /// The manager.
        member: MemberName,
        /// What it saw.
        alarm: Alarm,
    },
    /// The two kinds of logs don't agree.
    #[error("{0}")]
    Disagreement(#[source] Finding),
}

/// Hears how far the audit has come: entries and records read, and how many there are as far as is known.
pub type Heard<'a> = dyn FnMut(u64, u64) + Send + 'a;

impl Client {
    /// Reads and verifies all logs. The holder needs the operation `audit`.
    pub async fn audit(&self, heard: &mut Heard<'_>) -> Result<Audit, Error> {
        self.refresh_root().await?;
        let (root, grant) = (self.root(), self.audit_grant().await?);
        let mut audit = Audit::empty();
        // The managers' logs first: a permit is logged before it is handed out, so the checkpoint of afterwards has all.
        let mut logs = Vec::new();
        for member in root.document().fragment_managers() {
            match self.read_manager(member, &grant, &root, heard).await {
                Ok(log) => logs.push((name(member), log)),
                Err(Unread::Down(reason)) => audit.missing.push(ManagerDown { member: name(member), reason }),
                Err(Unread::Wrong(cause)) => {
                    audit.faults.push(Fault::Manager { member: name(member), cause });
                }
            }
        }
        self.read_entries(&root, &logs, &mut audit, heard).await?;
        for (member, log) in logs {
            audit.evaluations += log.evaluations();
            audit.gaps.extend(log.gaps().iter().map(|gap| (member.clone(), *gap)));
            for (time, alarm) in log.alarms() {
                if matches!(alarm, Alarm::AuditLogRewritten | Alarm::CeremonyLogRewritten) {
                    audit.faults.push(Fault::Alarm { member: member.clone(), alarm: *alarm });
                }
                audit.alarms.push((member.clone(), *time, *alarm));
            }
            audit.managers.push(member);
        }
        Ok(audit)
    }

    async fn audit_grant(&self) -> Result<Signed<Grant>, Error> {
        let grants = self.grants(Some(self.holder())).await?;
        let audits = |grant: &&api::Grant| {
            grant.state == api::GrantState::Active && grant.operations.contains(&api::Operation::Audit)
        };
        let (holder, problem) = (self.holder(), api::ProblemType::Denied);
        let grant = grants.iter().find(audits).ok_or(Denied::Refused { holder, problem })?;
        let document = crate::access::document(&grant.document);
        document.map_err(|error| self.access().explain(error, Subject::default()))
    }

    async fn read_manager(
        &self,
        member: &Member,
        grant: &Signed<Grant>,
        root: &TrustedRoot,
        heard: &mut Heard<'_>,
    ) -> Result<EvaluationLog, Unread> {
        let mut log = EvaluationLog::new(root.account(), member.index);
        loop {
            let (after, limit) = (log.records(), u64::from(PAGE));
            let request = Request::Log { grant: grant.clone(), after, limit };
            let page = match self.ask(member.index, request).await? {
                Response::Log(page) => page,
                Response::Error(error) => return Err(DownReason::Refused(error).into()),
                _ => return Err(RecordError::Head.into()),
            };
            read_page(&mut log, &page)?;
            let end = page.head.body().records;
            heard(log.records(), end);
            if log.records() >= end {
                log.check_head(&page.head, root)?;
                return Ok(log);
            }
            if page.records.is_empty() {
                return Err(RecordError::Head.into());
            }
        }
    }

    async fn read_entries(
        &self,
        root: &TrustedRoot,
        logs: &[(MemberName, EvaluationLog)],
        audit: &mut Audit,
        heard: &mut Heard<'_>,
    ) -> Result<(), Error> {
        let checkpoints: api::Checkpoint = self.read(path::AUDIT_CHECKPOINT, "").await?;
        let fresh = match VerifiedCheckpoint::verify(&checkpoints.note, root) {
            Ok(fresh) => fresh,
            Err(error) => {
                audit.faults.push(Fault::Checkpoint(error));
                return Ok(());
            }
        };
        let cosigned = cosigned(checkpoints.cosigned.as_deref(), root, audit);
        audit.entries = fresh.head().size;
        let mut reader = LogReader::new();
        let mut leaves = Leaves::default();
        let read = self.read_all(&mut reader, &mut leaves, fresh.head().size, cosigned, audit, heard).await;
        let log = match read? {
            Ok(()) => reader.finish(&fresh),
            Err(error) => Err(error),
        };
        match log {
            Ok(log) => {
                let found = logs.iter().flat_map(|(_, manager)| log.reconcile(manager));
                audit.faults.extend(found.map(Fault::Disagreement));
            }
            Err(LogError::Root) => audit.faults.push(self.locate(&leaves, fresh.head()).await?),
            Err(error) => audit.faults.push(Fault::Log(error)),
        }
        Ok(())
    }

    async fn read_all(
        &self,
        reader: &mut LogReader,
        leaves: &mut Leaves,
        size: u64,
        cosigned: Option<TreeHead>,
        audit: &mut Audit,
        heard: &mut Heard<'_>,
    ) -> Result<Result<(), LogError>, Error> {
        while reader.entries() < size {
            let limit = u64::from(PAGE).min(size - reader.entries());
            let query = format!("?first={}&limit={limit}", reader.entries());
            let page: api::EntryPage = self.read(path::AUDIT_ENTRIES, &query).await?;
            if page.entries.is_empty() {
                return Ok(Err(LogError::Size { signed: size, read: reader.entries() }));
            }
            for entry in &page.entries {
                if let Err(error) = reader.read(&entry.0) {
                    return Ok(Err(error));
                }
                leaves.push(&entry.0);
                if let Some(vouched) = cosigned.filter(|vouched| vouched.size == reader.entries())
                    && vouched.root != reader.head().root
                {
                    audit.faults.push(Fault::Rewritten(vouched.size));
                }
            }
            heard(reader.entries(), size);
        }
        Ok(Ok(()))
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, template: &str, query: &str) -> Result<T, Error> {
        let access = self.access();
        let path = format!("{}{query}", path::of_account(template, access.account()));
        access.get(path).await.map_err(|error| access.explain(error, Subject::default()))
    }
}

/// The head of the checkpoint that managers cosigned, if there is one that is right.
fn cosigned(note: Option<&str>, root: &TrustedRoot, audit: &mut Audit) -> Option<TreeHead> {
    let verified = VerifiedCheckpoint::verify(note?, root);
    match verified.and_then(|checkpoint| Ok((checkpoint.head(), checkpoint.cosigners(root)?))) {
        Ok((head, by)) => {
            let named = |(index, time)| Some((name(root.document().member(index)?), time));
            let by = by.into_iter().filter_map(named).collect();
            audit.cosigned = Some(Cosigned { size: head.size, by });
            Some(head)
        }
        Err(error) => {
            audit.faults.push(Fault::Checkpoint(error));
            None
        }
    }
}

fn read_page(log: &mut EvaluationLog, page: &LogPage) -> Result<(), RecordError> {
    for bytes in &page.records {
        let record: Record = from_canonical(bytes).map_err(|_| RecordError::Head)?;
        log.read(&record)?;
    }
    Ok(())
}

/// Why a manager's log was not read to its end.
enum Unread {
    Down(DownReason),
    Wrong(RecordError),
}

impl From<DownReason> for Unread {
    fn from(reason: DownReason) -> Self {
        Self::Down(reason)
    }
}

impl From<RecordError> for Unread {
    fn from(error: RecordError) -> Self {
        Self::Wrong(error)
    }
}

impl Audit {
    const fn empty() -> Self {
        Self {
            entries: 0,
            evaluations: 0,
            cosigned: None,
            managers: Vec::new(),
            missing: Vec::new(),
            gaps: Vec::new(),
            alarms: Vec::new(),
            faults: Vec::new(),
        }
    }
}

fn name(member: &Member) -> MemberName {
    MemberName { index: member.index, name: member.name.clone() }
}
