//! The access manager's queue, and the owner's documents that it serves, as one driver.

use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use symbolon_channel::{
    Identity, Server,
    http::{Client, HttpError, Method, Request},
};
use symbolon_encoding::{DecodeError, from_canonical};
use symbolon_fragments::names::AccountId;
use symbolon_protocol::{
    api::{
        Document, Id, JobAnswer, JobGiveBack, JobLease, JobPage, JobQuery, JobReceipt, JobRenewal, OrderPage,
        Problem, ProblemType, SignedDocument, path,
    },
    jobs::{JobId, Trouble},
};
use symbolon_trust::{DenyDocument, Order, RootDocument, Signed};

/// Seconds that the access manager may wait for a job.
const WAIT: u64 = 20;
/// How much longer an answer may take than the access manager waits.
const MARGIN: Duration = Duration::from_secs(10);
/// Most bytes of an answer: sixteen of the largest submissions, as base64.
const MOST: usize = 32 << 20;

/// A client of the queue.
pub(crate) struct Queue {
    client: Client,
    identity: Identity,
    account: Id,
    process: Id,
    address: Option<String>,
}

/// Why an exchange gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueueError {
    #[error("the access manager does not answer")]
    Http(#[from] HttpError),
    #[error("the access manager refuses: {}", .0.detail.as_deref().unwrap_or(&.0.title))]
    Problem(Box<Problem>),
    #[error("the access manager's answer is not of the expected form")]
    Form(#[from] serde_json::Error),
    #[error("the access manager's answer holds no such document")]
    Document(#[from] DecodeError),
}

impl QueueError {
    /// The problem that the access manager names, if it names one.
    pub(crate) fn problem(&self) -> Option<ProblemType> {
        match self {
            Self::Problem(problem) => Some(problem.kind),
            Self::Http(_) | Self::Form(_) | Self::Document(_) => None,
        }
    }
}

impl Queue {
    /// The queue at an access manager. `address` stands in the place of the one that the root document has.
    pub(crate) fn new(
        identity: Identity,
        server: Server,
        account: AccountId,
        process: [u8; 32],
        address: Option<String>,
    ) -> Self {
        let account = Id(*account.as_bytes());
        let client = Client::new(identity.clone(), at(server, address.as_deref()));
        Self { client, identity, account, process: Id(process), address }
    }

    /// The same queue, wherever the newest root document says that it is.
    pub(crate) fn follow(&mut self, server: Server) {
        let server = at(server, self.address.as_deref());
        if *self.client.server() != server {
            self.client = Client::new(self.identity.clone(), server);
        }
    }

    /// Asks for work, and waits for some.
    pub(crate) async fn lease(&self, limit: u32) -> Result<JobPage, QueueError> {
        let query = JobQuery { process: self.process, limit, wait: WAIT };
        let path = path::of_account(path::JOBS_LEASE, &self.account);
        let request = Request::new(Method::POST, path).with_json(serde_json::to_vec(&query)?);
        self.send(request.within(Duration::from_secs(WAIT) + MARGIN).at_most(MOST)).await
    }

    /// Asks for more time for a job.
    pub(crate) async fn renew(&self, job: JobId, lease: Id) -> Result<JobLease, QueueError> {
        self.post(path::JOB_LEASE, job, &JobRenewal { lease }).await
    }

    /// Gives a job back.
    pub(crate) async fn give_back(&self, job: JobId, lease: Id, trouble: Trouble) -> Result<(), QueueError> {
        let back = JobGiveBack { lease, trouble: trouble.into() };
        let request = self.posting(path::JOB_GIVE_BACK, job, &back)?;
        self.exchange(request).await.map(|_| ())
    }

    /// Hands a result in.
    pub(crate) async fn finish(&self, job: JobId, result: Vec<u8>) -> Result<JobReceipt, QueueError> {
        self.post(path::JOB_RESULT, job, &JobAnswer { result: result.into() }).await
    }

    /// The root document of that version; nothing where there is none yet.
    pub(crate) async fn root(&self, version: u64) -> Result<Option<Signed<RootDocument>>, QueueError> {
        let path = path::of_account(path::ROOT, &self.account);
        self.document(format!("{path}?version={version}")).await
    }

    /// The deny document; nothing where there is none yet.
    pub(crate) async fn deny(&self) -> Result<Option<Signed<DenyDocument>>, QueueError> {
        self.document(path::of_account(path::DENY, &self.account)).await
    }

    /// Orders behind a serial, ascending.
    pub(crate) async fn orders(&self, after: u64) -> Result<Vec<Signed<Order>>, QueueError> {
        let path = path::of_account(path::ORDERS, &self.account);
        let page: OrderPage = self.send(get(format!("{path}?cursor={after}"))).await?;
        page.orders.iter().map(|order| decode(&order.document)).collect()
    }

    async fn document<T>(&self, path: String) -> Result<Option<T>, QueueError>
    where
        T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
    {
        match self.send::<SignedDocument>(get(path)).await {
            Ok(document) => decode(&document.document).map(Some),
            Err(error) if error.problem() == Some(ProblemType::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn post<T: DeserializeOwned>(
        &self,
        template: &str,
        job: JobId,
        body: &impl Serialize,
    ) -> Result<T, QueueError> {
        self.send(self.posting(template, job, body)?).await
    }

    fn posting(&self, template: &str, job: JobId, body: &impl Serialize) -> Result<Request, QueueError> {
        let path = path::of_job(template, &self.account, &Id(*job.as_bytes()));
        Ok(Request::new(Method::POST, path).with_json(serde_json::to_vec(body)?))
    }

    async fn send<T: DeserializeOwned>(&self, request: Request) -> Result<T, QueueError> {
        Ok(serde_json::from_slice(&self.exchange(request).await?)?)
    }

    async fn exchange(&self, request: Request) -> Result<Vec<u8>, QueueError> {
        let answer = self.client.send(request).await?;
        if answer.status.is_success() {
            return Ok(answer.body.to_vec());
        }
        Err(QueueError::Problem(Box::new(serde_json::from_slice(&answer.body)?)))
    }
}

fn get(path: String) -> Request {
    Request::new(Method::GET, path).at_most(MOST)
}

fn at(server: Server, address: Option<&str>) -> Server {
    Server { address: address.map_or(server.address, str::to_owned), key: server.key }
}

fn decode<T>(document: &Document) -> Result<T, QueueError>
where
    T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
{
    Ok(from_canonical(&document.0)?)
}
