//! The access manager's REST interface, typed: one exchange, its problems as values, retries where they are safe.

use crate::error::{
    Bug, Conflict, Denied, Error, Integrity, Invalid, NoAnswer, NotFound, ServerName, Unavailable,
};
use crate::keys::with_query;
use crate::retry::{Budget, pause};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use std::time::Duration;
use symbolon_channel::http::{Answer, Client, HttpError, Request};
use symbolon_channel::{DialError, Identity, Server};
use symbolon_encoding::from_canonical;
use symbolon_fragments::names::{AccountId, KeyId, Thumbprint};
use symbolon_protocol::api::{self, Document, Id, Problem, ProblemType, path};
use symbolon_trust::Operation;

use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};

/// Tries of one exchange, the first included.
const TRIES: u32 = 4;

/// The access manager, as one holder.
#[derive(Clone)]
pub struct Access {
    http: Client,
    account: Id,
    holder: Thumbprint,
    budget: Arc<Budget>,
}

/// Why an exchange gave nothing.
#[derive(Debug)]
pub enum AccessError {
    /// The access manager answers with a problem.
    Problem(Problem),
    /// It doesn't answer.
    Http(Box<HttpError>),
    /// It answers with something else than its interface says.
    Protocol,
}

/// What an exchange is about, so that its problem can be told well.
#[derive(Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The key.
    pub key: Option<&'a KeyId>,
    /// Its version.
    pub version: Option<u64>,
    /// What was wanted.
    pub operation: Option<Operation>,
}

/// A page of one of the access manager's lists.
pub(crate) trait Page: DeserializeOwned {
    /// What is listed.
    type Item;
    /// The items, and where the next page begins if there is one.
    fn into_parts(self) -> (Vec<Self::Item>, Option<String>);
}

macro_rules! pages {
    ($($page:ident of $items:ident: $item:ident),+ $(,)?) => {$(
        impl Page for api::$page {
            type Item = api::$item;

            fn into_parts(self) -> (Vec<api::$item>, Option<String>) {
                (self.$items, self.next)
            }
        }
    )+};
}

pages! {
    GrantPage of grants: Grant,
    SetPage of sets: Set,
    SystemPage of systems: SystemSummary,
    TenantPage of tenants: TenantSummary,
}

impl Access {
    /// The access manager of an account.
    pub fn new(identity: Identity, server: Server, account: AccountId, holder: Thumbprint) -> Self {
        let http = Client::new(identity, server);
        Self { http, account: Id(*account.as_bytes()), holder, budget: Arc::default() }
    }

    /// The account, as paths name it.
    pub fn account(&self) -> &Id {
        &self.account
    }

    /// The access manager's address and key.
    pub fn server(&self) -> &Server {
        self.http.server()
    }

    /// Lets idle connections go.
    pub(crate) fn hang_up(&self) {
        self.http.hang_up();
    }

    /// Reads a resource.
    pub async fn get<T: DeserializeOwned>(&self, path: impl Into<String>) -> Result<T, AccessError> {
        body(&self.repeat(Request::new(Method::GET, path)).await?)
    }

    /// All items of a list that these parameters select, page by page.
    pub(crate) async fn all<P: Page>(
        &self,
        template: &str,
        parameters: &[(&str, Option<String>)],
    ) -> Result<Vec<P::Item>, AccessError> {
        let (mut items, mut cursor) = (Vec::new(), None);
        loop {
            let parameters = [parameters, &[("cursor", cursor)]].concat();
            let path = with_query(path::of_account(template, self.account()), &parameters);
            let (more, next) = self.get::<P>(path).await?.into_parts();
            items.extend(more);
            cursor = next;
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }

    /// Asks for something that changes nothing, or that may be done twice.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: impl Into<String>,
        json: &impl Serialize,
    ) -> Result<T, AccessError> {
        body(&self.repeat(Request::new(Method::POST, path).with_json(encode(json))).await?)
    }

    /// Asks for something that is done once, however often the request arrives: an idempotency key names it.
    pub async fn post_once<T: DeserializeOwned>(
        &self,
        path: impl Into<String>,
        json: &impl Serialize,
    ) -> Result<T, AccessError> {
        let key = HeaderValue::from_str(&hex::encode(crate::random::bytes::<16>()));
        let key = key.map_err(|_| AccessError::Protocol)?;
        let request = Request::new(Method::POST, path).with_json(encode(json));
        let request = request.with_header(HeaderName::from_static("idempotency-key"), key);
        body(&self.repeat(request).await?)
    }

    /// Stores a document that speaks for itself.
    pub async fn put(&self, path: impl Into<String>, json: &impl Serialize) -> Result<(), AccessError> {
        self.repeat(Request::new(Method::PUT, path).with_json(encode(json))).await.map(|_| ())
    }

    /// An exchange that is tried again while the access manager can't be reached or says that it can't now.
    pub(crate) async fn repeat(&self, request: Request) -> Result<Answer, AccessError> {
        let mut attempt = 1;
        loop {
            let error = match self.once(request.clone()).await {
                Ok(answer) => {
                    self.budget.earn();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let Some(after) = error.pause(attempt) else { return Err(error) };
            if attempt == TRIES || !self.budget.take() {
                return Err(error);
            }
            tokio::time::sleep(after).await;
            attempt += 1;
        }
    }

    async fn once(&self, request: Request) -> Result<Answer, AccessError> {
        let answer = self.http.send(request).await.map_err(|error| AccessError::Http(Box::new(error)))?;
        if answer.status.is_success() || answer.status == hyper::StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        let problem = serde_json::from_slice(&answer.body).map_err(|_| AccessError::Protocol)?;
        Err(AccessError::Problem(problem))
    }

    /// An error of an exchange, told to the caller.
    pub fn explain(&self, error: AccessError, about: Subject<'_>) -> Error {
        match error {
            AccessError::Problem(problem) => self.explain_problem(&problem, about),
            AccessError::Protocol => Integrity::Protocol(ServerName::AccessManager).into(),
            AccessError::Http(error) => explain_http(*error, &self.http.server().address),
        }
    }

    fn explain_problem(&self, problem: &Problem, about: Subject<'_>) -> Error {
        let (holder, kind) = (self.holder, problem.kind);
        tracing::debug!(problem = kind.uri(), detail = problem.detail, "the access manager refuses");
        match kind {
            ProblemType::Denied | ProblemType::Unauthenticated => self.explain_denial(kind, about).into(),
            ProblemType::Revoked => Denied::Revoked { holder }.into(),
            ProblemType::GrantNotInTime => Denied::GrantNotInTime { holder }.into(),
            ProblemType::UnknownAccount => NotFound::Account.into(),
            ProblemType::UnknownKey
            | ProblemType::UnknownVersion
            | ProblemType::KeyDisabled
            | ProblemType::KeyPending
            | ProblemType::KeyDestroyed
            | ProblemType::KeyExists => explain_key(kind, about),
            ProblemType::NotFound => NotFound::Thing.into(),
            ProblemType::Superseded
            | ProblemType::IdempotencyConflict
            | ProblemType::LeaseLost
            | ProblemType::DriverTwice => Conflict::Superseded(kind).into(),
            ProblemType::PreconditionFailed => Conflict::Changed.into(),
            ProblemType::Malformed
            | ProblemType::InvalidDocument
            | ProblemType::MethodNotAllowed
            | ProblemType::PreconditionRequired
            | ProblemType::TooLarge
            | ProblemType::UnsupportedMediaType
            | ProblemType::CustomerFragment
            | ProblemType::InvalidCiphertext => Invalid::Request(kind).into(),
            ProblemType::TooSlow
            | ProblemType::RateLimited
            | ProblemType::ManagerUnreachable
            | ProblemType::TooFewManagers
            | ProblemType::StorageFull
            | ProblemType::JobExpired
            | ProblemType::Unavailable => {
                let retry_after = problem.retry_after.map(Duration::from_secs);
                Error::Unavailable { retry_after, cause: Unavailable::Server(kind) }
            }
            ProblemType::Internal => Bug::AccessManager.into(),
        }
    }

    fn explain_denial(&self, problem: ProblemType, about: Subject<'_>) -> Denied {
        match (about.key, about.operation) {
            (Some(key), Some(operation)) => {
                Denied::NotGranted { holder: self.holder, operation, key: key.clone() }
            }
            _ => Denied::Refused { holder: self.holder, problem },
        }
    }
}

fn explain_key(kind: ProblemType, about: Subject<'_>) -> Error {
    let Some(key) = about.key.cloned() else { return NotFound::Thing.into() };
    match (kind, about.version) {
        (ProblemType::UnknownVersion, Some(version)) => NotFound::Version { key, version }.into(),
        (ProblemType::KeyDisabled, _) => Denied::KeyDisabled { key }.into(),
        (ProblemType::KeyPending, _) => Conflict::KeyPending(key).into(),
        (ProblemType::KeyDestroyed, _) => Conflict::KeyDestroyed { key }.into(),
        (ProblemType::KeyExists, _) => Conflict::KeyExists(key).into(),
        _ => NotFound::Key(key).into(),
    }
}

fn explain_http(error: HttpError, address: &str) -> Error {
    match error {
        HttpError::Dial { cause: DialError::WrongKey, .. } => {
            Integrity::WrongServer(ServerName::AccessManager).into()
        }
        HttpError::TooLarge { .. } => Integrity::Protocol(ServerName::AccessManager).into(),
        HttpError::Invalid(_) => Bug::Internal("a request that cannot be sent").into(),
        HttpError::Dial { cause, .. } => {
            Unavailable::AccessManager { address: address.into(), cause: NoAnswer::Dial(cause) }.into()
        }
        other @ (HttpError::Broken(_) | HttpError::Body(_) | HttpError::TimedOut { .. }) => {
            Unavailable::AccessManager { address: address.into(), cause: NoAnswer::Http(Box::new(other)) }
                .into()
        }
    }
}

impl AccessError {
    /// How long to wait before the same may be tried again; nothing if that is of no use.
    fn pause(&self, attempt: u32) -> Option<Duration> {
        match self {
            Self::Problem(problem) => match problem.kind {
                ProblemType::Unavailable | ProblemType::ManagerUnreachable | ProblemType::TooSlow => {
                    Some(pause(attempt))
                }
                _ => None,
            },
            Self::Http(error) => match **error {
                HttpError::Dial { cause: DialError::WrongKey | DialError::Configuration(_), .. }
                | HttpError::TooLarge { .. }
                | HttpError::Invalid(_) => None,
                HttpError::Dial { .. }
                | HttpError::Broken(_)
                | HttpError::Body(_)
                | HttpError::TimedOut { .. } => Some(pause(attempt)),
            },
            Self::Protocol => None,
        }
    }
}

fn encode(json: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(json).expect("the interface's types are JSON")
}

pub(crate) fn body<T: DeserializeOwned>(answer: &Answer) -> Result<T, AccessError> {
    serde_json::from_slice(&answer.body).map_err(|_| AccessError::Protocol)
}

/// Reads a document out of JSON.
pub(crate) fn document<T>(document: &Document) -> Result<T, AccessError>
where
    T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
{
    from_canonical(&document.0).map_err(|_| AccessError::Protocol)
}

/// A document, to be put into JSON.
pub(crate) fn as_document<T: minicbor::Encode<()>>(value: &T) -> Document {
    Document(symbolon_encoding::to_canonical(value))
}

/// The operation's name in JSON.
pub(crate) fn api_operation(operation: Operation) -> api::Operation {
    match operation {
        Operation::Encrypt => api::Operation::Encrypt,
        Operation::Decrypt => api::Operation::Decrypt,
        Operation::Create => api::Operation::Create,
        Operation::Audit => api::Operation::Audit,
        Operation::Sign => api::Operation::Sign,
    }
}
