//! Which fragment sets an order is to be about. The access manager lists them; who holds a set is taken from its epoch
//! certificate, which all its members signed.

use super::courier::Courier;
use crate::access::{Subject, document};
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
        let access = self.access();
        let listed = access.all::<api::SetPage>(path::SETS, &[]).await;
        for set in listed.map_err(|error| access.explain(error, Subject::default()))? {
            let certificate = certificate(&set, root)?;
            let body = certificate.certificate();
            let holding = Holding { members: body.members.clone(), t: body.t };
            sets.entry(holding).or_default().push(body.set);
        }
        Ok(sets)
    }
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
