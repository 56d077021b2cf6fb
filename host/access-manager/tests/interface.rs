//! The interface as a whole: its description, its problems, its bounds, its tenants.

mod harness;

use std::{collections::BTreeSet, time::Duration};

use harness::{
    Site, config, directory, pair,
    world::{World, bytes, document},
};
use hyper::Method;
use serde_json::{Value, json};
use symbolon_access_manager::{AccessManager, Limits, OpenError, openapi};
use symbolon_channel::{
    Identity, http,
    rustls::{
        self, ClientConfig,
        crypto::aws_lc_rs::{default_provider, kx_group},
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
    tls,
};
use symbolon_protocol::api::{self, CreateKey, Key, LogPost, PermitRequest, ProblemType, path};
use symbolon_trust::{Action, Operation};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

fn described() -> Vec<(Method, String)> {
    let document = serde_json::to_value(openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(|method| (method.to_uppercase().parse().unwrap(), path.clone()))
    });
    operations.collect()
}

#[tokio::test]
async fn the_description_and_the_router_are_one() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let site = Site::start(&config(directory.path())).await;
    let owner = site.client(&world.owner);
    let described = described();
    for (method, template) in &described {
        let at =
            world.path(template).replace("{key}", "k").replace("{set}", &"0".repeat(64)).replace("{id}", "1");
        let at = at.replace("{version}", "1");
        let answer = owner.send(http::Request::new(method.clone(), at.clone()).with_json("{}")).await;
        let text = answer.text();
        assert!(!text.contains("nothing at this path") && answer.status != 405, "{method} {at}: {text}");
        let other = if *method == Method::DELETE { Method::GET } else { Method::DELETE };
        owner.send(http::Request::new(other, at)).await.problem(ProblemType::MethodNotAllowed);
    }
    let paths: BTreeSet<&str> = described.iter().map(|(_, path)| path.as_str()).collect();
    let all = [
        path::HEALTH,
        path::OPENAPI,
        path::ROOT,
        path::DENY,
        path::DENY_ACKNOWLEDGEMENTS,
        path::ORDERS,
        path::GRANTS,
        path::GRANT,
        path::KEYS,
        path::KEY,
        path::KEY_LEASES,
        path::VERSIONS,
        path::CERTIFICATE,
        path::TENANTS,
        path::TENANT,
        path::TENANT_VERSIONS,
        path::SYSTEMS,
        path::SYSTEM,
        path::SYSTEM_VERSIONS,
        path::PERMITS,
        path::JOBS,
        path::JOBS_LEASE,
        path::JOB,
        path::JOB_LEASE,
        path::JOB_GIVE_BACK,
        path::JOB_RESULT,
        path::SETS,
        path::SET,
        path::INSTANCES,
        path::REFRESH,
        path::CEREMONY_LOG,
        path::AUDIT_ENTRIES,
        path::AUDIT_CHECKPOINT,
        path::AUDIT_PROOF,
        path::AUDIT_COSIGNATURES,
    ];
    assert_eq!(paths, BTreeSet::from(all));
    let served: Value = owner.get(path::OPENAPI).await.ok();
    assert_eq!(served, serde_json::to_value(openapi()).unwrap());
    let health: api::Health = owner.get(path::HEALTH).await.ok();
    assert_eq!(health.role, "access-manager");
    owner.get("/v1/nothing").await.problem(ProblemType::NotFound);
}

#[tokio::test]
async fn every_fault_of_a_request_is_a_problem_of_its_own_kind() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let site = Site::start(&config(directory.path())).await;
    let owner = site.client(&world.owner);
    let at = |template| world.path(template);
    let unknown = path::of_account(path::DENY, &api::Id([0; 32]));
    owner.get(&unknown).await.problem(ProblemType::UnknownAccount);
    owner.get("/v1/accounts/nonsense/deny").await.problem(ProblemType::UnknownAccount);
    owner.get(&at(path::DENY)).await.problem(ProblemType::NotFound);
    owner.get(&format!("{}?version=7", at(path::ROOT))).await.problem(ProblemType::NotFound);
    owner.get(&format!("{}?limit=0", at(path::KEYS))).await.problem(ProblemType::Malformed);
    owner.get(&format!("{}?colour=blue", at(path::KEYS))).await.problem(ProblemType::Malformed);
    owner.get(&path::key(&world.id(), "Not A Key")).await.problem(ProblemType::Malformed);
    owner.get(&path::key(&world.id(), "a")).await.problem(ProblemType::UnknownKey);
    owner.post(&at(path::PERMITS), &json!({"key": "a"})).await.problem(ProblemType::Malformed);
    owner
        .post(&at(path::PERMITS), &json!({"key": "a", "operations": []}))
        .await
        .problem(ProblemType::Malformed);
    owner.put(&at(path::DENY), &json!({"document": "AAAA"})).await.problem(ProblemType::InvalidDocument);
    owner.put(&at(path::DENY), &json!({"document": "A+"})).await.problem(ProblemType::Malformed);
    owner.put(&at(path::DENY), &json!({"document": "AAAA", "more": 1})).await.problem(ProblemType::Malformed);
    let plain = ("content-type", "text/plain");
    owner
        .with_header(Method::PUT, &at(path::DENY), None, plain)
        .await
        .problem(ProblemType::UnsupportedMediaType);
    let big = json!({"document": "A".repeat(3 << 20)});
    owner.put(&at(path::DENY), &big).await.problem(ProblemType::TooLarge);

    let stranger = pair(200);
    let signed_by_nobody = symbolon_trust::Signed::by(world.deny(1, |_| {}).into_body(), [&stranger]);
    owner.put(&at(path::DENY), &document(&signed_by_nobody)).await.problem(ProblemType::InvalidDocument);
    let mut order = world.order(1, Action::LowerMark { mark: symbolon_trust::Seconds(1) }).into_body();
    order.expires = symbolon_trust::Seconds(5);
    let expired = symbolon_trust::Signed::by(order, [&world.policy]);
    owner.post(&at(path::ORDERS), &document(&expired)).await.problem(ProblemType::InvalidDocument);
}

#[tokio::test]
async fn an_account_shares_nothing_with_another_on_the_same_server() {
    let [mut here, there] = [World::unreachable("here", 10), World::unreachable("there", 30)];
    let directory = directory(&[&here, &there]);
    let site = Site::start(&config(directory.path())).await;
    let [mine, theirs] = [&here, &there].map(|world| site.client(&world.holder));
    let everything = [Operation::Encrypt, Operation::Decrypt, Operation::Create, Operation::Audit];
    for (world, client) in [(&here, &mine), (&there, &theirs)] {
        let grant = world.grant(1, 1, "*", &world.holder, &everything);
        client.post(&world.path(path::GRANTS), &document(&grant)).await.done();
        let request = world.create("same/name", 1);
        let asked = CreateKey { request: bytes(&request), grant: bytes(&grant), labels: api::Labels::new() };
        client.post(&world.path(path::KEYS), &asked).await.done();
    }

    // A caller of one account is nobody in the other.
    let permit = PermitRequest {
        key: "same/name".into(),
        version: None,
        operations: vec![api::Operation::Encrypt],
        on_behalf_of: None,
        process: None,
    };
    let refused = theirs.post(&here.path(path::PERMITS), &permit).await.problem(ProblemType::Denied);
    assert!(!refused.detail.unwrap().contains(&here.id().to_string()));
    for template in [path::DENY, path::ORDERS, path::KEYS, path::SETS] {
        theirs.get(&here.path(template)).await.problem(ProblemType::Denied);
    }
    theirs.get(&path::key(&here.id(), "same/name")).await.problem(ProblemType::UnknownKey);
    theirs.get(&here.path(path::AUDIT_ENTRIES)).await.problem(ProblemType::Denied);
    theirs.get(&here.path(path::CEREMONY_LOG)).await.problem(ProblemType::Denied);
    let member = site.client(&there.members[0]);
    member.get(&here.path(path::CEREMONY_LOG)).await.problem(ProblemType::Denied);
    member
        .post(&here.path(path::CEREMONY_LOG), &LogPost { messages: vec![] })
        .await
        .problem(ProblemType::Denied);

    // Documents of one account are refused in the other.
    let grant = there.grant(2, 1, "*", &there.holder, &everything);
    mine.post(&here.path(path::GRANTS), &document(&grant)).await.problem(ProblemType::InvalidDocument);
    mine.put(&here.path(path::DENY), &document(&there.deny(1, |_| {})))
        .await
        .problem(ProblemType::InvalidDocument);
    let order = there.order(1, Action::Enable { key: "same/name".parse().unwrap(), since: 1 });
    mine.post(&here.path(path::ORDERS), &document(&order)).await.problem(ProblemType::InvalidDocument);
    let request = there.create("same/other", 1);
    let asked = CreateKey { request: bytes(&request), grant: bytes(&grant), labels: api::Labels::new() };
    mine.post(&here.path(path::KEYS), &asked).await.problem(ProblemType::InvalidDocument);
    let certificate = there.certificate(request.body(), there.instance(request.body()).body());
    let at = path::certificate(&here.id(), "same/name", 1);
    mine.put(&at, &document(&certificate)).await.problem(ProblemType::InvalidDocument);
    let successor = here.succeed(|root| root.created.0 += 1);
    theirs.put(&there.path(path::ROOT), &successor).await.problem(ProblemType::InvalidDocument);

    // What one account denies, the other doesn't.
    let deny = here.deny(1, |deny| deny.disable_key("same/name".parse().unwrap()));
    mine.put(&here.path(path::DENY), &document(&deny)).await.done();
    let [one, other] = [(&mine, &here), (&theirs, &there)].map(|(client, world)| {
        let (client, at) = (client.clone(), path::key(&world.id(), "same/name"));
        async move { client.get(&at).await.ok::<Key>().summary.state }
    });
    assert_eq!((one.await, other.await), (api::KeyState::Disabled, api::KeyState::Pending));
}

#[tokio::test]
async fn a_successor_of_the_root_takes_over_and_the_old_one_stays_readable() {
    let mut world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let settings = config(directory.path());
    let site = Site::start(&settings).await;
    let stranger = site.client(&pair(200));
    let grant = document(&world.grant(1, 1, "*", &world.holder, &[Operation::Decrypt]));
    let old = stranger.get(&world.path(path::ROOT)).await.ok::<api::SignedDocument>();
    stranger.post(&world.path(path::GRANTS), &grant).await.done();

    let policy = pair(99);
    let next = world.succeed(|root| root.roles.policy = symbolon_trust::Role::new(1, [policy.public()]));
    stranger.put(&world.path(path::ROOT), &next).await.done();
    stranger.put(&world.path(path::ROOT), &next).await.done();
    assert_eq!(stranger.get(&world.path(path::ROOT)).await.ok::<api::SignedDocument>(), next);
    let first = stranger.get(&format!("{}?version=1", world.path(path::ROOT))).await;
    assert_eq!(first.ok::<api::SignedDocument>(), old);
    stranger.post(&world.path(path::GRANTS), &grant).await.problem(ProblemType::InvalidDocument);
    let page: api::GrantPage = site.client(&world.holder).get(&world.path(path::GRANTS)).await.ok();
    assert_eq!(page.grants[0].state, api::GrantState::Revoked, "its signers are no longer the role's");

    site.stop().await;
    let site = Site::start(&settings).await;
    let again = site.client(&world.holder).get(&world.path(path::ROOT)).await.ok::<api::SignedDocument>();
    assert_eq!(again, next, "the first document in the directory doesn't bring the old one back");
}

#[tokio::test]
async fn a_repeated_request_is_answered_again_and_not_done_again_even_after_a_restart() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let settings = config(directory.path());
    let site = Site::start(&settings).await;
    let grant = world.grant(1, 1, "*", &world.holder, &[Operation::Create]);
    let request = world.create("k", 1);
    let asked = CreateKey { request: bytes(&request), grant: bytes(&grant), labels: api::Labels::new() };
    let body = serde_json::to_string(&asked).unwrap();
    let once = ("idempotency-key", "b1946ac9-2492");
    let keys = world.path(path::KEYS);
    let holder = site.client(&world.holder);
    let first = holder.with_header(Method::POST, &keys, Some(&body), once).await.done();
    let second = holder.with_header(Method::POST, &keys, Some(&body), once).await.done();
    holder.post(&keys, &asked).await.problem(ProblemType::KeyExists);
    let other = body.replace("\"labels\":{}", "\"labels\":{\"a\":\"b\"}");
    holder
        .with_header(Method::POST, &keys, Some(&other), once)
        .await
        .problem(ProblemType::IdempotencyConflict);
    let stranger = site.client(&pair(200));
    stranger.with_header(Method::POST, &keys, Some(&body), once).await.problem(ProblemType::Denied);
    site.stop().await;

    let site = Site::start(&settings).await;
    let third = site.client(&world.holder).with_header(Method::POST, &keys, Some(&body), once).await.done();
    for again in [second, third] {
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert_eq!(
            (again.header("etag"), again.header("location")),
            (first.header("etag"), first.header("location"))
        );
    }
    let log: api::LogPage = site.client(&world.members[0]).get(&world.path(path::CEREMONY_LOG)).await.ok();
    assert_eq!(log.entries.len(), 1, "one proposal");
}

#[tokio::test]
async fn a_holder_that_asks_too_often_is_told_to_wait() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let limits = Limits { requests_per_sec: 1, burst: 5, ..Limits::default() };
    let site = Site::start(&symbolon_access_manager::Config { limits, ..config(directory.path()) }).await;
    let [busy, other] = [&world.owner, &world.policy].map(|key| site.client(key));
    for _ in 0..5 {
        busy.get(&world.path(path::ROOT)).await.done();
    }
    let answer = busy.get(&world.path(path::ROOT)).await;
    assert_eq!(answer.header("retry-after"), "1");
    answer.problem(ProblemType::RateLimited);
    other.get(&world.path(path::ROOT)).await.done();
}

/// A connection on which a test writes what it likes.
async fn raw(site: &Site, world: &World) -> TlsStream<TcpStream> {
    let identity = Identity::new(&world.owner).unwrap();
    let config = tls::between_roles_client(&identity, &site.server().key, tls::ALPN_HTTP).unwrap();
    let tcp = TcpStream::connect(site.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(std::sync::Arc::new(config)).connect(name, tcp).await.unwrap()
}

#[tokio::test]
async fn slow_requests_do_not_hold_the_server() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let limits = Limits { request_secs: 1, ..Limits::default() };
    let site = Site::start(&symbolon_access_manager::Config { limits, ..config(directory.path()) }).await;

    let mut slow_body = raw(&site, &world).await;
    let head = format!(
        "PUT {} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        world.path(path::DENY)
    );
    slow_body.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = slow_body.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("urn:symbolon:problem:too-slow"),
        "{answer}"
    );

    let mut slow_head = raw(&site, &world).await;
    slow_head.write_all(b"GET /healthz HTTP/1.1\r\nhost").await.unwrap();
    let mut rest = Vec::new();
    let _ = slow_head.read_to_end(&mut rest).await;
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"), "closed, with or without a word");
}

#[tokio::test]
async fn the_public_port_takes_classical_clients_and_asks_for_a_certificate() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [certificate, key] = ["tls.pem", "tls.key"].map(|name| directory.path().join(name));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let public = symbolon_access_manager::Public {
        listen: "127.0.0.1:0".parse().unwrap(),
        certificate: certificate.clone(),
        key,
    };
    let settings = symbolon_access_manager::Config { public: Some(public), ..config(directory.path()) };
    let site = Site::start(&settings).await;

    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let classical =
        rustls::crypto::CryptoProvider { kx_groups: vec![kx_group::X25519], ..default_provider() };
    let classical = ClientConfig::builder_with_provider(classical.into())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(std::sync::Arc::new(classical));
    let ask = async |address, path: String| {
        let tcp = TcpStream::connect(address).await.unwrap();
        let mut stream = connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let public = site.public.unwrap();
    assert!(ask(public, "/healthz".into()).await.unwrap().starts_with("HTTP/1.1 200"));
    let refused = ask(public, world.path(path::ROOT)).await.unwrap();
    assert!(refused.contains("urn:symbolon:problem:unauthenticated"), "{refused}");
    assert!(ask(site.address, "/healthz".into()).await.is_err(), "between roles only the hybrid group");
}

#[tokio::test]
async fn what_cannot_be_served_is_said_at_start() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let settings = config(directory.path());
    let site = Site::start(&settings).await;
    let refused = Site::try_start(&settings).await.err().unwrap();
    assert!(
        matches!(refused, OpenError::Store { cause: symbolon_store::OpenError::InUse, .. }),
        "{refused:?}"
    );
    site.stop().await;

    let root = directory.path().join("accounts/b.root");
    std::fs::write(&root, b"no document").unwrap();
    assert!(matches!(Site::try_start(&settings).await, Err(OpenError::Accounts(_))));
    std::fs::remove_file(root).unwrap();
    let policy = directory.path().join("accounts/a.cedar");
    std::fs::write(&policy, "permit (principal, action, resource) when { resource.nope };").unwrap();
    assert!(matches!(Site::try_start(&settings).await, Err(OpenError::Policy(_))));
    std::fs::remove_file(policy).unwrap();
    let other = harness::keys();
    let swapped = symbolon_access_manager::Keys { identity: pair(201), permit: other.permit };
    let refused = AccessManager::open(&settings, swapped).await.err().unwrap();
    assert!(
        matches!(refused, OpenError::Store { cause: symbolon_store::OpenError::Swapped { .. }, .. }),
        "{refused:?}"
    );
    Site::start(&settings).await.stop().await;
}

#[tokio::test]
async fn grants_in_the_directory_are_taken_up_once_and_never_bring_back_an_old_one() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let settings = config(directory.path());
    let grant = world.grant(1, 1, "*", &world.holder, &[Operation::Audit]);
    std::fs::write(directory.path().join("accounts/first.grant"), bytes(&grant).0).unwrap();
    let site = Site::start(&settings).await;
    let holder = site.client(&world.holder);
    let entries = async |client: &harness::Client| {
        client.get(&world.path(path::AUDIT_ENTRIES)).await.ok::<api::EntryPage>().size
    };
    assert_eq!(entries(&holder).await, 3, "root, started, grant");
    let later = world.grant(1, 2, "*", &world.holder, &[Operation::Audit]);
    holder.post(&world.path(path::GRANTS), &document(&later)).await.done();
    site.stop().await;
    let site = Site::start(&settings).await;
    let holder = site.client(&world.holder);
    assert_eq!(entries(&holder).await, 5, "the later grant, started");
    let page: api::GrantPage = holder.get(&world.path(path::GRANTS)).await.ok();
    assert_eq!(page.grants[0].serial, 2);
}

#[tokio::test]
async fn an_operators_policy_takes_away_from_its_account_only() {
    let [here, there] = [World::unreachable("here", 10), World::unreachable("there", 30)];
    let directory = directory(&[&here, &there]);
    let policy = r#"permit (principal, action, resource);
        forbid (principal, action == Symbolon::Action::"create", resource in Symbolon::Path::"shop");"#;
    std::fs::write(directory.path().join("accounts/here.cedar"), policy).unwrap();
    let site = Site::start(&config(directory.path())).await;
    for (world, allowed) in [(&here, false), (&there, true)] {
        let grant = world.grant(1, 1, "*", &world.holder, &[Operation::Create]);
        let request = world.create("shop/a", 1);
        let asked = CreateKey { request: bytes(&request), grant: bytes(&grant), labels: api::Labels::new() };
        let answer = site.client(&world.holder).post(&world.path(path::KEYS), &asked).await;
        if allowed {
            answer.done();
        } else {
            assert!(answer.problem(ProblemType::Denied).detail.unwrap().contains("policy"));
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_long_polls() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let site = Site::start(&config(directory.path())).await;
    let member = site.client(&world.members[0]);
    let at = format!("{}?wait=30", world.path(path::CEREMONY_LOG));
    member.get(&world.path(path::CEREMONY_LOG)).await.done();
    let waiting = tokio::spawn(async move { member.get(&at).await });
    // The poll may not have arrived yet when the server stops; then the connection ends without an answer.
    tokio::task::yield_now().await;
    let began = std::time::Instant::now();
    site.stop().await;
    let _ = waiting.await;
    // A poll that is not ended lasts its 30 seconds.
    assert!(began.elapsed() < Duration::from_secs(25));
}
