//! Having a key certificate signed by every member of its set.

use super::Keys;
use crate::error::{
    CertificateFault, DownReason, Error, Integrity, Invalid, ManagerDown, MemberName, ServerName, Unavailable,
};
use crate::retry::pause;
use futures_util::future::join_all;
use symbolon_fragments::names::{Index, SetId};
use symbolon_protocol::wire::{self, Request, Response, Unsuitable};
use symbolon_trust::{
    CreateRequest, Grant, KeyCertificate, PublicKey, Signature, Signed, VerifiedKeyCertificate,
};
use tokio::time::{Instant, sleep};

/// One member's signature, and what it signed.
type Vote = (PublicKey, Signature, KeyCertificate);

impl Keys<'_> {
    /// Asks all members until they have signed the same certificate. A set that was generated a moment ago is not
    /// settled everywhere yet, and one that is shared anew meanwhile makes members sign for different instances.
    pub(super) async fn certify(
        &self,
        request: &Signed<CreateRequest>,
        grant: &Signed<Grant>,
        set: SetId,
        until: Instant,
    ) -> Result<VerifiedKeyCertificate, Error> {
        let key = &request.body().key;
        for attempt in 1.. {
            let votes = self.votes(request, grant, set).await?;
            if let Some(signed) = votes.and_then(assemble) {
                return self.accept(signed, request.body(), set);
            }
            let wait = pause(attempt);
            if Instant::now() + wait > until {
                break;
            }
            sleep(wait).await;
        }
        Err(Unavailable::Ceremony { key: key.clone() }.into())
    }

    /// One vote of each member; nothing if one of them is not ready yet.
    async fn votes(
        &self,
        request: &Signed<CreateRequest>,
        grant: &Signed<Grant>,
        set: SetId,
    ) -> Result<Option<Vec<Vote>>, Error> {
        let members = &request.body().members;
        let ask = |index: &Index| self.vote(*index, request, grant, set);
        let answers = join_all(members.iter().map(ask)).await;
        let (mut votes, mut down) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Answer::Signed(vote) => votes.push(vote),
                Answer::NotReady => {}
                Answer::Down(reason) => down.push(reason),
                Answer::Refused(error) => return Err(error),
            }
        }
        if !down.is_empty() {
            return Err(Unavailable::TooFewManagers { have: votes.len(), need: members.len(), down }.into());
        }
        Ok((votes.len() == members.len()).then_some(votes))
    }

    async fn vote(
        &self,
        index: Index,
        request: &Signed<CreateRequest>,
        grant: &Signed<Grant>,
        set: SetId,
    ) -> Answer {
        let Some(manager) = self.0.inner.managers.get(index) else {
            return Answer::Refused(Invalid::Members(symbolon_trust::UnknownMember(index).into()).into());
        };
        let message = Request::Certify { create: request.clone(), grant: grant.clone(), set };
        let name = || manager.name.clone();
        match manager.call(message).await {
            Ok(Response::Certified { signature, certificate }) => {
                Answer::Signed((manager.member().key, signature, *certificate))
            }
            Ok(Response::Error(error)) => self.refused(name(), error, request.body()),
            Ok(_) => Answer::Refused(Integrity::Protocol(ServerName::Manager(name())).into()),
            Err(reason) => Answer::Down(ManagerDown { member: name(), reason }),
        }
    }

    fn refused(&self, member: MemberName, error: wire::Error, request: &CreateRequest) -> Answer {
        use wire::Error as E;
        let holder = self.0.holder();
        match error {
            E::Unsuitable(Unsuitable::Unknown | Unsuitable::Unsettled) => Answer::NotReady,
            E::Busy | E::Full | E::Failed | E::UnknownAccount | E::ClockBehind { .. } => {
                Answer::Down(ManagerDown { member, reason: DownReason::Refused(error) })
            }
            E::Denied(wire::Denial::Key) => {
                let key = request.key.clone();
                Answer::Refused(crate::error::Denied::KeyDisabled { key }.into())
            }
            E::Denied(_) => Answer::Refused(crate::error::Denied::Revoked { holder }.into()),
            cause => Answer::Refused(Invalid::Manager { member, cause }.into()),
        }
    }

    /// Checks that what they signed is what was asked for.
    fn accept(
        &self,
        signed: Signed<KeyCertificate>,
        request: &CreateRequest,
        set: SetId,
    ) -> Result<VerifiedKeyCertificate, Error> {
        let verified = VerifiedKeyCertificate::verify(signed, &self.0.root())
            .map_err(|error| Integrity::Certificate(CertificateFault::NotValid(error)))?;
        let body = verified.certificate();
        let asked = KeyCertificate {
            account: request.account,
            key: request.key.clone(),
            version: request.version,
            set,
            suite: request.suite,
            kind: request.kind,
            customer_fragment: request.customer_fragment,
            purpose: request.purpose,
            created: request.issued,
            imported: false,
            y: body.y.clone(),
            members: body.members.clone(),
            t: body.t,
            instance: body.instance,
        };
        if *body == asked {
            Ok(verified)
        } else {
            Err(Integrity::Certificate(CertificateFault::NotAsAsked).into())
        }
    }
}

enum Answer {
    Signed(Vote),
    NotReady,
    Down(ManagerDown),
    Refused(Error),
}

/// The certificate with all signatures, if all signed the same.
fn assemble(votes: Vec<Vote>) -> Option<Signed<KeyCertificate>> {
    let (_, _, certificate) = votes.first()?;
    if votes.iter().any(|(_, _, other)| other != certificate) {
        return None;
    }
    let mut signed = Signed::new(certificate.clone());
    for (key, signature, _) in votes {
        signed.add(key, signature);
    }
    Some(signed)
}
