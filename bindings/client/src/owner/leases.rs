//! Who may still have a key below a key on a lease, and who has let go of it: what the access manager tells, and the holders'
//! own signatures on it. An access manager that lies can leave somebody out or keep a signature back; it can't make one.

use super::courier::Courier;
use crate::access::{AccessError, Subject, document};
use crate::error::Error;
use hyper::Method;
use hyper::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use std::time::Duration;
use symbolon_channel::http::Request;
use symbolon_fragments::names::{KeyId, Thumbprint};
use symbolon_protocol::api::{self, path};
use symbolon_trust::{Acknowledgement, DenyDocument, Seconds, Signed, VerifiedAcknowledgement};
use tokio::time::Instant;

/// A process of a holder that may have a key on a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The holder.
    pub holder: Thumbprint,
    /// The name that the process drew, if it is one that acknowledges; else all of the holder's that don't.
    pub process: Option<[u8; 32]>,
    /// When the lease ends at the latest, by the access manager's clock.
    pub until: Seconds,
    /// The holder's word that this process let go of what the deny document at hand takes away.
    pub acknowledged: Option<VerifiedAcknowledgement>,
}

impl Lease {
    /// Whether nothing more will be heard of it before it ends.
    const fn is_settled(&self) -> bool {
        self.acknowledged.is_some() || self.process.is_none()
    }
}

impl Courier {
    /// Leases below a key, a tenant or a system that haven't ended.
    pub async fn leases(&self, key: &KeyId, deny: Option<&DenyDocument>) -> Result<Vec<Lease>, Error> {
        let found = self.ask_for_leases(key, deny, None, Duration::ZERO).await;
        let found = found.map_err(|error| self.explain_leases(error, key))?;
        Ok(found.map(|(leases, _)| leases).unwrap_or_default())
    }

    /// The same once all that can have acknowledged the deny document, or when this time is over.
    pub async fn acknowledgements(
        &self,
        key: &KeyId,
        deny: &DenyDocument,
        within: Duration,
    ) -> Result<Vec<Lease>, Error> {
        let until = Instant::now() + within;
        let (mut leases, mut known): (Vec<Lease>, _) = (Vec::new(), None);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let asked = self.ask_for_leases(key, Some(deny), known.as_ref(), left);
            match tokio::time::timeout_at(until.max(Instant::now() + SOON), asked).await {
                Ok(Ok(Some((newer, tag)))) => (leases, known) = (newer, Some(tag)),
                Ok(Err(error)) => return Err(self.explain_leases(error, key)),
                Ok(Ok(None)) | Err(_) => {}
            }
            if leases.iter().all(Lease::is_settled) || Instant::now() >= until {
                return Ok(leases);
            }
        }
    }

    /// The leases with their entity tag; nothing if they are as they were known.
    async fn ask_for_leases(
        &self,
        key: &KeyId,
        deny: Option<&DenyDocument>,
        known: Option<&HeaderValue>,
        wait: Duration,
    ) -> Result<Option<(Vec<Lease>, HeaderValue)>, AccessError> {
        let access = self.access();
        // The access manager counts whole seconds.
        let wait = wait.as_secs() + 1;
        let path = format!("{}?wait={wait}", path::key_leases(access.account(), key.as_str()));
        let mut request = Request::new(Method::GET, path);
        if let Some(known) = known {
            request = request.with_header(IF_NONE_MATCH, known.clone());
        }
        let answer = access.repeat(request).await?;
        if answer.status == hyper::StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let tag = answer.headers.get(ETAG).cloned().ok_or(AccessError::Protocol)?;
        let found: api::KeyLeases = crate::access::body(&answer)?;
        Ok(Some((found.leases.iter().map(|lease| read(lease, deny)).collect(), tag)))
    }

    fn explain_leases(&self, error: AccessError, key: &KeyId) -> Error {
        self.access().explain(error, Subject { key: Some(key), ..Subject::default() })
    }
}

/// Time for a first answer, however little there is left to wait for more.
const SOON: Duration = Duration::from_secs(1);

/// A lease. Whatever is not a right acknowledgement of this very document counts as none.
fn read(lease: &api::KeyLease, deny: Option<&DenyDocument>) -> Lease {
    let (holder, process) = (Thumbprint::new(lease.holder.0), lease.process.map(|process| process.0));
    let acknowledged = || {
        let signed: Signed<Acknowledgement> = document(lease.acknowledgement.as_ref()?).ok()?;
        VerifiedAcknowledgement::verify(&signed, holder, process?, deny?).ok()
    };
    Lease { holder, process, until: Seconds(lease.until), acknowledged: acknowledged() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_fragments::names::AccountId;
    use symbolon_trust::KeyPair;

    #[test]
    fn only_the_holders_own_signature_on_this_document_is_an_acknowledgement() {
        let (holder, other) = (KeyPair::from_seed(&[1; 32]), KeyPair::from_seed(&[2; 32]));
        let deny = DenyDocument::nothing(AccountId::new([7; 32])).successor(Seconds(5));
        let name = holder.public().thumbprint();
        let shown = |signed: Option<Signed<Acknowledgement>>| api::KeyLease {
            holder: api::Id(*name.as_bytes()),
            process: Some(api::Id([3; 32])),
            until: 60,
            acknowledgement: signed.map(|signed| crate::access::as_document(&signed)),
        };
        let word = |process, deny| Acknowledgement::of(name, process, deny, Seconds(9));
        let read_one = |signed| read(&shown(signed), Some(&deny)).acknowledged;
        let right = Signed::by(word([3; 32], &deny), [&holder]);
        assert!(read_one(Some(right.clone())).is_some());
        assert_eq!(read(&shown(Some(right)), None).acknowledged, None);
        assert_eq!(read_one(None), None);
        assert_eq!(read_one(Some(Signed::by(word([3; 32], &deny), [&other]))), None, "forged");
        assert_eq!(read_one(Some(Signed::by(word([4; 32], &deny), [&holder]))), None, "another process's");
        let later = deny.successor(Seconds(6));
        assert_eq!(read_one(Some(Signed::by(word([3; 32], &later), [&holder]))), None, "another document's");
    }
}
