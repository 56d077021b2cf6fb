//! Reading the access manager's ceremony log, and appending to it.
//!
//! Nothing depends on it for safety: messages may be lost, come again, or never. So reading starts over where the log
//! was rewritten, and what could not be appended for long is dropped; the machine says it again when it is needed.

use std::sync::Arc;
use std::time::Duration;

use symbolon_channel::Identity;
use symbolon_channel::http::{Client, HttpError, Method, Request};
use symbolon_protocol::api::{Document, Id, LogPage, LogPost, path};
use symbolon_protocol::ceremony::log::{Broken, Chain, Entry};
use symbolon_store::manager::Position;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::account::Account;
use crate::witness::{client_for, server_of};

/// Seconds that the access manager may wait for something to happen.
const WAIT_SECS: u64 = 20;
/// Most bytes of a page: two MiB of messages, and the one that goes beyond, as base64.
const MOST: usize = 8 << 20;
/// Time before another attempt.
const PAUSE: Duration = Duration::from_millis(500);
/// Bytes of messages in one post.
const POST: usize = 3 << 20;
/// Attempts to append something.
const ATTEMPTS: u32 = 20;

/// Entries of the log.
pub(super) struct Page {
    /// Their messages, in order.
    pub messages: Vec<Vec<u8>>,
    /// Where they end.
    pub position: Position,
    /// The log is not the one that was read so far.
    pub rewritten: bool,
    /// There is nothing behind them: whoever has read them knows all that the log says.
    pub up_to_date: bool,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
enum LogError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the access manager answered with status {0}")]
    Status(u16),
    #[error("the access manager's answer is not of the expected form")]
    Form(#[from] serde_json::Error),
    #[error("the log was rewritten")]
    Broken(#[from] Broken),
}

/// A client of the account's access manager, wherever the newest root document says that is.
struct Access {
    account: Arc<Account>,
    identity: Identity,
    client: Client,
}

impl Access {
    fn new(account: Arc<Account>, identity: Identity) -> Self {
        Self { client: client_for(&account, &identity), account, identity }
    }

    async fn send(&mut self, request: impl FnOnce(String) -> Request) -> Result<Vec<u8>, LogError> {
        let current = server_of(&self.account);
        if *self.client.server() != current {
            self.client = Client::new(self.identity.clone(), current);
        }
        let path = path::of_account(path::CEREMONY_LOG, &Id(*self.account.id().as_bytes()));
        let answer = self.client.send(request(path)).await?;
        if answer.status.is_success() {
            Ok(answer.body.to_vec())
        } else {
            Err(LogError::Status(answer.status.as_u16()))
        }
    }
}

/// Reads the log on and on.
pub(super) struct Reader {
    access: Access,
    chain: Chain,
    rewritten: bool,
    /// Until then nothing is waited for: the first answer tells where the log ends.
    up_to_date: bool,
}

impl Reader {
    pub(super) fn new(account: Arc<Account>, identity: Identity, position: Option<Position>) -> Self {
        let id = account.id();
        let chain = position.map_or(Chain::new(id), |at| Chain::at(id, at.sequence, at.head));
        Self { access: Access::new(account, identity), chain, rewritten: false, up_to_date: false }
    }

    /// Starts to read, as long as the pages are wanted.
    pub(super) fn start(mut self) -> Pages {
        let (pages, read) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            loop {
                match self.page().await {
                    Ok(page) => {
                        if pages.send(page).await.is_err() {
                            return;
                        }
                    }
                    Err(error) => {
                        debug!(cause = &error as &dyn std::error::Error, "cannot read the ceremony log");
                        sleep(PAUSE).await;
                    }
                }
            }
        });
        Pages { read, task: task.abort_handle() }
    }

    async fn page(&mut self) -> Result<Page, LogError> {
        let after = self.chain.sequence();
        let wait = if self.up_to_date { WAIT_SECS } else { 0 };
        let within = Duration::from_secs(WAIT_SECS + 20);
        let query = |path| format!("{path}?after={after}&wait={wait}");
        let get = |path| Request::new(Method::GET, query(path)).within(within).at_most(MOST);
        let page: LogPage = serde_json::from_slice(&self.access.send(get).await?)?;
        let page = self.follow(page).inspect_err(|broken| {
            warn!(
                cause = broken as &dyn std::error::Error,
                "the ceremony log was rewritten; it is read from its start"
            );
            self.chain = Chain::new(self.access.account.id());
            self.rewritten = true;
        });
        self.up_to_date = page.as_ref().is_ok_and(|page| page.up_to_date);
        Ok(page?)
    }

    fn follow(&mut self, page: LogPage) -> Result<Page, Broken> {
        if page.head.sequence < self.chain.sequence() {
            return Err(Broken::Gap { expected: self.chain.sequence(), found: page.head.sequence });
        }
        let mut messages = Vec::with_capacity(page.entries.len());
        for entry in page.entries {
            let previous = *self.chain.head();
            let entry_read = Entry { sequence: entry.sequence, previous, message: entry.message.0 };
            self.chain.follow(&entry_read)?;
            if *self.chain.head() != entry.hash.0 {
                return Err(Broken::Forked { sequence: entry.sequence });
            }
            messages.push(entry_read.message);
        }
        let position = Position { sequence: self.chain.sequence(), head: *self.chain.head() };
        let up_to_date = position.sequence == page.head.sequence;
        if messages.is_empty() && !up_to_date {
            return Err(Broken::Gap { expected: position.sequence + 1, found: page.head.sequence });
        }
        let rewritten = std::mem::take(&mut self.rewritten);
        Ok(Page { messages, position, rewritten, up_to_date })
    }
}

/// Pages as they are read.
pub(super) struct Pages {
    read: mpsc::Receiver<Page>,
    task: AbortHandle,
}

impl Pages {
    pub(super) async fn next(&mut self) -> Option<Page> {
        self.read.recv().await
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Messages on their way into the log, in order.
pub(super) struct Outbox {
    messages: mpsc::UnboundedSender<Vec<u8>>,
    task: AbortHandle,
}

impl Outbox {
    pub(super) fn start(account: Arc<Account>, identity: Identity) -> Self {
        let (messages, waiting) = mpsc::unbounded_channel();
        let task = tokio::spawn(append_all(Access::new(account, identity), waiting)).abort_handle();
        Self { messages, task }
    }

    pub(super) fn post(&self, message: Vec<u8>) {
        let _ = self.messages.send(message); // the task ends with the outbox only
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn append_all(mut access: Access, mut waiting: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(first) = waiting.recv().await {
        let (mut bytes, mut batch) = (first.len(), vec![Document(first)]);
        while bytes < POST
            && let Ok(next) = waiting.try_recv()
        {
            bytes += next.len();
            batch.push(Document(next));
        }
        append(&mut access, LogPost { messages: batch }).await;
    }
}

/// Appends messages, or gives up after some attempts: by then they are of no use to anybody.
async fn append(access: &mut Access, post: LogPost) {
    let Ok(json) = serde_json::to_vec(&post) else { return };
    for attempt in 1..=ATTEMPTS {
        let json = json.clone();
        match access.send(|path| Request::new(Method::POST, path).with_json(json)).await {
            Ok(_) => return,
            Err(LogError::Status(status)) if (400..429).contains(&status) => {
                return warn!(status, "the access manager refuses a ceremony message");
            }
            Err(error) if attempt == ATTEMPTS => {
                warn!(cause = &error as &dyn std::error::Error, "ceremony messages are dropped");
            }
            Err(_) => sleep(PAUSE * attempt).await,
        }
    }
}
