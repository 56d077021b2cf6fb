//! The states of a key of the chain, what each permits, and what leads from one to another: all of it data.
//!
//! A state isn't kept anywhere: it follows from [`Facts`], which follow from the owner's signed documents and from the
//! time. So nobody moves a key to a state; one signs a document.

/// What can be said of a key that decides what may be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    /// It has all that it needs: a root key its certificate, any other its wrapped bytes.
    pub complete: bool,
    /// The owner's deny document disables it, and no order enables it again.
    pub disabled: bool,
    /// Whether an order destroys it.
    pub destruction: Destruction,
}

/// How far the destruction of a key has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destruction {
    /// No order asks for it.
    None,
    /// Its waiting period runs: it can still be cancelled.
    Waiting,
    /// Its waiting period has ended.
    Done,
}

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not complete yet.
    Pending,
    /// In use.
    Active,
    /// Switched off, until it is enabled.
    Disabled,
    /// To be destroyed, and off until then.
    Scheduled,
    /// Gone.
    Destroyed,
}

/// What changes a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It becomes complete.
    Complete,
    /// A deny document names it.
    Disable,
    /// An order enables it.
    Enable,
    /// An order is to destroy it, after the waiting period.
    Destroy,
    /// An order cancels that.
    Cancel,
    /// The waiting period ends.
    Expire,
}

/// Which way an action goes: the safe direction is quick, the dangerous one slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It takes away and can be taken back: one person does it at once.
    Safe,
    /// It gives, or it can't be taken back: it takes the quorum of the role `policy`, or the waiting period.
    Dangerous,
}

/// One step from state to state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transition {
    /// From.
    pub from: State,
    /// By.
    pub action: Action,
    /// To.
    pub to: State,
}

/// Every step that there is.
///
/// A key that is to be destroyed may be disabled besides; cancelling shows then which. A destruction may be ordered
/// before a key is complete.
pub const TRANSITIONS: &[Transition] = &[
    step(State::Pending, Action::Complete, State::Active),
    step(State::Pending, Action::Disable, State::Disabled),
    step(State::Pending, Action::Destroy, State::Scheduled),
    step(State::Active, Action::Disable, State::Disabled),
    step(State::Active, Action::Destroy, State::Scheduled),
    step(State::Disabled, Action::Enable, State::Active),
    step(State::Disabled, Action::Enable, State::Pending),
    step(State::Disabled, Action::Destroy, State::Scheduled),
    step(State::Scheduled, Action::Cancel, State::Active),
    step(State::Scheduled, Action::Cancel, State::Pending),
    step(State::Scheduled, Action::Cancel, State::Disabled),
    step(State::Scheduled, Action::Expire, State::Destroyed),
];

/// What may be done with the key in each state: make a key under it, open a key under it.
pub const PERMITTED: &[(State, &[crate::OperationKind])] = &[
    (State::Pending, &[]),
    (State::Active, &[crate::OperationKind::Wrap, crate::OperationKind::Unwrap]),
    (State::Disabled, &[]),
    (State::Scheduled, &[]),
    (State::Destroyed, &[]),
];

const fn step(from: State, action: Action, to: State) -> Transition {
    Transition { from, action, to }
}

impl State {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Active, Self::Disabled, Self::Scheduled, Self::Destroyed];

    /// The state that follows from facts.
    pub const fn of(facts: Facts) -> Self {
        match facts {
            Facts { destruction: Destruction::Done, .. } => Self::Destroyed,
            Facts { destruction: Destruction::Waiting, .. } => Self::Scheduled,
            Facts { disabled: true, .. } => Self::Disabled,
            Facts { complete: false, .. } => Self::Pending,
            Facts { .. } => Self::Active,
        }
    }

    /// Whether the state permits the operation.
    pub fn permits(self, operation: crate::OperationKind) -> bool {
        PERMITTED.iter().any(|(state, permitted)| *state == self && permitted.contains(&operation))
    }

    /// The state as people read it, after "is".
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "not ready yet",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Scheduled => "about to be destroyed",
            Self::Destroyed => "destroyed",
        }
    }
}

impl Action {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Complete, Self::Disable, Self::Enable, Self::Destroy, Self::Cancel, Self::Expire];

    /// Which way it goes.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Disable => Direction::Safe,
            Self::Complete | Self::Enable | Self::Destroy | Self::Cancel | Self::Expire => {
                Direction::Dangerous
            }
        }
    }
}
