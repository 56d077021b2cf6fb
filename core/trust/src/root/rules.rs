//! What makes a root document well formed, by itself and as a successor, whoever signed it.

use super::{Member, MemberKind, Role, RootDocument};
use crate::{
    key_store::{CHECK_VALUE_BYTES, KeyStore, SEALING_KEY_BYTES, StoreLabel, is_driver},
    keys::PublicKey,
    signed::hash,
};
use alloc::{string::String, vec::Vec};
use symbolon_fragments::names::Index;

/// Bytes in the longest name, label or address of a roster entry.
const LONGEST_TEXT: usize = 255;

/// The rule that a root document breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootRule {
    /// Version 1 names no predecessor; every later version names one.
    #[error("version 1 has no predecessor, every later version has one")]
    Previous,
    /// A role's keys don't ascend, or its threshold is not between one and their number.
    #[error("the role `{0}` needs ascending keys and a threshold between 1 and their number")]
    Role(&'static str),
    /// A key of the access manager or of a roster member speaks for the owner or for a second of them.
    #[error("the key {0} has two offices that must be apart: owner, access manager, each roster member")]
    KeyInTwoOffices(PublicKey),
    /// Roster entries don't ascend by index.
    #[error("the roster must ascend by index")]
    RosterOrder,
    /// Two roster entries have one name, or one has none.
    #[error("each roster entry needs a name of its own, not `{0}`")]
    Name(String),
    /// A text is longer than 255 bytes.
    #[error("a name, label or address is longer than 255 bytes")]
    Text,
    /// The minimum is not `2 ≤ t ≤ n`.
    #[error("the minimum must be at least 2, and t at most n")]
    Minimum,
    /// A successor has not the next version, names another predecessor, or has another nonce.
    #[error("not the successor of version {0}: version, predecessor's hash or nonce differ")]
    NotNext(u64),
    /// A successor lost a roster entry, or changed its kind or key, or took one back from retirement.
    #[error("a successor must keep roster entry {0}, with its kind and key, and keep it retired if it was")]
    Entry(Index),
    /// Key stores don't ascend by label, a check value or sealing key has a wrong length, drivers don't ascend or are none.
    #[error("the key store `{0}` contradicts itself or the order of the stores")]
    KeyStore(StoreLabel),
    /// A driver is in two key stores.
    #[error("driver {0} is in two key stores")]
    Driver(Index),
    /// A successor lost a key store, its check value, or a driver with its sealing key.
    #[error("a successor must keep the key store `{0}`, with its check value and drivers")]
    KeptStore(StoreLabel),
    /// A successor is dated before its predecessor.
    #[error("a successor cannot be older than its predecessor")]
    Created,
}

impl RootDocument {
    /// Checks everything about the document that needs neither its predecessor nor its signatures.
    pub fn check(&self) -> Result<(), RootRule> {
        if (self.version == 1) != self.previous.is_none() || self.version == 0 {
            return Err(RootRule::Previous);
        }
        let roles = &self.roles;
        check_role("root", &roles.root)?;
        check_role("policy", &roles.policy)?;
        check_role("deny", &roles.deny)?;
        check_role("permit", &roles.permit)?;
        self.check_offices()?;
        self.check_roster()?;
        self.check_key_stores()?;
        if self.minimum.t < 2 || self.minimum.t > self.minimum.n {
            return Err(RootRule::Minimum);
        }
        Ok(())
    }

    /// Checks that this document may follow that one, but for the signatures.
    pub fn check_succession(&self, previous: &Self) -> Result<(), RootRule> {
        self.check()?;
        let next = previous.version.checked_add(1) == Some(self.version);
        if !next || self.previous != Some(hash(previous)) || self.nonce != previous.nonce {
            return Err(RootRule::NotNext(previous.version));
        }
        if self.created < previous.created {
            return Err(RootRule::Created);
        }
        previous.roster.iter().try_for_each(|entry| self.check_kept(entry))?;
        previous.key_stores.iter().try_for_each(|store| self.check_kept_store(store))
    }

    /// Keys of the owner, of the access manager (permits and TLS), and of each member are different keys: otherwise a
    /// role stolen would be two.
    fn check_offices(&self) -> Result<(), RootRule> {
        let owner = [&self.roles.root, &self.roles.policy, &self.roles.deny];
        let mut owner: Vec<PublicKey> =
            owner.into_iter().flat_map(|role| role.keys.iter().copied()).collect();
        let mut manager = self.roles.permit.keys.clone();
        manager.push(self.access_manager.key);
        let mut all: Vec<PublicKey> = self.roster.iter().map(|member| member.key).collect();
        for office in [&mut owner, &mut manager] {
            office.sort_unstable();
            office.dedup();
            all.append(office);
        }
        all.sort_unstable();
        match all.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(RootRule::KeyInTwoOffices(pair[0])),
            None => Ok(()),
        }
    }

    fn check_roster(&self) -> Result<(), RootRule> {
        if !self.roster.is_sorted_by(|a, b| a.index < b.index) {
            return Err(RootRule::RosterOrder);
        }
        let mut names: Vec<&str> = self.roster.iter().map(|member| member.name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        if let Some(name) = twice.or(names.first().copied().filter(|name| name.is_empty())) {
            return Err(RootRule::Name(name.into()));
        }
        let fits = |text: &String| text.len() <= LONGEST_TEXT;
        if !fits(&self.access_manager.address) || !self.roster.iter().flat_map(texts).all(fits) {
            return Err(RootRule::Text);
        }
        Ok(())
    }

    fn check_key_stores(&self) -> Result<(), RootRule> {
        if let Some(pair) = self.key_stores.windows(2).find(|pair| pair[0].label >= pair[1].label) {
            return Err(RootRule::KeyStore(pair[1].label.clone()));
        }
        self.key_stores.iter().try_for_each(|store| self.check_key_store(store))?;
        let stores = self.key_stores.iter();
        let mut drivers: Vec<Index> =
            stores.flat_map(|store| store.drivers.iter().map(|driver| driver.index)).collect();
        drivers.sort_unstable();
        match drivers.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(RootRule::Driver(pair[0])),
            None => Ok(()),
        }
    }

    fn check_key_store(&self, store: &KeyStore) -> Result<(), RootRule> {
        let drivers = &store.drivers;
        let fits = !drivers.is_empty()
            && drivers.is_sorted_by(|a, b| a.index < b.index)
            && drivers.iter().all(|driver| driver.sealing_key.len() == SEALING_KEY_BYTES)
            && drivers.iter().all(|driver| self.member(driver.index).is_some_and(is_driver))
            && CHECK_VALUE_BYTES.contains(&store.check_value.len());
        if fits { Ok(()) } else { Err(RootRule::KeyStore(store.label.clone())) }
    }

    /// A store with another master key would be another store: nothing that is wrapped would open.
    fn check_kept_store(&self, store: &KeyStore) -> Result<(), RootRule> {
        let kept = self.key_store(&store.label).is_some_and(|kept| {
            kept.check_value == store.check_value
                && store.drivers.iter().all(|driver| kept.drivers.contains(driver))
        });
        if kept { Ok(()) } else { Err(RootRule::KeptStore(store.label.clone())) }
    }

    fn check_kept(&self, entry: &Member) -> Result<(), RootRule> {
        let identity = |member: &Member| -> (MemberKind, PublicKey) { (member.kind, member.key) };
        match self.member(entry.index) {
            Some(kept) if identity(kept) == identity(entry) && kept.retired >= entry.retired => Ok(()),
            _ => Err(RootRule::Entry(entry.index)),
        }
    }
}

fn check_role(name: &'static str, role: &Role) -> Result<(), RootRule> {
    let threshold = usize::from(role.threshold);
    let ascending = role.keys.is_sorted_by(|a, b| a < b);
    if ascending && (1..=role.keys.len()).contains(&threshold) { Ok(()) } else { Err(RootRule::Role(name)) }
}

fn texts(member: &Member) -> [&String; 5] {
    [&member.name, &member.address, &member.operator, &member.cloud, &member.region]
}
