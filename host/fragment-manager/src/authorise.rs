//! Grant, permit and holder to a verdict, which is cached on the holder's channel.

use symbolon_encoding::from_canonical;
use symbolon_protocol::wire::{Error, Response};
use symbolon_store::manager::{KeyRow, Rows};
use symbolon_trust::{
    Authorised, Documents, Grant, KeyCertificate, Now, Permit, ProvenHolder, Signed, VerifiedGrant,
    VerifiedPermit,
};

use crate::account::Account;
use crate::channels::{Channel, Verdict};
use crate::refusal;

impl Account {
    /// Checks what a request to authorise carries, and caches the verdict on the channel.
    pub(crate) async fn authorise(
        &self,
        channel: &Channel,
        grant: &Signed<Grant>,
        permit: &Signed<Permit>,
    ) -> Result<Response, Error> {
        let now = self.now()?;
        self.log().check()?;
        let rights = self.trust(|trust| Rights::verify(trust, grant, permit, now))?;
        let authorised = self.trust(|trust| rights.of(&channel.holder, trust))?;
        let certificate = self.certificate_of(&authorised).await?;
        let (grant, _) = authorised.grant();
        let bucket = self.rates.of(grant, authorised.rate());
        // Once more where nothing can be installed meanwhile: no verdict is cached after the deny document that
        // condemns it was enforced.
        let (handle, not_after) = self.trust(|trust| {
            let authorised = rights.of(&channel.holder, trust)?;
            let not_after = authorised.not_after();
            let (set, purpose) = (certificate.set, certificate.purpose);
            Ok::<_, Error>((channel.remember(Verdict { authorised, set, purpose, bucket }), not_after))
        })?;
        Ok(Response::Authorised { handle, not_after, time: now.time() })
    }

    /// The certificate that this manager signed for the key version, if it is not destroyed.
    async fn certificate_of(&self, rights: &Authorised) -> Result<KeyCertificate, Error> {
        let mut read = self.store().read().await.map_err(refusal::store)?;
        let row = Rows::of(&mut read, &self.id()).key(rights.key(), rights.version()).await;
        match row.map_err(refusal::store)? {
            None => Err(Error::UnknownKey),
            Some(KeyRow { destroyed: true, .. }) => Err(Error::Destroyed),
            Some(row) => from_canonical(&row.certificate).map_err(|_| Error::Failed),
        }
    }
}

/// Grant and permit, verified against one version of the root document.
struct Rights {
    root: u64,
    grant: VerifiedGrant,
    permit: VerifiedPermit,
}

impl Rights {
    fn verify(
        trust: &Documents,
        grant: &Signed<Grant>,
        permit: &Signed<Permit>,
        now: Now,
    ) -> Result<Self, Error> {
        let root = trust.root();
        let grant = VerifiedGrant::verify(grant, root, now).map_err(refusal::grant)?;
        let permit = VerifiedPermit::verify(permit, root, now).map_err(refusal::permit)?;
        Ok(Self { root: root.document().version, grant, permit })
    }

    /// What they give a holder now. After a change of the root document they are to be verified anew.
    fn of(&self, holder: &ProvenHolder, trust: &Documents) -> Result<Authorised, Error> {
        if trust.root().document().version != self.root {
            return Err(Error::HandleUnknown);
        }
        Authorised::check(&self.grant, &self.permit, holder, trust.denials()).map_err(refusal::authorise)
    }
}
