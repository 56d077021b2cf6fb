//! Managing keys: creating, rotating, listing, labelling. What is shown of a key comes from its verified certificate;
//! the access manager's word counts only for state and labels.

mod certify;
mod plan;

use crate::access::{AccessError, Subject, as_document};
use crate::client::{CEREMONY, Client};
use crate::error::{Conflict, Denied, Error, Integrity, NotFound, ServerName, Unavailable};
use hyper::Method;
use hyper::header::{ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use std::collections::BTreeMap;
use std::time::Duration;
use symbolon_channel::http::Request;
use symbolon_encoding::to_canonical;
use symbolon_fragments::SuiteId;
use symbolon_fragments::names::{Index, KeyId, Purpose, SetId};
use symbolon_protocol::api::{self, GrantState, path};
use symbolon_trust::{
    CreateRequest, Grant, KeyKind, Operation, Signed, VerifiedKeyCertificate, VerifiedWrappedKey,
};
use tokio::time::Instant;

/// How long a long poll waits, seconds.
const WAIT: u64 = 20;
/// How long a create request is good, seconds: members act on it for as long, so a ceremony that has to wait for one
/// of them still ends.
const REQUEST_LIFE: u64 = 3600;

/// What a new key is to be like.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its id.
    pub key: KeyId,
    /// Its suite. On the shared root of another key, that one's suite counts.
    pub suite: SuiteId,
    /// How many fragments make an operation. On the shared root of another key, that one's number counts.
    pub t: u16,
    /// Who holds a fragment.
    pub members: Members,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether every use takes a customer fragment too.
    pub customer_fragment: bool,
    /// Whether it has a fragment set of its own.
    pub root: RootOfKey,
    /// Labels.
    pub labels: api::Labels,
}

/// Who is to hold the fragments of a new key.
#[derive(Clone, Debug)]
pub enum Members {
    /// So many of the roster.
    Any(u16),
    /// These.
    These(Vec<Index>),
}

/// The fragment set of a new key.
#[derive(Clone, Debug)]
pub enum RootOfKey {
    /// One of its own.
    Dedicated,
    /// A new one, which other keys can join.
    NewShared,
    /// The one of that key, which was made as a shared root. No ceremony is needed.
    SharedWith(KeyId),
}

/// A key, as far as it is known.
#[derive(Clone, Debug)]
pub struct KeyInfo {
    /// What the access manager says of it: state, labels, versions.
    pub entry: api::Key,
    /// Its versions that have a certificate, newest first; none in an HSM.
    pub certificates: Vec<VerifiedKeyCertificate>,
    /// In an HSM, its versions that were made, newest first.
    pub wrapped: Vec<VerifiedWrappedKey>,
}

/// The keys of an account, for management.
pub struct Keys<'a>(pub(crate) &'a Client);

impl Client {
    /// Management of keys.
    pub fn keys(&self) -> Keys<'_> {
        Keys(self)
    }
}

impl<'a> Keys<'a> {
    pub(crate) const fn client(&self) -> &'a Client {
        self.0
    }
}

impl Keys<'_> {
    /// Creates a key: has its set generated, has all members certify it, and stores the certificate. If an earlier
    /// attempt of this holder for the same key was left half way, it is taken up.
    pub async fn create(&self, new: &NewKey) -> Result<KeyInfo, Error> {
        self.0.in_ceremony_time(Box::pin(self.make(new))).await
    }

    async fn make(&self, new: &NewKey) -> Result<KeyInfo, Error> {
        let planned = self.plan(new).await?;
        // An attempt that asked for something else is not finished in its place.
        let pending =
            self.pending(&new.key).await?.filter(|pending| plan::asks_for(pending.body(), &planned));
        let request = match pending {
            Some(pending) => pending,
            None => self.ask(planned, &new.labels).await?,
        };
        self.finish(&request).await
    }

    /// Makes a new version of a key, under which everything is encrypted from now on. Old versions still decrypt.
    pub async fn rotate(&self, key: &KeyId) -> Result<KeyInfo, Error> {
        let made = self.0.in_ceremony_time(Box::pin(self.make_version(key))).await;
        // A permit at hand may be for the version before.
        self.0.inner.permits.forget();
        made
    }

    async fn make_version(&self, key: &KeyId) -> Result<KeyInfo, Error> {
        let entry = self.entry(key).await?;
        if entry.all_versions.iter().all(|version| version.set.is_none() && version.members.is_empty()) {
            return self.rotate_in_hsm(&entry).await;
        }
        let request = match self.pending(key).await? {
            Some(pending) => pending,
            None => self.ask(self.plan_rotation(key).await?, &api::Labels::new()).await?,
        };
        self.finish(&request).await
    }

    /// A key with its versions.
    pub async fn show(&self, key: &KeyId) -> Result<KeyInfo, Error> {
        let show = async { self.verified(key, self.entry(key).await?).await };
        self.0.in_time(show).await
    }

    /// A page of the keys that the holder is granted.
    pub async fn page(&self, query: &api::KeyQuery) -> Result<api::KeyPage, Error> {
        let access = self.0.access();
        let path = with_query(
            path::of_account(path::KEYS, access.account()),
            &[
                ("cursor", query.cursor.clone()),
                ("limit", query.limit.map(|limit| limit.to_string())),
                ("below", query.below.clone()),
                ("state", query.state.map(state_name)),
                ("label", query.label.clone()),
            ],
        );
        let page =
            async { access.get(path).await.map_err(|error| access.explain(error, Subject::default())) };
        self.0.in_time(page).await
    }

    /// All keys that the holder is granted and the query selects.
    pub async fn list(&self, mut query: api::KeyQuery) -> Result<Vec<api::KeySummary>, Error> {
        let mut keys = Vec::new();
        loop {
            let page = self.page(&query).await?;
            keys.extend(page.keys);
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(keys),
            }
        }
    }

    /// Sets labels, and removes those whose value is nothing.
    pub async fn label(
        &self,
        key: &KeyId,
        labels: BTreeMap<String, Option<String>>,
    ) -> Result<api::Key, Error> {
        self.0.in_time(self.put_labels(key, labels)).await
    }

    async fn put_labels(
        &self,
        key: &KeyId,
        labels: BTreeMap<String, Option<String>>,
    ) -> Result<api::Key, Error> {
        let access = self.0.access();
        let about = Subject { key: Some(key), ..Subject::default() };
        let path = path::key(access.account(), key.as_str());
        let explain = |error| access.explain(error, about);
        let (_, tag) = self.poll(key, None).await.map_err(explain)?.ok_or(NotFound::Key(key.clone()))?;
        let body = serde_json::to_vec(&api::KeyPatch { labels }).map_err(|_| Conflict::Changed)?;
        let request = Request::new(Method::PATCH, path).with_json(body).with_header(IF_MATCH, tag);
        let answer = access.repeat(request).await.map_err(explain)?;
        crate::access::body(&answer).map_err(explain)
    }

    async fn entry(&self, key: &KeyId) -> Result<api::Key, Error> {
        let access = self.0.access();
        let about = Subject { key: Some(key), ..Subject::default() };
        let path = path::key(access.account(), key.as_str());
        access.get(path).await.map_err(|error| access.explain(error, about))
    }

    async fn verified(&self, key: &KeyId, entry: api::Key) -> Result<KeyInfo, Error> {
        let (mut certificates, mut wrapped) = (Vec::new(), Vec::new());
        for version in &entry.all_versions {
            if let Some(document) = &version.wrapped_key {
                wrapped.push(self.0.read_wrapped(document, key, version.version).await?);
            }
            if let Some(document) = &version.certificate {
                certificates.push(self.0.inner.versions.read_key(document, key, version.version).await?);
            }
        }
        Ok(KeyInfo { entry, certificates, wrapped })
    }

    /// This holder's create request of a version that has no certificate yet, if it can still be finished: its set was
    /// made, and it has not expired. Any other is asked for anew, since the ceremony that makes a set is never retried.
    async fn pending(&self, key: &KeyId) -> Result<Option<Signed<CreateRequest>>, Error> {
        let entry = match self.entry(key).await {
            Ok(entry) => entry,
            // Whoever may create a key need not be allowed to see it.
            Err(Error::NotFound(NotFound::Key(_)) | Error::Denied(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let newest = entry.all_versions.iter().max_by_key(|version| version.version);
        let Some(pending) = newest.filter(|version| version.certificate.is_none()) else { return Ok(None) };
        let request: Signed<CreateRequest> = crate::access::document(&pending.request)
            .map_err(|error| self.0.access().explain(error, Subject::default()))?;
        let body = request.body();
        if (&body.key, body.version) != (key, pending.version) {
            return Err(Integrity::Protocol(ServerName::AccessManager).into());
        }
        let ours = request.signature_of(&self.0.inner.holder.public()).is_some();
        if !ours {
            return Err(Conflict::KeyPending(key.clone()).into());
        }
        let can_be_finished = pending.set.is_some() && self.0.manager_time().await? < request.body().expires;
        Ok(can_be_finished.then_some(request))
    }

    /// Sends a create request.
    async fn ask(
        &self,
        request: CreateRequest,
        labels: &api::Labels,
    ) -> Result<Signed<CreateRequest>, Error> {
        let access = self.0.access();
        let grant = self.grant_to_create(&request.key).await?;
        let signed = Signed::by(request, [&self.0.inner.holder]);
        let key = &signed.body().key;
        let about = Subject { key: Some(key), operation: Some(Operation::Create), version: None };
        let path = match signed.body().version {
            1 => path::of_account(path::KEYS, access.account()),
            _ => path::versions(access.account(), key.as_str()),
        };
        let body = api::CreateKey {
            request: as_document(&signed),
            grant: as_document(&grant),
            labels: labels.clone(),
        };
        let _: serde_json::Value =
            access.post_once(path, &body).await.map_err(|error| access.explain(error, about))?;
        Ok(signed)
    }

    /// Waits for the set, has the certificate signed, and stores it.
    async fn finish(&self, request: &Signed<CreateRequest>) -> Result<KeyInfo, Error> {
        let (key, version) = (&request.body().key, request.body().version);
        let until = Instant::now() + CEREMONY;
        let grant = self.grant_to_create(key).await?;
        let set = self.set_of(request, until).await?;
        let certificate = self.certify(request, &grant, set, until).await?;
        let access = self.0.access();
        let about = Subject { key: Some(key), version: Some(version), operation: None };
        let path = path::certificate(access.account(), key.as_str(), version);
        let body = api::SignedDocument { document: as_document(certificate.signed()) };
        access.put(path, &body).await.map_err(|error| access.explain(error, about))?;
        self.show(key).await
    }

    /// The set that serves the new version: the one that the request names, or the one that its ceremony makes.
    async fn set_of(&self, request: &Signed<CreateRequest>, until: Instant) -> Result<SetId, Error> {
        let body = request.body();
        if let Some(set) = body.set {
            return Ok(set);
        }
        let about = Subject { key: Some(&body.key), version: Some(body.version), operation: None };
        let mut seen = None;
        loop {
            let polled = tokio::time::timeout_at(until, self.poll(&body.key, seen.clone())).await;
            let polled = polled.map_err(|_| Unavailable::Ceremony { key: body.key.clone() })?;
            let polled = polled.map_err(|error| self.0.access().explain(error, about))?;
            let Some((entry, tag)) = polled else { continue };
            let version = entry.all_versions.iter().find(|version| version.version == body.version);
            if let Some(set) = version.and_then(|version| version.set) {
                return Ok(SetId::new(set.0));
            }
            seen = Some(tag);
        }
    }

    /// A key's entry with its tag; nothing if it is still the one with the tag that was seen.
    async fn poll(
        &self,
        key: &KeyId,
        seen: Option<HeaderValue>,
    ) -> Result<Option<(api::Key, HeaderValue)>, AccessError> {
        let access = self.0.access();
        let path = path::key(access.account(), key.as_str());
        let request = match seen {
            Some(tag) => {
                let path = with_query(path, &[("wait", Some(WAIT.to_string()))]);
                Request::new(Method::GET, path).with_header(IF_NONE_MATCH, tag)
            }
            None => Request::new(Method::GET, path),
        };
        let answer = access.repeat(request.within(Duration::from_secs(WAIT + 10))).await?;
        if answer.status == hyper::StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let tag = answer.headers.get(ETAG).cloned().ok_or(AccessError::Protocol)?;
        Ok(Some((crate::access::body(&answer)?, tag)))
    }

    /// An active grant of the holder that allows to create the key.
    pub(crate) async fn grant_to_create(&self, key: &KeyId) -> Result<Signed<Grant>, Error> {
        let holder = self.0.holder();
        for grant in self.0.grants(Some(holder)).await? {
            let signed: Signed<Grant> = crate::access::document(&grant.document)
                .map_err(|error| self.0.access().explain(error, Subject::default()))?;
            if grant.state == GrantState::Active && signed.body().covers(key, Operation::Create) {
                return Ok(signed);
            }
        }
        Err(Denied::NotGranted { holder, operation: Operation::Create, key: key.clone() }.into())
    }
}

impl KeyInfo {
    /// The newest version that can be used.
    pub fn newest(&self) -> Option<&VerifiedKeyCertificate> {
        self.certificates.iter().max_by_key(|certificate| certificate.certificate().version)
    }
}

/// SHA-256 over a certificate with its signatures: by which people compare them.
///
/// # Panics
/// Never: SHA-256 has 32 bytes.
pub fn fingerprint(certificate: &VerifiedKeyCertificate) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &to_canonical(certificate.signed()));
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn kind_of(root: &RootOfKey) -> KeyKind {
    match root {
        RootOfKey::Dedicated => KeyKind::Dedicated,
        RootOfKey::NewShared | RootOfKey::SharedWith(_) => KeyKind::Shared,
    }
}

fn state_name(state: api::KeyState) -> String {
    let name = match state {
        api::KeyState::Pending => "pending",
        api::KeyState::Active => "active",
        api::KeyState::Disabled => "disabled",
        api::KeyState::Scheduled => "scheduled",
        api::KeyState::Destroyed => "destroyed",
    };
    name.into()
}

/// A path with those parameters that have a value.
pub(crate) fn with_query(path: String, parameters: &[(&str, Option<String>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let query: Vec<_> = given.map(|(name, value)| format!("{name}={}", path::segment(value))).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}
