//! What a member has on its disk: exactly what its machine asked to have stored.

use std::collections::{BTreeMap, BTreeSet};
use symbolon_fragments::names::{InstanceId, SetId};
use symbolon_protocol::ceremony::{
    Flip, FragmentBytes, NewInstance, Record, Saved, SavedInstance, Status, Transcript,
};
use symbolon_trust::{CreateRequest, EpochCertificate, Signed, VerifiedOrder};
use zeroize::Zeroizing;

/// A stored instance.
#[derive(Clone)]
pub struct Stored {
    /// Its certificate.
    pub certificate: Signed<EpochCertificate>,
    /// How far the member is with it.
    pub status: Status,
    /// What the set was made for.
    pub origin: CreateRequest,
    /// The fragment.
    pub fragment: Vec<u8>,
}

/// A disk. A copy of it is a backup.
#[derive(Clone, Default)]
pub struct Disk {
    /// The orders taken.
    pub orders: Vec<VerifiedOrder>,
    /// The instances held.
    pub instances: BTreeMap<InstanceId, Stored>,
    /// Instances whose fragments can't be read any more.
    pub unreadable: BTreeSet<InstanceId>,
    flips: Vec<Signed<Flip>>,
    destroyed: Vec<(SetId, u64)>,
}

impl Disk {
    /// Stores a record, whole.
    pub fn store(&mut self, record: Record) {
        match record {
            Record::Order(order) => self.orders.push(order),
            Record::Signed(new) => new.into_iter().for_each(|new| self.store_instance(new)),
            Record::Flipped(certificates) => certificates.into_iter().for_each(|certificate| {
                if let Some(stored) = self.instances.get_mut(&certificate.body().instance()) {
                    stored.certificate = certificate;
                    stored.status = Status::Flipped;
                }
            }),
            Record::Settled { instances, flips } => {
                for instance in instances {
                    if let Some(stored) = self.instances.get_mut(&instance) {
                        stored.status = Status::Settled;
                    }
                }
                self.flips.extend(flips);
            }
            Record::Destroyed { set, serial } => self.destroyed.push((set, serial)),
        }
    }

    fn store_instance(&mut self, new: NewInstance) {
        let stored = Stored {
            status: Status::Signed,
            fragment: new.fragment.as_bytes().to_vec(),
            certificate: new.certificate,
            origin: new.origin,
        };
        self.instances.insert(stored.certificate.body().instance(), stored);
    }

    /// Erases instances.
    pub fn erase(&mut self, instances: &[InstanceId]) {
        for instance in instances {
            self.instances.remove(instance);
        }
        let Self { instances, flips, .. } = self;
        flips.retain(|flip| {
            instances
                .values()
                .any(|stored| Transcript::of(stored.certificate.body()) == flip.body().transcript)
        });
    }

    /// Reads a fragment, if it is readable.
    pub fn fragment(&self, instance: InstanceId) -> Option<FragmentBytes> {
        let stored = self.instances.get(&instance).filter(|_| !self.unreadable.contains(&instance))?;
        Some(FragmentBytes::new(Zeroizing::new(stored.fragment.clone())))
    }

    /// Reads everything but the fragments, as on start.
    pub fn saved(&self) -> Saved {
        let instances = self.instances.values().map(|stored| SavedInstance {
            certificate: stored.certificate.clone(),
            status: stored.status,
            origin: stored.origin.clone(),
        });
        Saved {
            orders: self.orders.clone(),
            instances: instances.collect(),
            flips: self.flips.clone(),
            destroyed: self.destroyed.clone(),
        }
    }
}
