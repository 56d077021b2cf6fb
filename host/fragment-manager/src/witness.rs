//! The manager as witness of the access manager's audit log: it cosigns checkpoints that extend what it cosigned before,
//! and hands in how far its own evaluation log has come.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use symbolon_audit::{Alarm, CheckpointError, Hash, VerifiedCheckpoint, Witness, WitnessError};
use symbolon_channel::http::{Client, HttpError, Method, Request};
use symbolon_channel::{Identity, Server};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_fragments::names::AccountId;
use symbolon_protocol::api::{Checkpoint, ConsistencyProof, Cosignature, Document, Id, path};
use symbolon_store::StoreError;
use symbolon_store::manager::Rows;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::account::Account;
use crate::renew::renew;

/// Time between two looks at the log.
const ROUND: Duration = Duration::from_secs(5);
/// Most bytes of a checkpoint or proof.
const MOST: usize = 64 * 1024;

/// Why a round was in vain.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the access manager answered with status {0}")]
    Status(u16),
    #[error("the access manager's answer is not of the expected form")]
    Form(#[from] serde_json::Error),
    #[error("the checkpoint is not valid")]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Witness(#[from] WitnessError),
    #[error("the clock was set back")]
    Clock,
    #[error("the datastore failed")]
    Store(#[from] StoreError),
}

/// Witnesses an account's log as long as it is polled.
pub(crate) async fn run(account: Arc<Account>, identity: Identity) {
    let mut client = client_for(&account, &identity);
    let (mut records, mut alarmed) = (0, false);
    loop {
        let current = server_of(&account);
        if *client.server() != current {
            client = Client::new(identity.clone(), current);
        }
        renew(&account, &client).await;
        match round(&account, &client, records).await {
            Ok(handed_in) => (records, alarmed) = (handed_in, false),
            Err(RoundError::Witness(_)) if alarmed => {}
            Err(RoundError::Witness(error)) => {
                alarmed = true;
                warn!(account = %account.id(), cause = &error as &dyn std::error::Error, "the audit log was rewritten");
                account.log().alarm(Alarm::AuditLogRewritten);
            }
            Err(error) => {
                debug!(account = %account.id(), cause = &error as &dyn std::error::Error, "nothing cosigned");
            }
        }
        sleep(ROUND).await;
    }
}

pub(crate) fn client_for(account: &Account, identity: &Identity) -> Client {
    Client::new(identity.clone(), server_of(account))
}

/// The access manager that the root document names.
pub(crate) fn server_of(account: &Account) -> Server {
    account.trust(|trust| {
        let access = &trust.root().document().access_manager;
        Server { address: access.address.clone(), key: access.key }
    })
}

/// Cosigns the open checkpoint if it is new. `handed_in` records of the manager's own log were told of before; says how
/// many are now.
async fn round(account: &Arc<Account>, client: &Client, handed_in: u64) -> Result<u64, RoundError> {
    let id = Id(*account.id().as_bytes());
    let checkpoint: Checkpoint = get(client, path::of_account(path::AUDIT_CHECKPOINT, &id)).await?;
    let Some(open) = checkpoint.open else { return Ok(handed_in) };
    let open = account.trust(|trust| VerifiedCheckpoint::verify(&open, trust.root()))?;
    let witness = recall(account).await?;
    let (before, size) = (witness.size(), open.head().size);
    let proof: ConsistencyProof = match before {
        0 => ConsistencyProof { hashes: Vec::new() },
        from if size <= from => ConsistencyProof { hashes: Vec::new() },
        from => {
            let proof = path::of_account(path::AUDIT_PROOF, &id);
            get(client, format!("{proof}?size={size}&from={from}")).await?
        }
    };
    let hashes: Vec<Hash> = proof.hashes.iter().map(|hash| Hash(hash.0)).collect();
    let witnessed = witness.check(&open, &hashes)?;
    if size == before {
        return Ok(handed_in);
    }
    let now = account.now().map_err(|_| RoundError::Clock)?;
    store(account, witnessed.next()).await?;
    account.flush().await?;
    let head = account.log().head(now.time()).await;
    let line = witnessed.cosign(account.index(), account.identity(), now).to_string();
    let records = head.records;
    let head = (records > handed_in).then(|| Document(to_canonical(&account.sign(head))));
    let cosignature = Cosignature { size, line: line.trim_end().to_owned(), head };
    post(client, path::of_account(path::AUDIT_COSIGNATURES, &id), &cosignature).await?;
    Ok(records)
}

async fn recall(account: &Account) -> Result<Witness, StoreError> {
    let id: AccountId = account.id();
    let mut read = account.store().read().await?;
    match Rows::of(&mut read, &id).witness().await? {
        Some(state) => from_canonical(&state).map_err(|_| StoreError::Corrupted),
        None => Ok(Witness::new(id)),
    }
}

async fn store(account: &Account, next: &Witness) -> Result<(), StoreError> {
    let mut write = account.store().write().await?;
    Rows::of(&mut write, &account.id()).put_witness(&to_canonical(next)).await?;
    write.commit().await
}

async fn get<T: DeserializeOwned>(client: &Client, path: String) -> Result<T, RoundError> {
    let answer = client.send(Request::new(Method::GET, path).at_most(MOST)).await?;
    if !answer.status.is_success() {
        return Err(RoundError::Status(answer.status.as_u16()));
    }
    Ok(serde_json::from_slice(&answer.body)?)
}

async fn post(client: &Client, path: String, body: &impl serde::Serialize) -> Result<(), RoundError> {
    let request = Request::new(Method::POST, path).with_json(serde_json::to_vec(body)?).at_most(MOST);
    let answer = client.send(request).await?;
    if answer.status.is_success() { Ok(()) } else { Err(RoundError::Status(answer.status.as_u16())) }
}
