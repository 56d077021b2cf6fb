//! Learning at once that a key of a chain was switched off, where leases are kept for long: by the owner's deny document,
//! which the access manager tells of as soon as it has it. Whoever keeps it back gains a lease's end and no more.

use super::lease::Leases;
use crate::access::{Access, document};
use crate::root::Root;
use hyper::Method;
use hyper::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use std::sync::{Arc, Weak};
use std::time::Duration;
use symbolon_channel::http::Request;
use symbolon_fragments::names::KeyId;
use symbolon_keychain::System;
use symbolon_protocol::api::{SignedDocument, path};
use symbolon_trust::{DenyDocument, Signed, VerifiedDeny};

/// How long a long poll waits, seconds.
const WAIT: u64 = 25;
/// Between two questions when there was no answer.
const PAUSE: Duration = Duration::from_secs(5);

/// Ends leases on keys that a newer deny document disables, for as long as there are leases to be kept.
pub(super) async fn watch(access: Access, root: Arc<Root>, leases: Weak<Leases>) {
    let mut known = HeaderValue::from_static("\"0\"");
    while leases.strong_count() > 0 {
        match newer(&access, &root, &known).await {
            Some((deny, tag)) => {
                let Some(leases) = leases.upgrade() else { return };
                leases.end_if(|system| way(system).any(|key| denies(deny.document(), key)));
                known = tag;
            }
            None => tokio::time::sleep(PAUSE).await,
        }
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
        return Some((VerifiedDeny::verify(signed, &root.get()).ok()?, tag));
    }
}

/// The keys on the way down to a system.
fn way(system: &System) -> impl Iterator<Item = &KeyId> {
    let tenant = system.tenant();
    [&tenant.root.key, tenant.id.id(), system.id().id()].into_iter()
}

/// Whether the document lists the key. One that an order enabled since is listed too: its lease is merely taken anew.
fn denies(deny: &DenyDocument, key: &KeyId) -> bool {
    deny.keys.iter().any(|disabled| disabled.key == *key)
}
