//! A holder's grants in an account, and what they amount to right now.

use crate::{
    account::{Account, decode},
    failure::Failure,
};
use symbolon_fragments::names::{KeyId, KeyPattern, Thumbprint};
use symbolon_protocol::api::GrantState;
use symbolon_store::{
    Reading,
    access::{GrantRow, KeyRange, Rows},
};
use symbolon_trust::{Grant, GrantError, Now, Operation, Operations, Signed, VerifiedGrant};

/// Grants of one holder that are looked at; an owner who needs more names more keys in one.
const MOST: u32 = 1000;

/// A grant and whether it serves now.
pub(crate) struct Holding {
    pub(crate) signed: Signed<Grant>,
    pub(crate) state: GrantState,
}

/// A holder's grants.
pub(crate) struct Holdings {
    holder: Thumbprint,
    all: Vec<Holding>,
}

impl Holding {
    /// Judges a stored grant.
    pub(crate) fn of(row: &GrantRow, account: &Account, now: Now) -> Result<Self, Failure> {
        let signed = decode(&row.document)?;
        let state = state(&signed, account, now);
        Ok(Self { signed, state })
    }

    pub(crate) fn grant(&self) -> &Grant {
        self.signed.body()
    }

    fn is_active(&self) -> bool {
        self.state == GrantState::Active
    }

    fn covers(&self, key: &KeyId, operations: Operations) -> bool {
        !operations.is_empty() && operations.iter().all(|operation| self.grant().covers(key, operation))
    }

    /// Why a grant that covers what is asked for doesn't serve.
    fn failure(&self) -> Failure {
        let grant = self.grant();
        match self.state {
            GrantState::Early => Failure::GrantEarly { id: grant.id, not_before: grant.not_before },
            GrantState::Expired => Failure::GrantExpired { id: grant.id, not_after: grant.not_after },
            GrantState::Active | GrantState::Revoked => Failure::GrantVoid { id: grant.id },
        }
    }
}

fn state(signed: &Signed<Grant>, account: &Account, now: Now) -> GrantState {
    let grant = signed.body();
    let symbolon_trust::Principal::Holder(holder) = grant.principal;
    let denials = account.documents.denials();
    if denials.check_grant(grant.id, grant.serial).and(denials.check_holder(holder)).is_err() {
        return GrantState::Revoked;
    }
    match VerifiedGrant::verify(signed, account.root(), now) {
        Ok(_) => GrantState::Active,
        Err(GrantError::NotYet { .. }) => GrantState::Early,
        Err(GrantError::Expired { .. }) => GrantState::Expired,
        // It was verified when it was stored: the role `policy` has other keys since.
        Err(GrantError::Account | GrantError::Signature(_) | GrantError::Empty) => GrantState::Revoked,
    }
}

impl Holdings {
    /// Reads the grants of a holder.
    pub(crate) async fn read(
        rows: &mut Rows<'_, impl Reading>,
        account: &Account,
        holder: Thumbprint,
        now: Now,
    ) -> Result<Self, Failure> {
        let rows = rows.grants(Some(&holder), 0, MOST).await?;
        let all = rows.iter().map(|row| Holding::of(row, account, now)).collect::<Result<_, _>>()?;
        Ok(Self { holder, all })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether any grant serves.
    pub(crate) fn any_active(&self) -> bool {
        self.all.iter().any(Holding::is_active)
    }

    /// Why none serves.
    pub(crate) fn inactive(&self) -> Failure {
        self.all.last().map_or(Failure::NoParty(self.holder), Holding::failure)
    }

    /// The grant that allows all of these operations on the key; else why there is none.
    pub(crate) fn covering(&self, key: &KeyId, operations: Operations) -> Result<&Holding, Failure> {
        let mut covering: Vec<_> =
            self.all.iter().filter(|holding| holding.covers(key, operations)).collect();
        if let Some(active) = covering.iter().find(|holding| holding.is_active()) {
            return Ok(active);
        }
        let failure = covering.pop().map(Holding::failure);
        Err(failure.unwrap_or_else(|| Failure::not_granted(self.holder, key, operations)))
    }

    /// Refuses whoever has no grant that serves for this operation on any key.
    pub(crate) fn anywhere(&self, operation: Operation) -> Result<(), Failure> {
        let mut with = self
            .all
            .iter()
            .filter(|holding| holding.grant().operations.contains(operation))
            .collect::<Vec<_>>();
        if with.iter().any(|holding| holding.is_active()) {
            return Ok(());
        }
        let only = Failure::Only("the owner, a manager, or a holder who is granted to read the audit log");
        Err(with.pop().map_or(only, Holding::failure))
    }

    /// Refuses whoever has no grant that serves about the key. One who had such a grant is told what became of it; to
    /// anybody else there is no such key.
    pub(crate) fn check_sees(&self, key: &KeyId) -> Result<(), Failure> {
        let mut about = self
            .all
            .iter()
            .filter(|holding| holding.grant().keys.iter().any(|pattern| pattern.covers(key)))
            .collect::<Vec<_>>();
        if about.iter().any(|holding| holding.is_active()) {
            return Ok(());
        }
        Err(about.pop().map_or_else(|| Failure::UnknownKey(key.clone()), Holding::failure))
    }

    /// The keys that the grants are about, as ranges of ids, ascending, that don't overlap.
    pub(crate) fn ranges(&self) -> Vec<KeyRange> {
        merged(self.patterns().map(range).collect())
    }

    fn patterns(&self) -> impl Iterator<Item = &KeyPattern> {
        self.all.iter().filter(|holding| holding.is_active()).flat_map(|holding| &holding.grant().keys)
    }
}

/// Every key id.
pub(crate) fn everything() -> KeyRange {
    KeyRange { from: String::new(), to: None }
}

/// The ids below a path.
pub(crate) fn below(path: &str) -> KeyRange {
    // '0' is the character behind '/'.
    KeyRange { from: format!("{path}/"), to: Some(format!("{path}0")) }
}

fn range(pattern: &KeyPattern) -> KeyRange {
    match pattern {
        KeyPattern::Any => everything(),
        KeyPattern::Exactly(key) => KeyRange { from: key.to_string(), to: Some(format!("{key}\0")) },
        KeyPattern::Below(path) => below(path.as_str()),
    }
}

fn merged(mut ranges: Vec<KeyRange>) -> Vec<KeyRange> {
    ranges.sort();
    let mut merged: Vec<KeyRange> = Vec::new();
    for next in ranges {
        match merged.last_mut() {
            Some(last) if last.to.as_ref().is_none_or(|to| *to >= next.from) => {
                last.to = last.to.take().and_then(|to| next.to.map(|next| next.max(to)));
            }
            _ => merged.push(next),
        }
    }
    merged
}

/// What two ranges have in common.
pub(crate) fn common(one: &KeyRange, other: &KeyRange) -> Option<KeyRange> {
    let from = one.from.clone().max(other.from.clone());
    let to = match (&one.to, &other.to) {
        (Some(one), Some(other)) => Some(one.min(other).clone()),
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    let empty = to.as_ref().is_some_and(|to| *to <= from);
    (!empty).then_some(KeyRange { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(patterns: &[&str]) -> Vec<KeyRange> {
        merged(patterns.iter().map(|text| range(&text.parse().unwrap())).collect())
    }

    fn holds(ranges: &[KeyRange], key: &str) -> bool {
        ranges
            .iter()
            .any(|range| range.from.as_str() <= key && range.to.as_ref().is_none_or(|to| key < to.as_str()))
    }

    #[test]
    fn ranges_hold_exactly_what_patterns_cover() {
        let keys = [
            "a",
            "shop",
            "shop-2",
            "shop.x/y",
            "shop/a",
            "shop/a/b",
            "shop/orders",
            "shop0",
            "shopping/x",
            "z",
        ];
        let sets: [&[&str]; 6] = [
            &[],
            &["*"],
            &["shop/*"],
            &["shop"],
            &["shop/orders", "shop/a/*", "z"],
            &["shop/*", "shop/a", "shop/a/*"],
        ];
        for patterns in sets {
            let ranges = ranges(patterns);
            for key in keys {
                let id: KeyId = key.parse().unwrap();
                let covered = patterns.iter().any(|text| text.parse::<KeyPattern>().unwrap().covers(&id));
                assert_eq!(holds(&ranges, key), covered, "{patterns:?} {key}");
            }
            assert!(ranges.windows(2).all(|pair| pair[0].to.as_ref().is_some_and(|to| *to < pair[1].from)));
        }
    }

    #[test]
    fn common_ranges_are_in_both() {
        let shop = below("shop");
        assert_eq!(common(&shop, &everything()), Some(shop.clone()));
        assert_eq!(common(&shop, &below("shop/a")), Some(below("shop/a")));
        assert_eq!(common(&shop, &below("ship")), None);
    }
}
