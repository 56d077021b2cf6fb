//! Which roster members may form a fragment set (specification §2.1), and how many answers are a quorum.

use crate::root::{Member, MemberKind, RootDocument, Shape, Spread, TrustedRoot, UnknownMember};
use alloc::{string::String, vec::Vec};
use symbolon_fragments::names::Index;

/// Members that may hold a new set, `t` of whom make the key: checked against a root document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EligibleMembers {
    members: Vec<Index>,
    t: u16,
}

/// Why members may not form a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembersError {
    /// Not ascending, or one is there twice.
    #[error("the members must ascend, none twice")]
    Order,
    /// The roster has no such entry.
    #[error(transparent)]
    Unknown(#[from] UnknownMember),
    /// An HSM driver holds no fragments.
    #[error("member {0} is not a fragment manager")]
    Kind(Index),
    /// The member was retired.
    #[error("member {0} is retired")]
    Retired(Index),
    /// Fewer than the root document's minimum, or `t` above `n`.
    #[error("{t}-of-{n} is not within the account's minimum of {}-of-{}", minimum.t, minimum.n)]
    Shape {
        /// What was asked for.
        t: u16,
        /// How many members were given.
        n: usize,
        /// What the root document asks for at least.
        minimum: Shape,
    },
    /// One operator, cloud or region could make the key alone.
    #[error("`{0}` would have {1} of the {1} members that make a key")]
    Spread(String, u16),
}

impl EligibleMembers {
    /// Checks members and threshold of a set that is to be made.
    pub fn check(root: &TrustedRoot, members: &[Index], t: u16) -> Result<Self, MembersError> {
        Self::under(root.document(), members, t)
    }

    /// Checks members and threshold of a set that was made under any version of the root document: members retire, and
    /// an owner may ask for more later.
    pub(crate) fn check_ever(root: &TrustedRoot, members: &[Index], t: u16) -> Result<Self, MembersError> {
        root.check_any(|document| Self::under(document, members, t))
    }

    fn under(document: &RootDocument, members: &[Index], t: u16) -> Result<Self, MembersError> {
        if !members.is_sorted_by(|a, b| a < b) {
            return Err(MembersError::Order);
        }
        let minimum = document.minimum;
        if t < minimum.t || members.len() < minimum.n.into() || members.len() < t.into() {
            return Err(MembersError::Shape { t, n: members.len(), minimum });
        }
        let entries = members.iter().map(|index| active(document, *index)).collect::<Result<Vec<_>, _>>()?;
        check_spread(&entries, t, document.spread)?;
        Ok(Self { members: members.to_vec(), t })
    }

    /// The members, ascending.
    pub fn members(&self) -> &[Index] {
        &self.members
    }

    /// How many of them make the key.
    pub const fn t(&self) -> u16 {
        self.t
    }

    /// Why the set, although it is allowed, is less robust than it could be; none if it is robust.
    pub fn warning(&self) -> Option<ShapeWarning> {
        shape_warning(self.t, self.members.len())
    }
}

/// An allowed shape that has something to be said against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeWarning {
    /// `n = t`.
    #[error("with as many members as are needed, one that fails or lies stops every operation")]
    NoSpare,
    /// `n < 2t − 1`.
    #[error("fewer than 2t-1 members: as many as can break the key can't be outvoted")]
    Minority,
}

/// What is to be said against a shape that is allowed. `n ≥ 2t − 1` is preferred.
pub fn shape_warning(t: u16, n: usize) -> Option<ShapeWarning> {
    let t = usize::from(t);
    if n <= t {
        Some(ShapeWarning::NoSpare)
    } else if n + 1 < 2 * t {
        Some(ShapeWarning::Minority)
    } else {
        None
    }
}

/// How many members of a `t`-of-`n` set must have done something for it to bind every quorum: `n − t + 1`, so that
/// any `t` members include one of them.
pub fn binding_quorum(t: u16, n: usize) -> usize {
    (n + 1).saturating_sub(t.into())
}

fn active(document: &RootDocument, index: Index) -> Result<&Member, MembersError> {
    let member = document.member(index).ok_or(UnknownMember(index))?;
    if member.kind != MemberKind::FragmentManager {
        return Err(MembersError::Kind(index));
    }
    if member.retired { Err(MembersError::Retired(index)) } else { Ok(member) }
}

fn check_spread(members: &[&Member], t: u16, spread: Spread) -> Result<(), MembersError> {
    let mut labels: Vec<&str> = members.iter().filter_map(|member| member.label(spread)).collect();
    labels.sort_unstable();
    match labels.chunk_by(|a, b| a == b).find(|same| same.len() >= t.into()) {
        Some(same) => Err(MembersError::Spread(same[0].into(), t)),
        None => Ok(()),
    }
}
