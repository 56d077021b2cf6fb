//! Key versions and the instances of their sets, each known only by a certificate that all its members signed.

use crate::access::{Access, Subject, document};
use crate::bounded::Bounded;
use crate::error::{
    CertificateFault, Conflict, DownReason, Error, Integrity, Invalid, ManagerDown, NotFound, Unavailable,
};
use crate::managers::{Manager, Managers};
use crate::root::Root;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use symbolon_fragments::Instance;
use symbolon_fragments::names::{Index, InstanceId, KeyId, SetId};
use symbolon_protocol::api::{self, VersionState, path};
use symbolon_protocol::wire::{Request, Response};
use symbolon_trust::{
    EpochCertificate, KeyCertificate, Signed, VerifiedEpochCertificate, VerifiedKeyCertificate,
};

/// Key versions and instances that are kept.
const KEPT: usize = 4096;
/// Once `t` members serve an instance: how much longer to wait for others that may serve a newer one.
const GRACE: Duration = Duration::from_millis(50);

/// Key versions and instances, verified.
pub(crate) struct Versions {
    access: Access,
    root: Arc<Root>,
    managers: Arc<Managers>,
    keys: Bounded<(KeyId, u64), Arc<VerifiedKeyCertificate>>,
    sets: Bounded<SetId, Arc<Sharing>>,
}

/// An instance of a set that `t` members serve.
pub(crate) struct Sharing {
    certificate: VerifiedEpochCertificate,
    pub(crate) instance: Instance,
}

impl Sharing {
    pub(crate) fn id(&self) -> InstanceId {
        self.certificate.instance()
    }

    pub(crate) fn members(&self) -> &[Index] {
        &self.certificate.certificate().members
    }

    pub(crate) fn number(&self) -> (u64, u64) {
        self.certificate.certificate().number()
    }

    fn new(certificate: VerifiedEpochCertificate) -> Result<Self, CertificateFault> {
        let body = certificate.certificate();
        let commitment: Vec<&[u8]> = body.commitment.iter().map(|point| point.as_slice()).collect();
        let instance = Instance::new(body.suite, &commitment, &body.members)?;
        Ok(Self { certificate, instance })
    }
}

impl Versions {
    pub(crate) fn new(access: Access, root: Arc<Root>, managers: Arc<Managers>) -> Self {
        Self { access, root, managers, keys: Bounded::new(KEPT), sets: Bounded::new(KEPT) }
    }

    /// The certificate of a key version.
    pub(crate) async fn key(&self, key: &KeyId, version: u64) -> Result<Arc<VerifiedKeyCertificate>, Error> {
        let place = (key.clone(), version);
        if let Some(certificate) = self.keys.get(&place) {
            return Ok(certificate);
        }
        let about = Subject { key: Some(key), version: Some(version), operation: None };
        let path = path::key(self.access.account(), key.as_str());
        let answer: api::Key =
            self.access.get(path).await.map_err(|error| self.access.explain(error, about))?;
        let entry = answer.all_versions.iter().find(|entry| entry.version == version);
        let entry = entry.ok_or_else(|| NotFound::Version { key: key.clone(), version })?;
        if entry.wrapped_key.is_some() {
            return Err(Invalid::InHsm { key: key.clone() }.into());
        }
        let signed = entry.certificate.as_ref().ok_or_else(|| Conflict::KeyPending(key.clone()))?;
        let certificate = Arc::new(self.read_key(signed, key, version).await?);
        self.keys.insert(place, certificate.clone());
        Ok(certificate)
    }

    /// Verifies a key certificate that the access manager gave for a key version.
    pub(crate) async fn read_key(
        &self,
        signed: &api::Document,
        key: &KeyId,
        version: u64,
    ) -> Result<VerifiedKeyCertificate, Error> {
        let signed: Signed<KeyCertificate> = document(signed).map_err(|_| unreadable())?;
        if (&signed.body().key, signed.body().version) != (key, version) {
            return Err(Integrity::Certificate(CertificateFault::Other).into());
        }
        let verify = || VerifiedKeyCertificate::verify(signed.clone(), &self.root.get());
        match verify() {
            Ok(certificate) => Ok(certificate),
            Err(_) if self.refresh_seldom().await? => Ok(verify().map_err(not_valid)?),
            Err(error) => Err(not_valid(error).into()),
        }
    }

    /// The instance of a key's set that is used at present.
    pub(crate) async fn sharing(&self, key: &VerifiedKeyCertificate) -> Result<Arc<Sharing>, Error> {
        match self.sets.get(&key.certificate().set) {
            Some(sharing) => Ok(sharing),
            None => self.newest_sharing(key).await,
        }
    }

    /// The newest instance that `t` of its members serve, asked of all managers.
    pub(crate) async fn newest_sharing(&self, key: &VerifiedKeyCertificate) -> Result<Arc<Sharing>, Error> {
        let sharing = Arc::new(self.find_sharing(key).await?);
        self.sets.insert(key.certificate().set, sharing.clone());
        Ok(sharing)
    }

    async fn find_sharing(&self, key: &VerifiedKeyCertificate) -> Result<Sharing, Error> {
        let body = key.certificate();
        let request = Request::Instances { account: body.account, set: body.set };
        let ask = |manager: Arc<Manager>| {
            let request = request.clone();
            async move { (manager.name.clone(), manager.call(request).await) }
        };
        let mut answers: FuturesUnordered<_> = self.managers.active().into_iter().map(ask).collect();
        let (mut found, mut down) = (Found::default(), Vec::new());
        let mut deadline = None;
        while let Some(answer) = next_before(&mut answers, deadline).await {
            match answer {
                (member, Ok(Response::Instances(served))) => {
                    self.take_served(&mut found, member.index, served, key).await?;
                }
                (member, Ok(Response::Error(error))) => {
                    down.push(ManagerDown { member, reason: DownReason::Refused(error) });
                }
                (member, Ok(_)) => down.push(ManagerDown { member, reason: DownReason::Behind }),
                (member, Err(reason)) => down.push(ManagerDown { member, reason }),
            }
            if deadline.is_none() && found.newest().is_some() {
                deadline = Some(tokio::time::Instant::now() + GRACE);
            }
        }
        let have = found.best();
        match found.into_newest() {
            Some(newest) => Ok(Sharing::new(newest).map_err(Integrity::Certificate)?),
            None if self.is_said_to_be_destroyed(body).await => {
                Err(Conflict::KeyDestroyed { key: body.key.clone() }.into())
            }
            None => Err(Unavailable::TooFewManagers { have, need: body.t.into(), down }.into()),
        }
    }

    /// What the access manager says of a key version that nobody serves: it explains an error, and allows nothing.
    async fn is_said_to_be_destroyed(&self, key: &KeyCertificate) -> bool {
        let path = path::key(self.access.account(), key.key.as_str());
        let answer: Result<api::Key, _> = self.access.get(path).await;
        let gone = |version: &api::KeyVersion| {
            let state = version.state;
            version.version == key.version
                && matches!(state, VersionState::Scheduled | VersionState::Destroyed)
        };
        answer.is_ok_and(|key| key.all_versions.iter().any(gone))
    }

    async fn take_served(
        &self,
        found: &mut Found,
        by: Index,
        served: Vec<Signed<EpochCertificate>>,
        key: &VerifiedKeyCertificate,
    ) -> Result<(), Error> {
        for signed in served {
            let instance = signed.body().instance();
            if let Some(known) = found.0.get_mut(&instance) {
                known.1.push(by);
                continue;
            }
            // What doesn't verify is one manager's word against the others': it doesn't count.
            let Some(certificate) = self.verify_epoch(signed).await? else { continue };
            if certificate.check_key(key).is_ok() {
                found.0.insert(instance, (certificate, vec![by]));
            }
        }
        Ok(())
    }

    async fn verify_epoch(
        &self,
        signed: Signed<EpochCertificate>,
    ) -> Result<Option<VerifiedEpochCertificate>, Error> {
        match VerifiedEpochCertificate::verify(signed.clone(), &self.root.get()) {
            Ok(certificate) => Ok(Some(certificate)),
            Err(_) if self.refresh_seldom().await.unwrap_or(false) => {
                Ok(VerifiedEpochCertificate::verify(signed, &self.root.get()).ok())
            }
            Err(_) => Ok(None),
        }
    }

    /// Asks for successors of the root document. Says whether there were any.
    pub(crate) async fn refresh_root(&self) -> Result<bool, Error> {
        let grown = self.root.refresh(&self.access).await?;
        self.take_over(grown);
        Ok(grown)
    }

    async fn refresh_seldom(&self) -> Result<bool, Error> {
        let grown = self.root.refresh_seldom(&self.access).await?;
        self.take_over(grown);
        Ok(grown)
    }

    fn take_over(&self, grown: bool) {
        if grown {
            self.managers.update(&self.root.get());
            self.keys.clear();
            self.sets.clear();
        }
    }
}

/// Instances that managers say they serve, and who does.
#[derive(Default)]
struct Found(HashMap<InstanceId, (VerifiedEpochCertificate, Vec<Index>)>);

impl Found {
    fn newest(&self) -> Option<&VerifiedEpochCertificate> {
        let usable = self.0.values().filter(|(certificate, by)| {
            let body = certificate.certificate();
            by.iter().filter(|index| body.members.contains(index)).count() >= usize::from(body.t)
        });
        usable
            .map(|(certificate, _)| certificate)
            .max_by_key(|certificate| certificate.certificate().number())
    }

    fn into_newest(self) -> Option<VerifiedEpochCertificate> {
        self.newest().cloned()
    }

    /// By how many members the best served instance is served.
    fn best(&self) -> usize {
        self.0.values().map(|(_, by)| by.len()).max().unwrap_or(0)
    }
}

async fn next_before<F: Future>(
    answers: &mut FuturesUnordered<F>,
    deadline: Option<tokio::time::Instant>,
) -> Option<F::Output> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, answers.next()).await.ok().flatten(),
        None => answers.next().await,
    }
}

fn unreadable() -> Integrity {
    Integrity::Certificate(CertificateFault::Unreadable)
}

fn not_valid(error: symbolon_trust::CertificateError) -> Integrity {
    Integrity::Certificate(CertificateFault::NotValid(error))
}
