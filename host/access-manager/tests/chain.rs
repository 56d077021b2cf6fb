//! Tenants and systems over the real interface: made, rotated, listed, switched off, erased. Their keys are the test's.

mod harness;

use harness::{
    Answer, Client, Site, config, directory, now,
    world::{World, bytes, document, key},
};
use hyper::{Method, StatusCode};
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use symbolon_audit::{Entry, Event, Refused};
use symbolon_fragments::names::Purpose;
use symbolon_keychain::{Root, State, System as SystemLink, Tenant as TenantLink, TenantKey, Wrapped};
use symbolon_protocol::api::{
    self, CreateKey, KeyLeases, KeyState, LogPost, ProblemType, System, SystemPage, Tenant, TenantPage,
    WrappedKey, path,
};
use symbolon_trust::{Acknowledgement, Action, DenyDocument, Operation, Seconds, Signed};
use tempfile::TempDir;

/// Not random: the test has nothing to hide.
struct Counting(u8);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 = self.0.wrapping_add(1);
        Ok(self.0.into())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.try_next_u32().map(Into::into)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0 = self.0.wrapping_add(1);
        out.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

/// An account with a root key that wraps, and a holder who may do everything.
struct Estate {
    world: World,
    site: Site,
    holder: Client,
    _directory: TempDir,
}

impl Estate {
    async fn open() -> Self {
        let world = World::unreachable("estate", 30);
        let directory = directory(&[&world]);
        let site = Site::start(&config(directory.path())).await;
        let holder = site.client(&world.holder);
        let estate = Self { world, site, holder, _directory: directory };
        let everything = [Operation::Encrypt, Operation::Decrypt, Operation::Create, Operation::Audit];
        let grant = estate.world.grant(1, 1, "*", &estate.world.holder, &everything);
        estate.holder.post(&estate.world.path(path::GRANTS), &document(&grant)).await.done();
        estate.make_key("acme-root", Purpose::Wrap).await;
        estate
    }

    async fn make_key(&self, id: &str, purpose: Purpose) {
        let world = &self.world;
        let request = world.create_with(id, 1, |request| request.purpose = purpose);
        let operations = [Operation::Encrypt, Operation::Decrypt, Operation::Create, Operation::Audit];
        let grant = world.grant(1, 1, "*", &world.holder, &operations);
        let body =
            CreateKey { request: bytes(&request), grant: bytes(&grant), labels: api::Labels::default() };
        self.holder.post(&world.path(path::KEYS), &body).await.done();
        let instance = world.instance(request.body());
        for member in 0..3 {
            let certificates = World::certificates(request.body(), &instance);
            let messages = vec![certificates, world.flip(member, instance.body())];
            let client = self.site.client(&world.members[member]);
            client.post(&world.path(path::CEREMONY_LOG), &LogPost { messages }).await.done();
        }
        let certificate = document(&world.certificate(request.body(), instance.body()));
        self.holder.put(&path::certificate(&world.id(), id, 1), &certificate).await.done();
    }

    fn tenant(&self, id: &str, version: u64) -> TenantLink {
        let root = Root { account: self.world.account(), key: key("acme-root"), state: State::Active };
        TenantLink { root, id: id.parse().unwrap(), version, state: State::Active }
    }

    fn tenant_key(&self, id: &str, version: u64) -> (TenantKey, Wrapped) {
        let fresh = TenantKey::generate(self.tenant(id, version).permit().unwrap(), &mut Counting(1));
        fresh.sealed(b"what the root key made of it".to_vec())
    }

    fn system_key(&self, tenant_version: u64, id: &str, version: u64) -> Wrapped {
        let (tenant, _) = id.split_once('/').unwrap();
        let above = self.tenant(tenant, tenant_version);
        let system = SystemLink::new(above, id.parse().unwrap(), version, State::Active).unwrap();
        let (key, _) = self.tenant_key(tenant, tenant_version);
        key.generate_system_key(system.permit().unwrap(), &mut Counting(2)).unwrap().1
    }

    async fn post(&self, at: &str, wrapped: &Wrapped) -> Answer {
        self.holder.post(&self.world.path(at), &body(wrapped)).await
    }

    async fn make(&self) {
        self.post(path::TENANTS, &self.tenant_key("acme", 1).1).await.done();
        self.post(path::SYSTEMS, &self.system_key(1, "acme/ceph", 1)).await.done();
    }

    async fn show_tenant(&self) -> Answer {
        self.holder.get(&path::tenant(&self.world.id(), "acme")).await
    }

    async fn show_system(&self) -> System {
        self.holder.get(&path::system(&self.world.id(), "acme/ceph")).await.ok()
    }

    async fn disable(&self, version: u64, ids: &[&str]) {
        let deny = self.world.deny(version, |deny| ids.iter().for_each(|id| deny.disable_key(key(id))));
        self.holder.put(&self.world.path(path::DENY), &document(&deny)).await.done();
    }

    async fn order(&self, serial: u64, action: Action) {
        self.holder
            .post(&self.world.path(path::ORDERS), &document(&self.world.order(serial, action)))
            .await
            .done();
    }

    /// Asks for a permit with the root key, as a process of this name.
    async fn permit(&self, operation: api::Operation, process: Option<u8>) {
        let request = api::PermitRequest {
            key: "acme-root".into(),
            version: None,
            operations: vec![operation],
            on_behalf_of: None,
            process: process.map(|name| api::Id([name; 32])),
        };
        self.holder.post(&self.world.path(path::PERMITS), &request).await.done();
    }

    async fn events(&self) -> Vec<Event> {
        let page: api::EntryPage = self.holder.get(&self.world.path(path::AUDIT_ENTRIES)).await.ok();
        page.entries.iter().map(|entry| Entry::from_bytes(&entry.0).unwrap().event).collect()
    }
}

fn body(wrapped: &Wrapped) -> WrappedKey {
    WrappedKey { wrapped: wrapped.to_bytes().into() }
}

#[tokio::test]
async fn a_tenant_and_a_system_are_made_listed_and_logged() {
    let estate = Estate::open().await;
    let made = estate.post(path::TENANTS, &estate.tenant_key("acme", 1).1).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.header("location"), path::tenant(&estate.world.id(), "acme"));
    let made: Tenant = made.ok();
    let wrapped = estate.system_key(1, "acme/ceph", 1);
    let system: System = estate.post(path::SYSTEMS, &wrapped).await.ok();
    assert_eq!((system.summary.version, system.above.summary.tenant.as_str()), (1, "acme"));
    assert_eq!(system.versions[0].wrapped.as_ref().map(|document| &document.0), Some(&wrapped.to_bytes()));

    let page: TenantPage = estate.holder.get(&estate.world.path(path::TENANTS)).await.ok();
    assert_eq!((page.tenants.len(), page.tenants[0].systems, made.summary.systems), (1, 1, 0));
    let below = format!("{}?root=other-root", estate.world.path(path::TENANTS));
    assert_eq!(estate.holder.get(&below).await.ok::<TenantPage>().tenants.len(), 0);
    let first = format!("{}?limit=1&tenant=acme", estate.world.path(path::SYSTEMS));
    let page: SystemPage = estate.holder.get(&first).await.ok();
    let next = format!("{first}&cursor={}", page.next.unwrap());
    assert_eq!(estate.holder.get(&next).await.ok::<SystemPage>().systems.len(), 0);

    let stored = |event: &Event| matches!(event, Event::LinkStored { version: 1, .. });
    assert_eq!(estate.events().await.iter().filter(|event| stored(event)).count(), 2);
    estate.site.stop().await;
}

#[tokio::test]
async fn a_repeated_request_makes_one_tenant_and_a_name_is_used_once() {
    let estate = Estate::open().await;
    let wrapped = serde_json::to_string(&body(&estate.tenant_key("acme", 1).1)).unwrap();
    let at = estate.world.path(path::TENANTS);
    let once = ("idempotency-key", "6d1f");
    let first = estate.holder.with_header(Method::POST, &at, Some(&wrapped), once).await.done();
    let again = estate.holder.with_header(Method::POST, &at, Some(&wrapped), once).await.done();
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    estate.post(path::TENANTS, &estate.tenant_key("acme", 1).1).await.problem(ProblemType::KeyExists);
    estate.post(path::TENANTS, &estate.tenant_key("acme-root", 1).1).await.problem(ProblemType::KeyExists);
    let request = estate.world.create("acme", 1);
    let grant = estate.world.grant(1, 1, "*", &estate.world.holder, &[Operation::Create]);
    let key = CreateKey { request: bytes(&request), grant: bytes(&grant), labels: api::Labels::default() };
    estate.holder.post(&estate.world.path(path::KEYS), &key).await.problem(ProblemType::KeyExists);
    estate.site.stop().await;
}

#[tokio::test]
async fn versions_ascend_and_name_what_they_change() {
    let estate = Estate::open().await;
    estate.make().await;
    let at = path::tenant_versions(&estate.world.id(), "acme");
    let tag = estate.show_tenant().await.header("etag").to_owned();
    let second = serde_json::to_string(&body(&estate.tenant_key("acme", 2).1)).unwrap();
    let third = serde_json::to_string(&body(&estate.tenant_key("acme", 3).1)).unwrap();
    let post = async |body: &str, tag: &str| {
        estate.holder.with_header(Method::POST, &at, Some(body), ("if-match", tag)).await
    };
    estate
        .holder
        .post(&at, &body(&estate.tenant_key("acme", 2).1))
        .await
        .problem(ProblemType::PreconditionRequired);
    post(&third, &tag).await.problem(ProblemType::Superseded);
    let rotated: Tenant = post(&second, &tag).await.ok();
    assert_eq!((rotated.summary.version, rotated.versions.len()), (2, 2));
    post(&third, &tag).await.problem(ProblemType::PreconditionFailed);
    let shown = estate.show_tenant().await;
    let (at, tag) = (path::tenant(&estate.world.id(), "acme"), shown.header("etag"));
    let known = estate.holder.with_header(Method::GET, &at, None, ("if-none-match", tag)).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    // A system is wrapped by the newest version of its tenant's key.
    let old = estate.system_key(1, "acme/late", 1);
    estate.post(path::SYSTEMS, &old).await.problem(ProblemType::Superseded);
    estate.post(path::SYSTEMS, &estate.system_key(2, "acme/late", 1)).await.done();
    estate.site.stop().await;
}

#[tokio::test]
async fn wrapped_keys_of_other_places_are_refused_and_logged() {
    let estate = Estate::open().await;
    estate.make().await;
    let (tenant, system) = (estate.tenant_key("umbrella", 1).1, estate.system_key(1, "acme/two", 1));
    estate.post(path::SYSTEMS, &tenant).await.problem(ProblemType::InvalidDocument);
    estate.post(path::TENANTS, &system).await.problem(ProblemType::InvalidDocument);
    let garbage = WrappedKey { wrapped: vec![1, 2, 3].into() };
    estate
        .holder
        .post(&estate.world.path(path::TENANTS), &garbage)
        .await
        .problem(ProblemType::InvalidDocument);
    let other = World::unreachable("other", 60);
    let root = Root { account: other.account(), key: key("acme-root"), state: State::Active };
    let theirs = TenantLink { root, id: "umbrella".parse().unwrap(), version: 1, state: State::Active };
    let fresh = TenantKey::generate(theirs.permit().unwrap(), &mut Counting(3));
    let refused = estate.post(path::TENANTS, &fresh.sealed(vec![]).1).await;
    refused.problem(ProblemType::InvalidDocument);
    estate.make_key("notes", Purpose::Data).await;
    let root = Root { account: estate.world.account(), key: key("notes"), state: State::Active };
    let below = TenantLink { root, id: "umbrella".parse().unwrap(), version: 1, state: State::Active };
    let fresh = TenantKey::generate(below.permit().unwrap(), &mut Counting(3));
    estate.post(path::TENANTS, &fresh.sealed(vec![]).1).await.problem(ProblemType::Malformed);
    let refused = |event: &Event| matches!(event, Event::Refused { what: Refused::Link, .. });
    assert_eq!(estate.events().await.iter().filter(|event| refused(event)).count(), 5);
    estate.site.stop().await;
}

#[tokio::test]
async fn the_owners_documents_are_the_states() {
    let estate = Estate::open().await;
    estate.make().await;
    estate.disable(1, &["acme"]).await;
    let shown = estate.show_system().await;
    assert_eq!((shown.summary.state, shown.above.summary.state), (KeyState::Active, KeyState::Disabled));
    let refused = estate.post(path::SYSTEMS, &estate.system_key(1, "acme/two", 1)).await;
    let problem = refused.problem(ProblemType::KeyDisabled);
    assert_eq!(problem.detail.as_deref(), Some("tenant acme is disabled"));
    estate.order(1, Action::Enable { key: key("acme"), since: 1 }).await;
    assert_eq!(estate.show_system().await.above.summary.state, KeyState::Active);

    estate.disable(2, &["acme", "acme-root"]).await;
    let shown = estate.show_system().await.above.summary;
    assert_eq!((shown.state, shown.root_state), (KeyState::Disabled, KeyState::Disabled));
    estate.order(2, Action::Enable { key: key("acme"), since: 2 }).await;
    let refused = estate.post(path::SYSTEMS, &estate.system_key(1, "acme/two", 1)).await;
    let problem = refused.problem(ProblemType::KeyDisabled);
    assert_eq!(problem.detail.as_deref(), Some("root key acme-root is disabled"));
    estate.order(3, Action::Enable { key: key("acme-root"), since: 2 }).await;

    let execute_after = Seconds(0);
    estate.order(4, Action::Destroy { key: key("acme/ceph"), version: 1, execute_after }).await;
    let shown = estate.show_system().await;
    assert_eq!(shown.summary.state, KeyState::Scheduled);
    assert!(shown.versions[0].wrapped.is_some(), "it can still be cancelled");
    estate.order(5, Action::CancelDestruction { key: key("acme/ceph"), destroy_serial: 4 }).await;
    assert_eq!(estate.show_system().await.summary.state, KeyState::Active);
    estate.site.stop().await;
}

#[tokio::test]
async fn grants_decide_who_sees_and_makes_what() {
    let estate = Estate::open().await;
    estate.make().await;
    let other = estate.site.client(&estate.world.other);
    let shown = path::system(&estate.world.id(), "acme/ceph");
    other.get(&shown).await.problem(ProblemType::NotFound);
    let grant = estate.world.grant(2, 1, "acme/*", &estate.world.other, &[Operation::Create]);
    estate.holder.post(&estate.world.path(path::GRANTS), &document(&grant)).await.done();
    other.get(&shown).await.done();
    other.get(&path::tenant(&estate.world.id(), "acme")).await.problem(ProblemType::NotFound);
    // To make a system takes the right to the root key as well: without it, its key could not have been made.
    let wrapped = body(&estate.system_key(1, "acme/two", 1));
    other.post(&estate.world.path(path::SYSTEMS), &wrapped).await.problem(ProblemType::Denied);
    let grant = estate.world.grant(3, 1, "acme-root", &estate.world.other, &[Operation::Decrypt]);
    estate.holder.post(&estate.world.path(path::GRANTS), &document(&grant)).await.done();
    other.post(&estate.world.path(path::SYSTEMS), &wrapped).await.done();
    let listed: SystemPage = other.get(&estate.world.path(path::SYSTEMS)).await.ok();
    assert_eq!(listed.systems.len(), 2);
    let tenant = body(&estate.tenant_key("umbrella", 1).1);
    other.post(&estate.world.path(path::TENANTS), &tenant).await.problem(ProblemType::Denied);
    estate.site.stop().await;
}

#[tokio::test]
async fn whoever_waits_for_the_deny_document_is_told_at_once() {
    let estate = Estate::open().await;
    let at = format!("{}?wait=30", estate.world.path(path::DENY));
    let waiting = {
        let (holder, at) = (estate.holder.clone(), at.clone());
        tokio::spawn(
            async move { holder.with_header(Method::GET, &at, None, ("if-none-match", "\"0\"")).await },
        )
    };
    estate.disable(1, &["acme-root"]).await;
    let told = waiting.await.unwrap().done();
    assert_eq!((told.status, told.header("etag")), (StatusCode::OK, "\"1\""));
    let now = estate.world.path(path::DENY);
    let known = estate.holder.with_header(Method::GET, &now, None, ("if-none-match", "\"1\"")).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    estate.site.stop().await;
}

#[tokio::test]
async fn leases_are_those_of_permits_and_each_is_acknowledged_by_its_own_holder_alone() {
    let estate = Estate::open().await;
    estate.make().await;
    let world = &estate.world;
    let (owner, list) = (estate.site.client(&world.owner), path::key_leases(&world.id(), "acme/ceph"));
    estate.permit(api::Operation::Encrypt, Some(1)).await;
    assert_eq!(owner.get(&list).await.ok::<KeyLeases>(), KeyLeases::default(), "sealing opens nothing");
    for process in [Some(1), None, Some(1)] {
        estate.permit(api::Operation::Decrypt, process).await;
    }
    let leases = owner.get(&list).await.ok::<KeyLeases>().leases;
    assert_eq!(leases.iter().map(|lease| lease.process).collect::<Vec<_>>(), [None, Some(api::Id([1; 32]))]);
    assert!(leases.iter().all(|lease| lease.until <= now() + 60 && lease.acknowledgement.is_none()));
    estate.holder.get(&list).await.problem(ProblemType::Denied);
    owner.get(&path::key_leases(&world.id(), "nothing")).await.problem(ProblemType::UnknownKey);

    let deny = world.deny(1, |deny| deny.disable_key(key("acme-root")));
    estate.holder.put(&world.path(path::DENY), &document(&deny)).await.done();
    let tag = owner.get(&list).await.header("etag").to_owned();
    let waiting = {
        let (owner, list) = (owner.clone(), format!("{list}?wait=30"));
        tokio::spawn(
            async move { owner.with_header(Method::GET, &list, None, ("if-none-match", &tag)).await },
        )
    };
    let at = world.path(path::DENY_ACKNOWLEDGEMENTS);
    let say = |process: u8, deny: &DenyDocument, key| {
        let said = Acknowledgement::of(world.holder_id(), [process; 32], deny, Seconds(1));
        document(&Signed::by(said, [key]))
    };
    let forged = say(1, deny.body(), &world.other);
    estate.holder.post(&at, &forged).await.problem(ProblemType::InvalidDocument);
    let other = estate.site.client(&world.other);
    let right = say(1, deny.body(), &world.holder);
    other.post(&at, &right).await.problem(ProblemType::InvalidDocument);
    // Of whoever has no lease nothing is kept; said twice is noted once.
    for said in [&say(9, deny.body(), &world.holder), &right, &right] {
        estate.holder.post(&at, said).await.done();
    }
    let leases = waiting.await.unwrap().ok::<KeyLeases>().leases;
    let acknowledged = leases.iter().map(|lease| lease.acknowledgement.as_ref()).collect::<Vec<_>>();
    assert_eq!(acknowledged, [None, Some(&right.document)]);
    let noted = |event: &&Event| matches!(event, Event::Acknowledged { version: 1, .. });
    assert_eq!(estate.events().await.iter().filter(noted).count(), 1);
    // It counts for one document, and a newer one asks anew.
    estate.disable(2, &["acme-root", "acme"]).await;
    estate.holder.post(&at, &right).await.problem(ProblemType::Superseded);
    estate.site.stop().await;
}
