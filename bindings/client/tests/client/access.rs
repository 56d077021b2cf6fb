//! The access manager's double: it gives permits and certificates, and substitutes them on demand.

use crate::site::{Site, identity, members, now};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use symbolon_channel::listener::{self, Accepted};
use symbolon_channel::{CancellationToken, tls};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_fragments::names::{AccountId, SetId};
use symbolon_protocol::api::{self, Document, GrantState, Id, KeyKind, KeyState, Problem, ProblemType, path};
use symbolon_trust::{
    CreateRequest, Grant, KeyCertificate, KeyPair, Operation, Permit, RootDocument, Signed,
};
use tokio::net::TcpListener;

pub struct AccessDouble {
    pub address: String,
    state: Mutex<State>,
    permits: AtomicUsize,
    stop: CancellationToken,
}

#[derive(Default)]
struct State {
    account: Option<AccountId>,
    /// Successors of the first root document.
    roots: Vec<Signed<RootDocument>>,
    keys: HashMap<String, KeyEntry>,
    permit: Option<[u8; 32]>,
    denies: Option<ProblemType>,
    /// The set that the next created key is told to have.
    next_set: Option<SetId>,
}

struct KeyEntry {
    certificate: Option<Document>,
    grant: Signed<Grant>,
    request: Document,
    set: Option<SetId>,
}

impl AccessDouble {
    pub async fn start(front: &KeyPair) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let double = Arc::new(Self {
            address: listener.local_addr().unwrap().to_string(),
            state: Mutex::default(),
            permits: AtomicUsize::new(0),
            stop: CancellationToken::new(),
        });
        let config = tls::between_roles_server(&identity(front), tls::ALPN_HTTP).unwrap();
        let (served, stop) = (double.clone(), double.stop.clone());
        tokio::spawn(listener::accept(
            listener,
            config,
            listener::Limits::default(),
            stop,
            move |accepted: Accepted| {
                let double = served.clone();
                async move {
                    let holder = accepted.holder().unwrap().thumbprint();
                    let service = service_fn(move |request| {
                        let double = double.clone();
                        async move { Ok::<_, Infallible>(double.answer(request, holder).await) }
                    });
                    let stream = TokioIo::new(accepted.stream);
                    let _ =
                        hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
                }
            },
        ));
        double
    }

    pub fn serve_root(&self, account: AccountId) {
        self.state.lock().unwrap().account = Some(account);
    }

    /// Has a successor of the first root document.
    pub fn add_root(&self, root: Signed<RootDocument>) {
        self.state.lock().unwrap().roots.push(root);
    }

    pub fn add_key(&self, certificate: &Signed<KeyCertificate>, grant: Signed<Grant>, site: &Site) {
        let mut state = self.state.lock().unwrap();
        state.permit = Some(*site.permit.seed());
        let entry = KeyEntry {
            certificate: Some(Document(to_canonical(certificate))),
            grant,
            request: Document(Vec::new()),
            set: Some(certificate.body().set),
        };
        state.keys.insert(certificate.body().key.as_str().into(), entry);
    }

    /// Gives another certificate for a key than its own.
    pub fn substitute(&self, key: &str, certificate: &Signed<KeyCertificate>) {
        self.state.lock().unwrap().keys.get_mut(key).unwrap().certificate =
            Some(Document(to_canonical(certificate)));
    }

    /// Lets a key be created on a set that is there already.
    pub fn allow_creation(&self, set: SetId) {
        self.state.lock().unwrap().next_set = Some(set);
    }

    /// Answers every question about permits with a problem.
    pub fn deny(&self, problem: Option<ProblemType>) {
        self.state.lock().unwrap().denies = problem;
    }

    pub fn permits(&self) -> usize {
        self.permits.load(Ordering::Relaxed)
    }

    /// Goes away for good.
    pub async fn stop(&self) {
        self.stop.cancel();
        // Until the listener is gone, the system accepts connections for it.
        while tokio::net::TcpStream::connect(&self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        holder: symbolon_fragments::names::Thumbprint,
    ) -> Response<Full<Bytes>> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let query = request.uri().query().unwrap_or_default().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let account = Id(*self.state.lock().unwrap().account.unwrap().as_bytes());
        let below = |template| path::of_account(template, &account);
        let mut state = self.state.lock().unwrap();
        if method == Method::POST && path == below(path::PERMITS) {
            self.permits.fetch_add(1, Ordering::Relaxed);
            return state.permit(&serde_json::from_slice(&body).unwrap(), holder);
        }
        if method == Method::POST && path == below(path::KEYS) {
            return state.create(&serde_json::from_slice(&body).unwrap());
        }
        if path == below(path::GRANTS) {
            return state.grants();
        }
        if path == below(path::ROOT) {
            return state.root(&query);
        }
        let name = path.strip_prefix(&(below(path::KEYS) + "/")).map(|rest| rest.replace("%2F", "/"));
        match (method, name) {
            (Method::GET, Some(name)) => state.key(&name),
            (Method::PUT, Some(name)) => {
                let document: api::SignedDocument = serde_json::from_slice(&body).unwrap();
                let key = name.split('/').next().unwrap();
                state.keys.get_mut(key).unwrap().certificate = Some(document.document);
                json(StatusCode::OK, &serde_json::json!({}))
            }
            _ => problem(ProblemType::NotFound),
        }
    }
}

impl State {
    fn root(&self, query: &str) -> Response<Full<Bytes>> {
        let named = |root: &&Signed<RootDocument>| query == format!("version={}", root.body().version);
        match self.roots.iter().find(named) {
            Some(root) => {
                let document = Document(to_canonical(root));
                json(StatusCode::OK, &api::SignedDocument { document })
            }
            None => problem(ProblemType::NotFound),
        }
    }

    fn permit(
        &self,
        request: &api::PermitRequest,
        holder: symbolon_fragments::names::Thumbprint,
    ) -> Response<Full<Bytes>> {
        if let Some(kind) = self.denies {
            return problem(kind);
        }
        let Some(entry) = self.keys.get(&request.key) else { return problem(ProblemType::UnknownKey) };
        let operation = |operation: &api::Operation| match operation {
            api::Operation::Encrypt => Operation::Encrypt,
            api::Operation::Decrypt => Operation::Decrypt,
            _ => panic!("no permit has this operation"),
        };
        let mut id = [0; 16];
        getrandom::fill(&mut id).unwrap();
        let body = Permit {
            account: self.account.unwrap(),
            id,
            principal: holder,
            key: request.key.parse().unwrap(),
            version: request.version.unwrap_or(1),
            operations: request.operations.iter().map(operation).collect(),
            grant_id: 1,
            grant_serial: 1,
            on_behalf_of: request.on_behalf_of.clone(),
            issued: now(),
            not_after: now() + 60,
        };
        let not_after = body.not_after.0;
        let permit = Signed::by(body, [&KeyPair::from_seed(&self.permit.unwrap())]);
        let answer = api::Permit {
            permit: Document(to_canonical(&permit)),
            grant: Document(to_canonical(&entry.grant)),
            version: request.version.unwrap_or(1),
            not_after,
        };
        json(StatusCode::OK, &answer)
    }

    fn create(&mut self, request: &api::CreateKey) -> Response<Full<Bytes>> {
        let create: Signed<CreateRequest> = from_canonical(&request.request.0).unwrap();
        let grant = from_canonical(&request.grant.0).unwrap();
        let name = create.body().key.as_str();
        if self.keys.contains_key(name) {
            return problem(ProblemType::KeyExists);
        }
        let set = self.next_set;
        let entry = KeyEntry { certificate: None, grant, request: request.request.clone(), set };
        self.keys.insert(name.into(), entry);
        json(StatusCode::ACCEPTED, &serde_json::json!({}))
    }

    fn grants(&self) -> Response<Full<Bytes>> {
        let grant = |entry: &KeyEntry| {
            let body = entry.grant.body();
            let symbolon_trust::Principal::Holder(holder) = body.principal;
            api::Grant {
                id: body.id,
                serial: body.serial,
                state: GrantState::Active,
                keys: vec![],
                principal: Id(*holder.as_bytes()),
                operations: vec![],
                rate: 0,
                not_before: 0,
                not_after: u64::MAX,
                document: Document(to_canonical(&entry.grant)),
            }
        };
        let grants = self.keys.values().map(grant).collect();
        json(StatusCode::OK, &api::GrantPage { grants, next: None })
    }

    fn key(&self, name: &str) -> Response<Full<Bytes>> {
        let Some(entry) = self.keys.get(name) else { return problem(ProblemType::UnknownKey) };
        let version = api::KeyVersion {
            store: "fragments".into(),
            wrapped_key: None,
            version: 1,
            state: api::VersionState::Active,
            set: entry.set.map(|set| Id(*set.as_bytes())),
            suite: String::new(),
            kind: KeyKind::Dedicated,
            purpose: api::Purpose::Data,
            customer_fragment: false,
            t: 2,
            members: members().iter().map(|index| index.get()).collect(),
            ever_whole: false,
            created: 1,
            request: entry.request.clone(),
            certificate: entry.certificate.clone(),
            destroy_at: None,
            destroy_serial: None,
        };
        let summary = api::KeySummary {
            store: "fragments".into(),
            key: name.into(),
            state: KeyState::Active,
            version: 1,
            versions: 1,
            suite: String::new(),
            kind: KeyKind::Dedicated,
            purpose: api::Purpose::Data,
            customer_fragment: false,
            t: 2,
            n: 3,
            ever_whole: false,
            created: 1,
            labels: api::Labels::new(),
        };
        json(StatusCode::OK, &api::Key { summary, all_versions: vec![version] })
    }
}

fn json(status: StatusCode, body: &impl serde::Serialize) -> Response<Full<Bytes>> {
    let body = serde_json::to_vec(body).unwrap();
    Response::builder().status(status).header("etag", "\"1\"").body(Full::new(body.into())).unwrap()
}

fn problem(kind: ProblemType) -> Response<Full<Bytes>> {
    json(StatusCode::from_u16(kind.status()).unwrap(), &Problem::new(kind))
}
