//! The life of keys, over the real interface: asked for, certified, permitted, rotated, disabled, destroyed.

mod harness;

use harness::{
    Client, Site, config, directory, now,
    world::{World, bytes, document, id_of, key},
};
use hyper::{Method, StatusCode};
use symbolon_encoding::from_canonical;
use symbolon_protocol::api::{
    self, CreateKey, GrantPage, GrantState, Key, KeyPage, KeyState, LogPage, LogPost, Operation as Op,
    PermitRequest, ProblemType, Set, SetPage, VersionState, path,
};
use symbolon_trust::{
    Action, CreateRequest, EpochCertificate, Operation, Permit, Seconds, Signed, VerifiedPermit, hash,
};
use tempfile::TempDir;

/// An account with a holder who may do everything below `shop`.
struct Shop {
    world: World,
    site: Site,
    holder: Client,
    _directory: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let world = World::unreachable("shop", 10);
        let directory = directory(&[&world]);
        let site = Site::start(&config(directory.path())).await;
        let holder = site.client(&world.holder);
        let shop = Self { world, site, holder, _directory: directory };
        shop.grant(1, "shop/*", &[Operation::Encrypt, Operation::Decrypt, Operation::Create]).await;
        shop
    }

    async fn grant(&self, id: u64, keys: &str, operations: &[Operation]) {
        let grant = self.world.grant(id, 1, keys, &self.world.holder, operations);
        self.holder.post(&self.world.path(path::GRANTS), &document(&grant)).await.done();
    }

    fn creation(&self, request: &Signed<CreateRequest>) -> CreateKey {
        let operations = [Operation::Encrypt, Operation::Decrypt, Operation::Create];
        let grant = self.world.grant(1, 1, "shop/*", &self.world.holder, &operations);
        CreateKey {
            request: bytes(request),
            grant: bytes(&grant),
            labels: [("env".into(), "test".into())].into(),
        }
    }

    async fn ask(&self, request: &Signed<CreateRequest>) -> Key {
        self.holder.post(&self.world.path(path::KEYS), &self.creation(request)).await.ok()
    }

    /// Lets the managers post what they post when a ceremony is done.
    async fn complete(&self, request: &Signed<CreateRequest>) -> Signed<EpochCertificate> {
        let instance = self.world.instance(request.body());
        for member in 0..3 {
            let certificates = World::certificates(request.body(), &instance);
            let messages = vec![certificates, self.world.flip(member, instance.body())];
            let client = self.site.client(&self.world.members[member]);
            client.post(&self.world.path(path::CEREMONY_LOG), &LogPost { messages }).await.done();
        }
        instance
    }

    async fn certify(&self, request: &Signed<CreateRequest>, instance: &Signed<EpochCertificate>) {
        let certificate = document(&self.world.certificate(request.body(), instance.body()));
        let path = path::certificate(&self.world.id(), request.body().key.as_str(), request.body().version);
        self.holder.put(&path, &certificate).await.done();
    }

    /// A key that can be used.
    async fn make(&self, id: &str) -> Signed<CreateRequest> {
        let request = self.world.create(id, 1);
        self.ask(&request).await;
        let instance = self.complete(&request).await;
        self.certify(&request, &instance).await;
        request
    }

    async fn show(&self, id: &str) -> Key {
        self.holder.get(&path::key(&self.world.id(), id)).await.ok()
    }

    async fn permit(&self, id: &str, operations: &[Op]) -> harness::Answer {
        let request = PermitRequest {
            key: id.into(),
            version: None,
            operations: operations.into(),
            on_behalf_of: None,
            process: None,
        };
        self.holder.post(&self.world.path(path::PERMITS), &request).await
    }

    async fn order(&self, serial: u64, action: Action) {
        let order = document(&self.world.order(serial, action));
        self.holder.post(&self.world.path(path::ORDERS), &order).await.done();
    }
}

#[tokio::test]
async fn a_key_is_asked_for_made_certified_and_permitted() {
    let shop = Shop::open().await;
    let request = shop.world.create("shop/orders", 1);
    let asked = shop.ask(&request).await;
    assert_eq!((asked.summary.state, asked.summary.version), (KeyState::Pending, 0));
    assert_eq!(asked.all_versions[0].set, None);
    shop.permit("shop/orders", &[Op::Encrypt]).await.problem(ProblemType::KeyPending);

    let member = shop.site.client(&shop.world.members[0]);
    let log: LogPage = member.get(&shop.world.path(path::CEREMONY_LOG)).await.ok();
    assert_eq!(log.entries.len(), 1, "the proposal");
    let instance = shop.complete(&request).await;
    let made = shop.show("shop/orders").await;
    assert_eq!(made.all_versions[0].set.unwrap().0, hash(request.body()));
    assert_eq!(made.summary.state, KeyState::Pending);

    shop.certify(&request, &instance).await;
    let key = shop.show("shop/orders").await;
    assert_eq!((key.summary.state, key.summary.version), (KeyState::Active, 1));
    assert_eq!((key.summary.t, key.summary.n, key.summary.ever_whole), (2, 3, false));
    assert_eq!(key.summary.labels["env"], "test");
    assert!(key.all_versions[0].certificate.is_some());

    let permit: api::Permit = shop.permit("shop/orders", &[Op::Decrypt, Op::Encrypt]).await.ok();
    let signed: Signed<Permit> = from_canonical(&permit.permit.0).unwrap();
    let mut mark = symbolon_trust::HighWaterMark::default();
    let time = mark.observe(Seconds(now())).unwrap();
    let verified = VerifiedPermit::verify(&signed, &shop.world.root, time).unwrap();
    assert_eq!(verified.permit().principal, shop.world.holder_id());
    assert_eq!((verified.permit().version, permit.version, verified.permit().grant_id), (1, 1, 1));
    assert!(permit.not_after <= now() + 60);
}

#[tokio::test]
async fn sets_show_their_instances_and_who_holds_them() {
    let shop = Shop::open().await;
    let request = shop.make("shop/orders").await;
    let first = shop.world.instance(request.body());
    let next = shop.world.refreshed(first.body());
    let member = shop.site.client(&shop.world.members[1]);
    let messages = vec![shop.world.flip(1, next.body()), World::certificates(request.body(), &next)];
    member.post(&shop.world.path(path::CEREMONY_LOG), &LogPost { messages }).await.done();

    let page: SetPage = shop.holder.get(&shop.world.path(path::SETS)).await.ok();
    let [set] = page.sets.as_slice() else { panic!("{page:?}") };
    assert_eq!((set.keys, set.newest.epoch, set.newest.settled), (1, 2, false));
    assert_eq!(set.newest.flipped, [2], "a flip may come before the certificate");
    let one: Set = shop.holder.get(&path::set(&shop.world.id(), &set.set)).await.ok();
    assert_eq!(one, *set);
    let instances: Vec<api::Instance> =
        shop.holder.get(&path::instances(&shop.world.id(), &set.set)).await.ok();
    let shown: Vec<_> = instances.iter().map(|shown| (shown.instance, shown.settled)).collect();
    assert_eq!(shown, [(id_of(next.body().instance()), false), (id_of(first.body().instance()), true)]);
    assert_eq!(instances[1].flipped, [1, 2, 3]);
    let asked: api::Refreshed =
        shop.holder.post(&shop.world.path(path::REFRESH), &api::RefreshRequest::default()).await.ok();
    assert_eq!(asked.sets, 1);
}

#[tokio::test]
async fn a_rotated_key_has_two_versions_and_one_purpose() {
    let shop = Shop::open().await;
    shop.make("shop/orders").await;
    let versions = path::versions(&shop.world.id(), "shop/orders");
    let second = shop.world.create("shop/orders", 2);
    let asked = CreateKey { labels: api::Labels::new(), ..shop.creation(&second) };
    let third = shop.world.create("shop/orders", 3);
    let too_far = CreateKey { labels: api::Labels::new(), ..shop.creation(&third) };
    shop.holder.post(&versions, &too_far).await.problem(ProblemType::Superseded);
    let wrap = shop
        .world
        .create_with("shop/orders", 2, |request| request.purpose = symbolon_fragments::names::Purpose::Wrap);
    let wrap = CreateKey { labels: api::Labels::new(), ..shop.creation(&wrap) };
    shop.holder.post(&versions, &wrap).await.problem(ProblemType::Malformed);

    let key: Key = shop.holder.post(&versions, &asked).await.ok();
    assert_eq!((key.summary.version, key.summary.versions), (1, 2), "the second has no certificate yet");
    let instance = shop.complete(&second).await;
    shop.certify(&second, &instance).await;
    let permit: api::Permit = shop.permit("shop/orders", &[Op::Encrypt]).await.ok();
    assert_eq!(permit.version, 2);
    let old = PermitRequest {
        key: "shop/orders".into(),
        version: Some(1),
        operations: vec![Op::Decrypt],
        on_behalf_of: None,
        process: None,
    };
    let permit: api::Permit = shop.holder.post(&shop.world.path(path::PERMITS), &old).await.ok();
    assert_eq!(permit.version, 1);
    let none = PermitRequest { version: Some(9), ..old };
    shop.holder.post(&shop.world.path(path::PERMITS), &none).await.problem(ProblemType::UnknownVersion);
}

#[tokio::test]
async fn disabling_takes_effect_at_once_and_an_order_gives_back() {
    let shop = Shop::open().await;
    shop.make("shop/orders").await;
    let deny = shop.world.deny(1, |deny| deny.disable_key(key("shop/orders")));
    shop.holder.put(&shop.world.path(path::DENY), &document(&deny)).await.done();
    assert_eq!(shop.show("shop/orders").await.summary.state, KeyState::Disabled);
    shop.permit("shop/orders", &[Op::Decrypt]).await.problem(ProblemType::KeyDisabled);

    let older = shop.world.deny(1, |_| {});
    shop.holder.put(&shop.world.path(path::DENY), &document(&older)).await.problem(ProblemType::Superseded);
    let forgetful = shop.world.deny(2, |_| {});
    shop.holder
        .put(&shop.world.path(path::DENY), &document(&forgetful))
        .await
        .problem(ProblemType::InvalidDocument);

    shop.order(1, Action::Enable { key: key("shop/orders"), since: 1 }).await;
    assert_eq!(shop.show("shop/orders").await.summary.state, KeyState::Active);
    shop.permit("shop/orders", &[Op::Decrypt]).await.done();
}

#[tokio::test]
async fn a_key_that_is_denied_before_it_exists_is_never_made() {
    let shop = Shop::open().await;
    let deny = shop.world.deny(1, |deny| deny.disable_key(key("shop/orders")));
    shop.holder.put(&shop.world.path(path::DENY), &document(&deny)).await.done();
    let asked = shop.creation(&shop.world.create("shop/orders", 1));
    shop.holder.post(&shop.world.path(path::KEYS), &asked).await.problem(ProblemType::KeyDisabled);
}

#[tokio::test]
async fn a_destruction_waits_three_days_and_can_be_cancelled() {
    let shop = Shop::open().await;
    shop.make("shop/orders").await;
    let destroy = |serial| {
        let (key, version, execute_after) = (key("shop/orders"), 1, Seconds(0));
        shop.order(serial, Action::Destroy { key, version, execute_after })
    };
    destroy(1).await;
    let scheduled = shop.show("shop/orders").await;
    assert_eq!(scheduled.summary.state, KeyState::Scheduled);
    let version = &scheduled.all_versions[0];
    assert_eq!((version.state, version.destroy_serial), (VersionState::Scheduled, Some(1)));
    assert!(version.destroy_at.unwrap() >= now() + 72 * 3600 - 5);
    shop.permit("shop/orders", &[Op::Decrypt]).await.problem(ProblemType::KeyDestroyed);

    shop.order(2, Action::CancelDestruction { key: key("shop/orders"), destroy_serial: 1 }).await;
    assert_eq!(shop.show("shop/orders").await.summary.state, KeyState::Active);
    shop.permit("shop/orders", &[Op::Decrypt]).await.done();

    shop.order(4, Action::CancelDestruction { key: key("shop/orders"), destroy_serial: 3 }).await;
    destroy(3).await;
    assert_eq!(shop.show("shop/orders").await.summary.state, KeyState::Active, "cancelled before it came");
}

#[tokio::test]
async fn labels_change_only_from_the_state_that_was_read() {
    let shop = Shop::open().await;
    shop.make("shop/orders").await;
    let at = path::key(&shop.world.id(), "shop/orders");
    let read = shop.holder.get(&at).await.done();
    let tag = read.header("etag").to_owned();
    let patch = r#"{"labels":{"env":null,"team":"blue"}}"#;
    shop.holder
        .send(symbolon_channel::http::Request::new(Method::PATCH, at.clone()).with_json(patch))
        .await
        .problem(ProblemType::PreconditionRequired);
    let changed = shop.holder.with_header(Method::PATCH, &at, Some(patch), ("if-match", &tag)).await.done();
    assert_ne!(changed.header("etag"), tag);
    let tag_now = changed.header("etag").to_owned();
    let key: Key = changed.ok();
    assert_eq!(key.summary.labels.into_iter().collect::<Vec<_>>(), [("team".to_owned(), "blue".to_owned())]);
    shop.holder
        .with_header(Method::PATCH, &at, Some(patch), ("if-match", &tag))
        .await
        .problem(ProblemType::PreconditionFailed);
    let unchanged = shop.holder.with_header(Method::GET, &at, None, ("if-none-match", &tag_now)).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    let labels = (0..40).map(|n| (format!("l{n}"), Some("x".to_owned()))).collect();
    let many = serde_json::to_string(&api::KeyPatch { labels }).unwrap();
    shop.holder
        .with_header(Method::PATCH, &at, Some(&many), ("if-match", "*"))
        .await
        .problem(ProblemType::Malformed);
}

#[tokio::test]
async fn a_reader_is_told_when_the_set_is_made() {
    let shop = Shop::open().await;
    let request = shop.world.create("shop/orders", 1);
    shop.ask(&request).await;
    let at = path::key(&shop.world.id(), "shop/orders");
    let tag = shop.holder.get(&at).await.done().header("etag").to_owned();
    let waiting = {
        let (holder, at) = (shop.holder.clone(), format!("{at}?wait=30"));
        tokio::spawn(async move { holder.with_header(Method::GET, &at, None, ("if-none-match", &tag)).await })
    };
    shop.complete(&request).await;
    let key: Key = waiting.await.unwrap().ok();
    assert!(key.all_versions[0].set.is_some());
}

#[tokio::test]
async fn lists_have_pages_filters_and_only_what_is_granted() {
    let shop = Shop::open().await;
    for n in 0..7 {
        let request = shop.world.create(&format!("shop/k{n}"), 1);
        shop.ask(&request).await;
    }
    let request = shop.world.create("shop/k3/deep", 1);
    shop.ask(&request).await;
    shop.make("shop/ready").await;

    let list = async |query: &str| -> KeyPage {
        shop.holder.get(&format!("{}?{query}", shop.world.path(path::KEYS))).await.ok()
    };
    let names = |page: &KeyPage| page.keys.iter().map(|key| key.key.clone()).collect::<Vec<_>>();
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(&format!("limit=4{cursor}")).await;
        all.extend(names(&page));
        let Some(next) = page.next else { break };
        cursor = format!("&cursor={next}");
    }
    let expected = [
        "shop/k0",
        "shop/k1",
        "shop/k2",
        "shop/k3",
        "shop/k3/deep",
        "shop/k4",
        "shop/k5",
        "shop/k6",
        "shop/ready",
    ];
    assert_eq!(all, expected);
    assert_eq!(names(&list("below=shop%2Fk3").await), ["shop/k3/deep"]);
    assert_eq!(names(&list("state=active").await), ["shop/ready"]);
    assert_eq!(list("label=env%3Dtest").await.keys.len(), 9);
    assert_eq!(list("label=env%3Dprod").await.keys.len(), 0);
    assert_eq!(list("limit=1&state=pending").await.keys.len(), 1);

    let guest = shop.site.client(&shop.world.other);
    let grant =
        shop.world.grant(2, 1, "shop/k1,shop/k3/*,elsewhere/*", &shop.world.other, &[Operation::Decrypt]);
    guest.get(&shop.world.path(path::KEYS)).await.problem(ProblemType::Denied);
    guest.post(&shop.world.path(path::GRANTS), &document(&grant)).await.done();
    let seen: KeyPage = guest.get(&shop.world.path(path::KEYS)).await.ok();
    assert_eq!(names(&seen), ["shop/k1", "shop/k3/deep"]);
    guest.get(&path::key(&shop.world.id(), "shop/k2")).await.problem(ProblemType::UnknownKey);
    guest.get(&path::key(&shop.world.id(), "shop/none")).await.problem(ProblemType::UnknownKey);
    let owner: KeyPage = shop.site.client(&shop.world.owner).get(&shop.world.path(path::KEYS)).await.ok();
    assert_eq!(owner.keys.len(), 9);
}

#[tokio::test]
async fn a_shared_root_needs_no_ceremony_for_its_next_key() {
    let shop = Shop::open().await;
    let shared = |request: &mut CreateRequest| request.kind = symbolon_trust::KeyKind::Shared;
    let first = shop.world.create_with("shop/root", 1, shared);
    shop.ask(&first).await;
    let instance = shop.complete(&first).await;
    shop.certify(&first, &instance).await;
    let missing = shop.world.create_with("shop/b", 1, |request| {
        shared(request);
        request.set = Some(symbolon_fragments::names::SetId::new([0; 32]));
    });
    let asked = shop.creation(&missing);
    shop.holder.post(&shop.world.path(path::KEYS), &asked).await.problem(ProblemType::NotFound);
    let second = shop.world.create_with("shop/b", 1, |request| {
        shared(request);
        request.set = Some(instance.body().set);
    });
    let key = shop.ask(&second).await;
    assert_eq!(key.all_versions[0].set.unwrap().0, *instance.body().set.as_bytes());
    shop.certify(&second, &instance).await;
    shop.permit("shop/b", &[Op::Encrypt]).await.done();
    let page: SetPage = shop.holder.get(&shop.world.path(path::SETS)).await.ok();
    assert_eq!((page.sets.len(), page.sets[0].keys), (1, 2));
}

#[tokio::test]
async fn grants_are_replaced_by_later_serials_and_revoked() {
    let shop = Shop::open().await;
    shop.make("shop/orders").await;
    let grants = shop.world.path(path::GRANTS);
    let later = shop.world.grant(1, 2, "shop/*", &shop.world.holder, &[Operation::Decrypt]);
    shop.holder.post(&grants, &document(&later)).await.done();
    shop.permit("shop/orders", &[Op::Decrypt]).await.done();
    let refused = shop.permit("shop/orders", &[Op::Encrypt]).await.problem(ProblemType::Denied);
    let detail = refused.detail.unwrap();
    assert!(detail.contains("symbolon grant create --to sym1") && detail.contains("encrypt"), "{detail}");
    let earlier = shop.world.grant(1, 1, "shop/*", &shop.world.holder, &[Operation::Encrypt]);
    shop.holder.post(&grants, &document(&earlier)).await.problem(ProblemType::Superseded);
    // The holder has the earlier one still, which allowed to create; managers can't know that it was replaced.
    let creation = shop.creation(&shop.world.create("shop/more", 1));
    shop.holder.post(&shop.world.path(path::KEYS), &creation).await.problem(ProblemType::Superseded);

    let deny = shop.world.deny(1, |deny| deny.deny_grant(1, 2));
    shop.holder.put(&shop.world.path(path::DENY), &document(&deny)).await.done();
    shop.permit("shop/orders", &[Op::Decrypt]).await.problem(ProblemType::Revoked);
    let page: GrantPage = shop.holder.get(&grants).await.ok();
    assert_eq!(page.grants[0].state, GrantState::Revoked);

    let times = |id, not_before, not_after| {
        let operations = [Operation::Decrypt];
        shop.world.grant_until(id, 1, "shop/orders", &shop.world.holder, &operations, (not_before, not_after))
    };
    let over = times(2, now() - 100, now() - 50);
    shop.holder.post(&grants, &document(&over)).await.problem(ProblemType::GrantNotInTime);
    let early = times(3, now() + 1000, now() + 2000);
    shop.holder.post(&grants, &document(&early)).await.done();
    shop.permit("shop/orders", &[Op::Decrypt]).await.problem(ProblemType::GrantNotInTime);
    let again = shop.world.grant(1, 3, "shop/*", &shop.world.holder, &[Operation::Decrypt]);
    shop.holder.post(&grants, &document(&again)).await.done();
    shop.permit("shop/orders", &[Op::Decrypt]).await.done();
}

#[tokio::test]
async fn a_certificate_about_something_else_is_refused() {
    let shop = Shop::open().await;
    let request = shop.world.create("shop/orders", 1);
    shop.ask(&request).await;
    let instance = shop.complete(&request).await;
    let at = path::certificate(&shop.world.id(), "shop/orders", 1);
    let other = shop.world.create_with("shop/orders", 1, |request| request.customer_fragment = true);
    let certificate = shop.world.certificate(other.body(), instance.body());
    shop.holder.put(&at, &document(&certificate)).await.problem(ProblemType::InvalidDocument);
    let mut unsigned = Signed::new(shop.world.certificate(request.body(), instance.body()).into_body());
    unsigned.sign(&shop.world.members[0]);
    unsigned.sign(&shop.world.members[1]);
    shop.holder.put(&at, &document(&unsigned)).await.problem(ProblemType::InvalidDocument);
    assert_eq!(shop.show("shop/orders").await.summary.state, KeyState::Pending);
    shop.certify(&request, &instance).await;
}
