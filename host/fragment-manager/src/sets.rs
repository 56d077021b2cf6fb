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
    sets: RwLock<HashMap<SetId, ServedSet>>,
}

impl Sets {
    /// No sets yet.
    pub fn new(source: Arc<dyn FragmentSource>) -> Self {
        Self { source, sets: RwLock::default() }
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
        let instance = certificate.body().instance();
        self.change(|sets| {
            let set = sets.entry(certificate.body().set).or_insert_with(|| ServedSet {
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
        let instances: HashSet<_> = instances.iter().collect();
        self.change(|sets| {
            for set in sets.values_mut() {
                let settled = set.instances.iter().map(|served| served.instance);
                set.settled.extend(settled.filter(|instance| instances.contains(instance)));
            }
        });
    }

    /// Instances are served no more; their fragments are wiped when the evaluations under way end.
    pub fn erase(&self, instances: &[InstanceId]) {
        let instances: HashSet<_> = instances.iter().collect();
        self.change(|sets| {
            sets.retain(|_, set| {
                set.instances.retain(|served| !instances.contains(&served.instance));
                set.settled.retain(|instance| !instances.contains(instance));
                !set.instances.is_empty()
            });
        });
    }

    /// Number of sets served.
    pub fn count(&self) -> usize {
        self.look(HashMap::len)
    }

    /// What is made of a set, if it is served.
    pub fn of<T>(&self, set: &SetId, make: impl FnOnce(&ServedSet) -> T) -> Option<T> {
        self.look(|sets| sets.get(set).map(make))
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

    fn change<T>(&self, act: impl FnOnce(&mut HashMap<SetId, ServedSet>) -> T) -> T {
        act(&mut self.sets.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn look<T>(&self, act: impl FnOnce(&HashMap<SetId, ServedSet>) -> T) -> T {
        act(&self.sets.read().unwrap_or_else(PoisonError::into_inner))
    }
}
