//! Signing key certificates: for the create request that a set was made for, or for any key on a shared root.

use symbolon_audit::{Hash, RecordBody};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_fragments::names::SetId;
use symbolon_protocol::wire::{Document, Error, Refusal, Response, Unsuitable};
use symbolon_store::manager::{KeyRow, Rows};
use symbolon_store::{StoreError, Write};
use symbolon_trust::{
    CreateRequest, EpochCertificate, Grant, KeyCertificate, KeyKind, ProvenHolder, Signed, VerifiedCreate,
    VerifiedGrant, VerifiedKeyCertificate, hash, sign,
};

use crate::account::Account;
use crate::refusal;
use crate::sets::ServedSet;

impl Account {
    /// Signs the certificate of the key version that a holder asks for, on a set that may serve it.
    pub(crate) async fn certify(
        &self,
        holder: &ProvenHolder,
        create: &Signed<CreateRequest>,
        grant: &Signed<Grant>,
        set: SetId,
    ) -> Result<Response, Error> {
        let now = self.now()?;
        self.log().check()?;
        let create = self.trust(|trust| {
            let grant = VerifiedGrant::verify(grant, trust.root(), now).map_err(refusal::grant)?;
            VerifiedCreate::verify(create, &grant, trust.denials(), trust.root(), now)
                .map_err(refusal::create)
        })?;
        if create.holder() != holder.thumbprint() {
            return Err(Error::Refused { document: Document::Create, reason: Refusal::Holder });
        }
        let request = create.request();
        let denied = self.trust(|trust| trust.denials().check_version(&request.key, request.version));
        denied.map_err(refusal::denied)?;
        let suitable = self.sets().of(&set, |served| suitable(served, request, set));
        let instance = suitable.unwrap_or(Err(Unsuitable::Unknown)).map_err(Error::Unsuitable)?;
        let certificate = certificate(request, &instance);
        self.remember(&certificate, Whence::Request).await?;
        let (key, version) = (certificate.key.clone(), certificate.version);
        self.log().note(RecordBody::Certified { key, version, certificate: Hash(hash(&certificate)) });
        let signature = sign(self.identity(), &certificate);
        Ok(Response::Certified { signature, certificate: Box::new(certificate) })
    }

    /// Takes the complete certificate of a key on a set that is held here: all members have signed it, this one among
    /// them unless it joined later.
    pub(crate) async fn install_key(&self, signed: Signed<KeyCertificate>) -> Result<Response, Error> {
        self.now()?;
        let certificate = self.trust(|trust| VerifiedKeyCertificate::verify(signed, trust.root()));
        let certificate = certificate.map_err(refusal::certificate)?;
        let certificate = certificate.certificate();
        let of_set = self.sets().of(&certificate.set, |served| served.serves(certificate));
        match of_set {
            None => return Err(Error::Unsuitable(Unsuitable::Unknown)),
            Some(false) => return Err(Error::Unsuitable(Unsuitable::OtherRequest)),
            Some(true) => {}
        }
        self.remember(certificate, Whence::Complete).await?;
        Ok(Response::KeyInstalled)
    }

    /// Stores a certificate, if no other was stored for the key version.
    async fn remember(&self, certificate: &KeyCertificate, whence: Whence) -> Result<(), Error> {
        let mut write = self.store().write().await.map_err(refusal::store)?;
        let mut rows = Rows::of(&mut write, &self.id());
        let known = rows.key(&certificate.key, certificate.version).await.map_err(refusal::store)?;
        match known {
            Some(KeyRow { destroyed: true, .. }) => return Err(Error::Destroyed),
            Some(known) => check_same(&known, certificate)?,
            None if whence == Whence::Complete => {}
            None => check_newest(&mut rows, certificate).await?,
        }
        let row = KeyRow { set: certificate.set, certificate: to_canonical(certificate), destroyed: false };
        rows.put_key(&certificate.key, certificate.version, &row).await.map_err(refusal::store)?;
        write.commit().await.map_err(refusal::store)
    }
}

/// Why a certificate is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whence {
    /// To be signed, on a holder's request: versions ascend.
    Request,
    /// All its members have signed it.
    Complete,
}

/// Whether a set may serve the requested key, and by which instance it does.
///
/// A dedicated set serves the one key version that it was made for. A set that was made as a shared root serves any
/// key that is asked for on it, under the members and threshold that it has now.
fn suitable(served: &ServedSet, request: &CreateRequest, set: SetId) -> Result<EpochCertificate, Unsuitable> {
    let settled = served.newest_settled().ok_or(Unsuitable::Unsettled)?.certificate.body();
    let shape = (&request.members, request.t) == (&settled.members, settled.t);
    let joins = request.set == Some(set)
        && request.kind == KeyKind::Shared
        && served.origin.kind == KeyKind::Shared
        && request.suite == settled.suite
        && shape;
    if *request == served.origin || joins { Ok(settled.clone()) } else { Err(Unsuitable::OtherRequest) }
}

fn certificate(request: &CreateRequest, instance: &EpochCertificate) -> KeyCertificate {
    KeyCertificate {
        account: request.account,
        key: request.key.clone(),
        version: request.version,
        set: instance.set,
        y: instance.y.clone(),
        suite: instance.suite,
        kind: request.kind,
        customer_fragment: request.customer_fragment,
        purpose: request.purpose,
        members: instance.members.clone(),
        t: instance.t,
        instance: instance.instance(),
        created: request.issued,
        imported: false,
    }
}

/// What a key version is never changes. Which instance of the set was the newest, and who held it, may have changed
/// since another member signed; all members are asked until they sign the same.
fn check_same(known: &KeyRow, certificate: &KeyCertificate) -> Result<(), Error> {
    let known: KeyCertificate = from_canonical(&known.certificate).map_err(|_| Error::Failed)?;
    let moved = KeyCertificate {
        members: certificate.members.clone(),
        t: certificate.t,
        instance: certificate.instance,
        ..known
    };
    if moved == *certificate { Ok(()) } else { Err(Error::Unsuitable(Unsuitable::OtherCertificate)) }
}

async fn check_newest(rows: &mut Rows<'_, Write>, certificate: &KeyCertificate) -> Result<(), Error> {
    let newest: Result<u64, StoreError> = rows.newest_version(&certificate.key).await;
    let newest = newest.map_err(refusal::store)?;
    if newest < certificate.version { Ok(()) } else { Err(Error::Unsuitable(Unsuitable::Version { newest })) }
}
