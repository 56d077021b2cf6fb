//! Learning at once that a key of a chain was switched off, where leases are kept for long: by the owner's deny document,
//! which the access manager tells of as soon as it has it. What was ended is acknowledged under the holder's signature.
//! Whoever keeps the document back, or the acknowledgement, gains a lease's end and no more.

use super::lease::Leases;
use crate::access::{Access, AccessError, as_document, document};
use crate::client::Inner;
use crate::clock::now;
use crate::root::Root;
use hyper::Method;
use hyper::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use std::sync::Weak;
use std::time::Duration;
use symbolon_channel::http::Request;
use symbolon_keychain::System;
use symbolon_protocol::api::{ProblemType, SignedDocument, path};
use symbolon_trust::{Acknowledgement, DenyDocument, Signed, VerifiedDeny};

/// How long a long poll waits, seconds.
const WAIT: u64 = 25;
/// Between two questions when there was no answer.
const PAUSE: Duration = Duration::from_secs(5);

/// Ends leases on keys that a newer deny document disables, and acknowledges it, for as long as there are leases to be kept.
pub(super) async fn watch(client: Weak<Inner>, leases: Weak<Leases>) {
    let Some((access, root)) = client.upgrade().map(|client| (client.access.clone(), client.root.clone()))
    else {
        return;
    };
    let mut known = HeaderValue::from_static("\"0\"");
    while leases.strong_count() > 0 {
        let newer = newer(&access, &root, &known).await;
        let (Some(client), Some(leases)) = (client.upgrade(), leases.upgrade()) else { return };
        if let Some((deny, tag)) = newer {
            let_go(&client, &leases, deny.document());
            // One that isn't acknowledged is heard of again: the same, or the one that took its place.
            match acknowledge(&client, deny.document()).await {
                Ok(()) => known = tag,
                Err(AccessError::Problem(problem)) if problem.kind == ProblemType::Superseded => {}
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            continue;
        }
        drop((client, leases));
        tokio::time::sleep(PAUSE).await;
    }
}

/// A deny document other than the known one; nothing where there was no answer, or one that the owner didn't sign.
async fn newer(access: &Access, root: &Root, known: &HeaderValue) -> Option<(VerifiedDeny, HeaderValue)> {
    let path = format!("{}?wait={WAIT}", path::of_account(path::DENY, access.account()));
    let request = Request::new(Method::GET, path)
        .with_header(IF_NONE_MATCH, known.clone())
        .within(Duration::from_secs(WAIT) + PAUSE);
    loop {
        let answer = access.repeat(request.clone()).await.ok()?;
        if answer.status == hyper::StatusCode::NOT_MODIFIED {
            continue;
        }
        let tag = answer.headers.get(ETAG)?.clone();
        let body: SignedDocument = crate::access::body(&answer).ok()?;
        let signed: Signed<DenyDocument> = document(&body.document).ok()?;
        return Some((verify(access, root, signed).await?, tag));
    }
}

/// A document that the role `deny` of any of the owner's root documents signed: it stays in force although the role may have
/// other keys by now, and what it does here is only to take away.
async fn verify(access: &Access, root: &Root, signed: Signed<DenyDocument>) -> Option<VerifiedDeny> {
    if let Ok(deny) = VerifiedDeny::recall(signed.clone(), &root.get()) {
        return Some(deny);
    }
    root.refresh_seldom(access).await.ok()?;
    VerifiedDeny::recall(signed, &root.get()).ok()
}

/// Drops what the document takes away: unwrapped keys below the keys that it lists, all of them where it denies the holder,
/// and every permit, so that each is asked for anew. A key that an order enabled since is listed too: its lease is merely
/// taken anew.
fn let_go(client: &Inner, leases: &Leases, deny: &DenyDocument) {
    let denied = deny.holders.contains(&client.thumbprint);
    client.permits.forget();
    leases.end_if(|system| denied || lists(deny, system));
}

/// Whether the document lists a key on the way down to a system.
fn lists(deny: &DenyDocument, system: &System) -> bool {
    let tenant = system.tenant();
    let way = [&tenant.root.key, tenant.id.id(), system.id().id()];
    deny.keys.iter().any(|disabled| way.contains(&&disabled.key))
}

async fn acknowledge(client: &Inner, deny: &DenyDocument) -> Result<(), AccessError> {
    let word = Acknowledgement::of(client.thumbprint, client.permits.process(), deny, now());
    let body = SignedDocument { document: as_document(&Signed::by(word, [&client.holder])) };
    let json = serde_json::to_vec(&body).map_err(|_| AccessError::Protocol)?;
    let path = path::of_account(path::DENY_ACKNOWLEDGEMENTS, client.access.account());
    client.access.repeat(Request::new(Method::POST, path).with_json(json)).await.map(drop)
}
