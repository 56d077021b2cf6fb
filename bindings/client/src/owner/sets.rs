//! Which fragment sets an order is to be about. The access manager lists them; who holds a set is taken from its epoch
//! certificate, which all its members signed.

use super::courier::Courier;
use crate::access::{Access, Subject, document};
use crate::error::{CertificateFault, Error, Integrity};
use std::collections::BTreeMap;
use symbolon_fragments::names::{Index, SetId};
use symbolon_protocol::api::{self, path};
use symbolon_trust::{TrustedRoot, VerifiedEpochCertificate};

/// Who holds a set, and how many of them make its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holding {
    /// The members, ascending.
    pub members: Vec<Index>,
    /// How many make the key.
    pub t: u16,
}

impl Courier {
    /// All sets of the account, by who holds them: one order is about sets of the same members.
    pub async fn sets(&self, root: &TrustedRoot) -> Result<BTreeMap<Holding, Vec<SetId>>, Error> {
        let mut sets = BTreeMap::<Holding, Vec<SetId>>::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = page(self.access(), cursor.as_deref()).await?;
            for set in page.sets {
                let certificate = certificate(&set, root)?;
                let body = certificate.certificate();
                let holding = Holding { members: body.members.clone(), t: body.t };
                sets.entry(holding).or_default().push(body.set);
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(sets);
            }
        }
    }
}

async fn page(access: &Access, cursor: Option<&str>) -> Result<api::SetPage, Error> {
    let path = path::of_account(path::SETS, access.account());
    let path = cursor.map_or(path.clone(), |cursor| format!("{path}?cursor={}", path::segment(cursor)));
    access.get(path).await.map_err(|error| access.explain(error, Subject::default()))
}

fn certificate(set: &api::Set, root: &TrustedRoot) -> Result<VerifiedEpochCertificate, Error> {
    let fault = |fault: CertificateFault| Error::Integrity(Integrity::Certificate(fault));
    let signed = document(&set.newest.certificate).map_err(|_| fault(CertificateFault::Unreadable))?;
    let verified = VerifiedEpochCertificate::verify(signed, root).map_err(|error| fault(error.into()))?;
    if verified.certificate().set.as_bytes() == &set.set.0 {
        Ok(verified)
    } else {
        Err(fault(CertificateFault::Other))
    }
}
