//! What a manager serves: complete instances of fragment sets, and their fragments once they were needed.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use symbolon_encoding::from_canonical;
use symbolon_fragments::names::{InstanceId, SetId};
use symbolon_store::manager::{Rows, Status};
use symbolon_store::{Reading, StoreError};
use symbolon_trust::{CreateRequest, EpochCertificate, GuardedFragment, KeyCertificate, Signed};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

/// A future that a trait object can give.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why a fragment can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FragmentError {
    /// It was erased, or never was here.
    #[error("the fragment is not held")]
    Missing,
    /// It can't be opened, or isn't the one that its certificate names.
    #[error("the fragment is unreadable")]
    Unreadable,
    /// The datastore failed.
    #[error("the datastore failed")]
    Store(#[from] StoreError),
}

/// Where fragments come from: opened, and compared with their certificate's public share.
pub trait FragmentSource: Send + Sync {
    /// The encoding of an instance's fragment.
    fn load(&self, instance: InstanceId) -> BoxFuture<'_, Result<Zeroizing<Vec<u8>>, FragmentError>>;
}

/// A complete instance that the manager serves.
pub struct Served {
    /// Its name.
    pub instance: InstanceId,
    /// Its complete certificate.
    pub certificate: Signed<EpochCertificate>,
    fragment: OnceCell<GuardedFragment>,
}

/// A set, with what it was made for.
pub struct ServedSet {
    /// The create request that it was made for.
    pub origin: CreateRequest,
    /// Its instances, newest first.
    pub instances: Vec<Arc<Served>>,
    settled: HashSet<InstanceId>,
}

impl ServedSet {
    /// Whether a key certificate is about a key of this set.
    pub fn serves(&self, key: &KeyCertificate) -> bool {
        let of_key = |epoch: &EpochCertificate| (epoch.suite, &epoch.y) == (key.suite, &key.y);
        self.origin.kind == key.kind && self.instances.iter().any(|served| of_key(served.certificate.body()))
    }

    /// The newest instance that has settled; there is none before the first ceremony has ended.
    pub fn newest_settled(&self) -> Option<&Arc<Served>> {
        self.instances.iter().find(|served| self.settled.contains(&served.instance))
    }
}

/// All sets of an account that the manager serves.
pub struct Sets {
    source: Arc<dyn FragmentSource>,
    table: RwLock<Table>,
}

/// What is served, and which set an instance is of: with many sets, none is looked at but those that are meant.
#[derive(Default)]
struct Table {
    sets: HashMap<SetId, ServedSet>,
    places: HashMap<InstanceId, SetId>,
}

impl Table {
    fn of(&mut self, instance: &InstanceId) -> Option<&mut ServedSet> {
        self.sets.get_mut(self.places.get(instance)?)
    }
}

impl Sets {
    /// No sets yet.
    pub fn new(source: Arc<dyn FragmentSource>) -> Self {
        Self { source, table: RwLock::default() }
    }

    /// Serves what the datastore says that the manager has flipped to.
    pub(crate) async fn restore(&self, rows: &mut Rows<'_, impl Reading>) -> Result<(), StoreError> {
        let decoded = |_| StoreError::Corrupted;
        let sets = rows.sets().await?.into_iter().filter(|set| set.destroyed.is_none());
        let origins =
            sets.map(|set| Ok((set.set, from_canonical::<CreateRequest>(&set.origin).map_err(decoded)?)));
        let origins: HashMap<_, _> = origins.collect::<Result<_, StoreError>>()?;
        for row in rows.instances().await?.into_iter().filter(|row| row.status >= Status::Flipped) {
            let Some(origin) = origins.get(&row.set) else { continue };
            self.serve(
                from_canonical(&row.certificate).map_err(decoded)?,
                row.status == Status::Settled,
                origin,
            );
        }
        Ok(())
    }

    /// Serves an instance from now on. Its certificate is complete, its fragment was read back.
    pub fn serve(&self, certificate: Signed<EpochCertificate>, settled: bool, origin: &CreateRequest) {
        let (set, instance) = (certificate.body().set, certificate.body().instance());
        self.change(|table| {
            table.places.insert(instance, set);
            let set = table.sets.entry(set).or_insert_with(|| ServedSet {
                origin: origin.clone(),
                instances: Vec::new(),
                settled: HashSet::new(),
            });
            if settled {
                set.settled.insert(instance);
            }
            set.instances.retain(|served| served.instance != instance);
            set.instances.push(Arc::new(Served { instance, certificate, fragment: OnceCell::new() }));
            set.instances.sort_by_key(|served| std::cmp::Reverse(served.certificate.body().number()));
        });
    }

    /// Instances have settled.
    pub fn settle(&self, instances: &[InstanceId]) {
        self.change(|table| {
            for instance in instances {
                if let Some(set) = table.of(instance) {
                    set.settled.insert(*instance);
                }
            }
        });
    }

    /// Instances are served no more; their fragments are wiped when the evaluations under way end.
    pub fn erase(&self, instances: &[InstanceId]) {
        self.change(|table| {
            for instance in instances {
                let Some(set) = table.of(instance) else { continue };
                set.instances.retain(|served| served.instance != *instance);
                set.settled.remove(instance);
                let empty = set.instances.is_empty();
                let place = table.places.remove(instance);
                if let Some(set) = place.filter(|_| empty) {
                    table.sets.remove(&set);
                }
            }
        });
    }

    /// Number of sets served.
    pub fn count(&self) -> usize {
        self.look(|table| table.sets.len())
    }

    /// What is made of a set, if it is served.
    pub fn of<T>(&self, set: &SetId, make: impl FnOnce(&ServedSet) -> T) -> Option<T> {
        self.look(|table| table.sets.get(set).map(make))
    }

    /// An instance of a set, if it is served.
    pub fn find(&self, set: &SetId, instance: &InstanceId) -> Option<Arc<Served>> {
        let find =
            |set: &ServedSet| set.instances.iter().find(|served| served.instance == *instance).cloned();
        self.of(set, find).flatten()
    }

    /// The certificates of a set's instances, newest first.
    pub fn certificates(&self, set: &SetId) -> Vec<Signed<EpochCertificate>> {
        let all = |set: &ServedSet| set.instances.iter().map(|served| served.certificate.clone()).collect();
        self.of(set, all).unwrap_or_default()
    }

    /// An instance's fragment: opened at its first use, then kept.
    pub async fn fragment<'a>(&self, served: &'a Served) -> Result<&'a GuardedFragment, FragmentError> {
        served
            .fragment
            .get_or_try_init(async || {
                let secret = self.source.load(served.instance).await?;
                let suite = served.certificate.body().suite;
                GuardedFragment::load(suite, &secret).map_err(|_| FragmentError::Unreadable)
            })
            .await
    }

    fn change(&self, act: impl FnOnce(&mut Table)) {
        act(&mut self.table.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn look<T>(&self, act: impl FnOnce(&Table) -> T) -> T {
        act(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }
}
