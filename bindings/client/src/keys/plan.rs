//! What a create request says: members that the roster allows, the time by the managers' clocks.

use super::{KeyInfo, Keys, Members, NewKey, REQUEST_LIFE, RootOfKey, kind_of};
use crate::error::{Bug, Conflict, Error, Invalid, NotFound};
use symbolon_fragments::names::{Index, KeyId};
use symbolon_trust::{CreateRequest, EligibleMembers, KeyKind, MembersError, Seconds, TrustedRoot};

impl Keys<'_> {
    pub(super) async fn plan(&self, new: &NewKey) -> Result<CreateRequest, Error> {
        let now = self.0.manager_time().await?;
        let root = self.0.root();
        let mut request = CreateRequest {
            account: root.account(),
            key: new.key.clone(),
            version: 1,
            suite: new.suite,
            set: None,
            t: new.t,
            members: Vec::new(),
            customer_fragment: new.customer_fragment,
            purpose: new.purpose,
            nonce: crate::random::bytes(),
            issued: now,
            expires: Seconds(now.0 + REQUEST_LIFE),
            kind: kind_of(&new.root),
        };
        match &new.root {
            RootOfKey::SharedWith(other) => self.join(&mut request, other).await?,
            RootOfKey::Dedicated | RootOfKey::NewShared => {
                request.members = choose(&root, &new.members, new.t)?;
            }
        }
        Ok(request)
    }

    /// Puts the key on the set of another one.
    async fn join(&self, request: &mut CreateRequest, other: &KeyId) -> Result<(), Error> {
        let info = self.0.keys().show(other).await?;
        let certificate = info.newest().ok_or_else(|| Conflict::KeyPending(other.clone()))?;
        if certificate.certificate().kind != KeyKind::Shared {
            return Err(Invalid::NotShared { key: other.clone() }.into());
        }
        let sharing = self.0.inner.versions.newest_sharing(certificate).await?;
        request.set = Some(certificate.certificate().set);
        request.suite = certificate.certificate().suite;
        request.members = sharing.members().to_vec();
        request.t = u16::try_from(sharing.instance.threshold()).map_err(|_| Bug::Internal("a threshold"))?;
        Ok(())
    }

    /// A new version of the same kind as the newest one.
    pub(super) async fn plan_rotation(&self, key: &KeyId) -> Result<CreateRequest, Error> {
        let now = self.0.manager_time().await?;
        let info = self.show(key).await?;
        let newest = info.newest().ok_or_else(|| Conflict::KeyPending(key.clone()))?.clone();
        let certificate = newest.certificate();
        let mut request = CreateRequest {
            account: certificate.account,
            key: key.clone(),
            version: next_version(&info)?,
            suite: certificate.suite,
            set: None,
            t: certificate.t,
            members: certificate.members.clone(),
            customer_fragment: certificate.customer_fragment,
            purpose: certificate.purpose,
            nonce: crate::random::bytes(),
            issued: now,
            expires: Seconds(now.0 + REQUEST_LIFE),
            kind: certificate.kind,
        };
        if certificate.kind == KeyKind::Shared {
            self.join(&mut request, key).await?;
        } else if EligibleMembers::check(&self.0.root(), &request.members, request.t).is_err() {
            let count = u16::try_from(request.members.len()).map_err(|_| Bug::Internal("members"))?;
            request.members = choose(&self.0.root(), &Members::Any(count), request.t)?;
        }
        Ok(request)
    }
}

fn next_version(info: &KeyInfo) -> Result<u64, Error> {
    let newest = info.entry.all_versions.iter().map(|version| version.version).max();
    newest.map(|version| version + 1).ok_or_else(|| NotFound::Thing.into())
}

/// Whether a request that was made before asks for what is planned now: they differ in when they were made, and no more.
pub(super) fn asks_for(made: &CreateRequest, planned: &CreateRequest) -> bool {
    let (nonce, issued, expires) = (made.nonce, made.issued, made.expires);
    *made == CreateRequest { nonce, issued, expires, ..planned.clone() }
}

/// Members that the root document allows: those that were asked for, or the first fit of so many.
fn choose(root: &TrustedRoot, members: &Members, t: u16) -> Result<Vec<Index>, Error> {
    match members {
        Members::These(members) => {
            let mut members = members.clone();
            members.sort_unstable();
            EligibleMembers::check(root, &members, t).map_err(Invalid::Members)?;
            Ok(members)
        }
        Members::Any(count) => choose_any(root, usize::from(*count), t),
    }
}

fn choose_any(root: &TrustedRoot, count: usize, t: u16) -> Result<Vec<Index>, Error> {
    let document = root.document();
    let active = document.fragment_managers().filter(|member| !member.retired);
    let mut candidates: Vec<_> = active.map(|member| member.index).collect();
    candidates.sort_unstable();
    if candidates.len() < count {
        return Err(Invalid::TooFewMembers { have: candidates.len(), need: count }.into());
    }
    let mut first_refusal = None;
    for members in choices(&candidates, count).take(MOST_CHOICES) {
        match EligibleMembers::check(root, &members, t) {
            Ok(_) => return Ok(members),
            Err(refusal) => drop(first_refusal.get_or_insert(refusal)),
        }
    }
    Err(Invalid::Members(first_refusal.unwrap_or(MembersError::Order)).into())
}

/// A roster of twenty has as many choices of ten.
const MOST_CHOICES: usize = 200_000;

/// All ascending choices of `count` among the candidates, in lexicographic order.
fn choices(candidates: &[Index], count: usize) -> impl Iterator<Item = Vec<Index>> {
    let mut at: Option<Vec<usize>> = Some((0..count).collect());
    std::iter::from_fn(move || {
        let present = at.take()?;
        at = following(&present, candidates.len());
        Some(present.iter().map(|place| candidates[*place]).collect())
    })
}

fn following(present: &[usize], of: usize) -> Option<Vec<usize>> {
    let count = present.len();
    let mut next = present.to_vec();
    let moving = (0..count).rev().find(|place| next[*place] < of - (count - place))?;
    next[moving] += 1;
    for place in moving + 1..count {
        next[place] = next[place - 1] + 1;
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_for_the_same_key_is_finished() {
        let members = [1, 2, 3].map(|index| Index::new(index).unwrap()).to_vec();
        let planned = CreateRequest {
            account: symbolon_fragments::names::AccountId::new([1; 32]),
            key: "shop/orders".parse().unwrap(),
            version: 1,
            suite: symbolon_fragments::SuiteId::Ristretto255Sha512,
            set: None,
            t: 2,
            members,
            customer_fragment: true,
            purpose: symbolon_fragments::names::Purpose::Data,
            nonce: [1; 16],
            issued: Seconds(1000),
            expires: Seconds(2000),
            kind: KeyKind::Dedicated,
        };
        let made = |edit: fn(&mut CreateRequest)| {
            let mut made = CreateRequest { nonce: [2; 16], issued: Seconds(500), ..planned.clone() };
            edit(&mut made);
            asks_for(&made, &planned)
        };
        assert!(made(|_| ()));
        let others: [fn(&mut CreateRequest); 5] = [
            |made| made.customer_fragment = false,
            |made| made.members.truncate(2),
            |made| made.t = 3,
            |made| made.purpose = symbolon_fragments::names::Purpose::Wrap,
            |made| made.key = "shop/test".parse().unwrap(),
        ];
        assert!(others.into_iter().all(|edit| !made(edit)));
    }

    #[test]
    fn choices_are_all_and_ascend() {
        let candidates: Vec<_> = (1..=4).map(|index| Index::new(index).unwrap()).collect();
        let all: Vec<Vec<u16>> =
            choices(&candidates, 2).map(|choice| choice.iter().map(|index| index.get()).collect()).collect();
        assert_eq!(all, [[1, 2], [1, 3], [1, 4], [2, 3], [2, 4], [3, 4]]);
        assert_eq!(choices(&candidates, 4).count(), 1);
        assert_eq!(choices(&candidates, 1).count(), 4);
    }
}
