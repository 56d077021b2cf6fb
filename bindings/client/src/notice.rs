//! What went well in spite of something: worth telling, not an error.

use crate::error::{ManagerDown, MemberName};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Notices that are kept until somebody takes them.
const KEPT: usize = 64;

/// Something that an operation got around.
#[derive(Debug)]
pub enum Notice {
    /// A fragment manager couldn't be used.
    Down(ManagerDown),
    /// A fragment manager gave a wrong answer and was left out.
    Lied(MemberName),
}

impl Notice {
    /// The fragment manager that it is about.
    pub fn member(&self) -> &MemberName {
        match self {
            Self::Down(down) => &down.member,
            Self::Lied(member) => member,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down(down) => write!(f, "{} was not used: {}", down.member, down.reason),
            Self::Lied(member) => write!(f, "{member} lied: its answer was not its fragment's evaluation"),
        }
    }
}

/// The notices of a client, until they are taken. One a manager and kind.
#[derive(Default)]
pub(crate) struct Notices(Mutex<Vec<Notice>>);

impl Notices {
    pub(crate) fn add(&self, notice: Notice) {
        tracing::warn!(%notice);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |other: &Notice| {
            other.member() == notice.member()
                && std::mem::discriminant(other) == std::mem::discriminant(&notice)
        };
        if kept.len() < KEPT && !kept.iter().any(same) {
            kept.push(notice);
        }
    }

    pub(crate) fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
