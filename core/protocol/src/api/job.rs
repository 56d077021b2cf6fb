//! Jobs for HSMs: the queue between holders and drivers (specification §10.3).

use super::{Document, Id, Labels};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Body of `POST …/jobs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobPost {
    /// The job with its request, grant, permit and wrapped key (specification §10.1).
    pub submission: Document,
    /// Labels of a key that is to be made; otherwise they must be empty.
    #[serde(default)]
    pub labels: Labels,
}

/// How long an answer may wait for a job's result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct JobWait {
    /// Wait at most so many seconds (30 at most) for the result.
    #[serde(default)]
    pub wait: u64,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It waits for a driver.
    Waiting,
    /// A driver works on it.
    Leased,
    /// It has its result.
    Done,
}

/// Why a job still waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobTrouble {
    /// No driver of the store has asked for work lately.
    NoDriver,
    /// A driver gave it back: its token isn't there.
    TokenAbsent,
    /// A driver gave it back: its token refuses the PIN.
    PinRefused,
    /// A driver gave it back: the vendor's module crashed or hangs.
    Module,
    /// A driver gave it back: its clock was set back.
    Clock,
    /// A driver gave it back: it stops.
    Stopping,
    /// A driver gave it back: its own disk failed.
    Storage,
}

/// A job, as its holder sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// Its name: the hash of what the holder signed.
    pub job: Id,
    /// How far it is.
    pub state: JobState,
    /// Until when it may be done, Unix seconds.
    pub expires: u64,
    /// Why it still waits, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<JobTrouble>,
    /// The driver's signed result, sealed to whoever asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Document>,
}

/// Body of `POST …/jobs/lease`: a driver asks for work of its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobQuery {
    /// Random, drawn when the driver's process started: two processes with one identity are told apart by it.
    pub process: Id,
    /// At most so many jobs, 1 to 64.
    pub limit: u32,
    /// Wait at most so many seconds (30 at most) for one.
    #[serde(default)]
    pub wait: u64,
}

/// Jobs for a driver, and how new the account's documents are, so that it knows what to fetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobPage {
    /// The jobs, the oldest first.
    pub jobs: Vec<LeasedJob>,
    /// Version of the root document.
    pub root_version: u64,
    /// Version of the deny document; 0 for none.
    pub deny_version: u64,
    /// Serial of the newest order; 0 for none.
    pub order_serial: u64,
}

/// A job that a driver has to itself for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeasedJob {
    /// Its name.
    pub job: Id,
    /// The lease's name.
    pub lease: Id,
    /// Until when the lease holds, Unix seconds.
    pub until: u64,
    /// What the holder handed in.
    pub submission: Document,
}

/// Body of `POST …/jobs/{job}/lease`: more time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobRenewal {
    /// The lease's name.
    pub lease: Id,
}

/// Answer to a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobLease {
    /// Until when the lease holds now, Unix seconds.
    pub until: u64,
}

/// Body of `POST …/jobs/{job}/give-back`: the driver can't do it just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobGiveBack {
    /// The lease's name.
    pub lease: Id,
    /// Why.
    pub trouble: JobTrouble,
}

/// Body of `POST …/jobs/{job}/result`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobAnswer {
    /// The signed result (specification §10.4).
    pub result: Document,
}

/// Answer to a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobReceipt {
    /// Whether this result is the one that counts; false where there was one before.
    pub counts: bool,
}

impl From<crate::jobs::Trouble> for JobTrouble {
    fn from(trouble: crate::jobs::Trouble) -> Self {
        use crate::jobs::Trouble;
        match trouble {
            Trouble::TokenAbsent => Self::TokenAbsent,
            Trouble::PinRefused => Self::PinRefused,
            Trouble::Module => Self::Module,
            Trouble::Clock => Self::Clock,
            Trouble::Stopping => Self::Stopping,
            Trouble::Storage => Self::Storage,
        }
    }
}

/// Nobody gives a job back because there is nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a driver does not give a job back for want of a driver")]
pub struct NoTrouble;

impl TryFrom<JobTrouble> for crate::jobs::Trouble {
    type Error = NoTrouble;

    fn try_from(trouble: JobTrouble) -> Result<Self, NoTrouble> {
        match trouble {
            JobTrouble::NoDriver => Err(NoTrouble),
            JobTrouble::TokenAbsent => Ok(Self::TokenAbsent),
            JobTrouble::PinRefused => Ok(Self::PinRefused),
            JobTrouble::Module => Ok(Self::Module),
            JobTrouble::Clock => Ok(Self::Clock),
            JobTrouble::Stopping => Ok(Self::Stopping),
            JobTrouble::Storage => Ok(Self::Storage),
        }
    }
}
