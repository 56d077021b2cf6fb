//! Fetching from the access manager what the owner installed while this manager was away: root documents and the deny
//! document. Both prove themselves; orders come by the ceremony log.

use symbolon_channel::http::{Client, Method, Request, StatusCode};
use symbolon_encoding::from_canonical;
use symbolon_protocol::api::{Id, SignedDocument, path};
use symbolon_protocol::wire::MAX_DOCUMENT;
use symbolon_trust::{DenyDocument, Documents, RootDocument, Signed};
use tracing::debug;

use crate::account::Account;

/// Most bytes of an answer: the longest document, in base64, and what stands around it.
const MOST: usize = MAX_DOCUMENT / 3 * 4 + 4096;
/// Root documents taken in one round.
const ROOTS: usize = 16;

/// Takes what is newer than what is held; what can't be had or isn't valid is left.
pub(crate) async fn renew(account: &Account, client: &Client) {
    for _ in 0..ROOTS {
        let Some(root) = next_root(account, client).await else { break };
        if account.install_root(root).await.is_err() {
            break;
        }
    }
    let held = account.trust(Documents::versions).deny;
    let path = path::of_account(path::DENY, &Id(*account.id().as_bytes()));
    let deny: Option<Signed<DenyDocument>> = fetch(client, path).await;
    if let Some(deny) = deny.filter(|deny| deny.body().version > held)
        && let Err(error) = account.install_deny(deny).await
    {
        debug!(account = %account.id(), %error, "the access manager's deny document was refused");
    }
}

async fn next_root(account: &Account, client: &Client) -> Option<Signed<RootDocument>> {
    let next = account.trust(Documents::versions).root + 1;
    let path = path::of_account(path::ROOT, &Id(*account.id().as_bytes()));
    fetch(client, format!("{path}?version={next}")).await
}

async fn fetch<T>(client: &Client, path: String) -> Option<T>
where
    T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
{
    let answer = client.send(Request::new(Method::GET, path).at_most(MOST)).await.ok()?;
    if answer.status != StatusCode::OK {
        return None;
    }
    let document: SignedDocument = serde_json::from_slice(&answer.body).ok()?;
    from_canonical(&document.document.0).ok()
}
