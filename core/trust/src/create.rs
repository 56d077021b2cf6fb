//! A holder's request for a new key or version (specification §2.6).

use crate::{
    certificate::KeyKind,
    deny::{Denials, Denied},
    grant::VerifiedGrant,
    holder::Principal,
    keys::PublicKey,
    members::{EligibleMembers, MembersError},
    operations::Operation,
    root::TrustedRoot,
    signed::{Document, SignatureError, Signed, hash},
    time::{Now, Seconds},
};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_fragments::names::{AccountId, Index, KeyId, Purpose, SetId, SuiteId, Thumbprint};

/// What a key is to be like.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CreateRequest {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The key.
    #[n(1)]
    pub key: KeyId,
    /// Its version.
    #[n(2)]
    pub version: u64,
    /// The suite.
    #[n(3)]
    pub suite: SuiteId,
    /// The set to use; none to generate one.
    #[n(4)]
    pub set: Option<SetId>,
    /// How many members make the key.
    #[n(5)]
    pub t: u16,
    /// The members, ascending.
    #[n(6)]
    pub members: Vec<Index>,
    /// Whether using the key takes a customer fragment too.
    #[n(7)]
    pub customer_fragment: bool,
    /// What the key is for.
    #[n(8)]
    pub purpose: Purpose,
    /// Makes the request the only one of its kind.
    #[cbor(n(9), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// When it was made; becomes the certificate's `created`.
    #[n(10)]
    pub issued: Seconds,
    /// Until when a member may act on it, inclusive.
    #[n(11)]
    pub expires: Seconds,
    /// Dedicated, or on a shared root.
    #[n(12)]
    pub kind: KeyKind,
}

impl Document for CreateRequest {
    const LABEL: &'static str = "create";
}

/// A request by a holder who is granted to create this key.
///
/// ```compile_fail,E0451
/// # fn forge(request: symbolon_trust::CreateRequest, holder: symbolon_fragments::names::Thumbprint) {
/// let verified = symbolon_trust::VerifiedCreate { request, holder };
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCreate {
    request: CreateRequest,
    holder: Thumbprint,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// It is about another account, or the grant is.
    #[error("the create request is another account's")]
    Account,
    /// The granted holder didn't sign it.
    #[error("the create request is not signed by the holder that the grant names")]
    Signature(#[from] SignatureError),
    /// The grant is about other keys or operations.
    #[error("the grant does not allow to create this key")]
    NotGranted,
    /// Holder, grant or key were denied.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Versions count from 1; a dedicated key's set is generated for it.
    #[error("versions count from 1, and only a key on a shared root names a set")]
    Form,
    /// The members may not form a set.
    #[error("the create request names members that may not form a set")]
    Members(#[from] MembersError),
    /// It comes from the future, or its time is over.
    #[error("the create request is good from {issued} to {expires}; it is {now} (Unix seconds)")]
    Time {
        /// When it says it was made.
        issued: Seconds,
        /// Until when it was good.
        expires: Seconds,
        /// The time of the check.
        now: Seconds,
    },
}

impl VerifiedCreate {
    /// Checks account, form, members, time, grant and the holder's signature.
    pub fn verify(
        signed: &Signed<CreateRequest>,
        grant: &VerifiedGrant,
        denials: &Denials,
        root: &TrustedRoot,
        now: Now,
    ) -> Result<Self, CreateError> {
        let (request, grant) = (signed.body(), grant.grant());
        if request.account != root.account() || grant.account != root.account() {
            return Err(CreateError::Account);
        }
        request.check_form(now)?;
        EligibleMembers::check(root, &request.members, request.t)?;
        if !grant.covers(&request.key, Operation::Create) {
            return Err(CreateError::NotGranted);
        }
        let holder = granted_signer(signed, grant.principal)?;
        denials.check_holder(holder)?;
        denials.check_grant(grant.id, grant.serial)?;
        denials.check_key(&request.key)?;
        Ok(Self { request: request.clone(), holder })
    }

    /// The request.
    pub const fn request(&self) -> &CreateRequest {
        &self.request
    }

    /// Who asks.
    pub const fn holder(&self) -> Thumbprint {
        self.holder
    }

    /// The hash by which a generated set remembers the request that made it.
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.request)
    }
}

impl CreateRequest {
    fn check_form(&self, now: Now) -> Result<(), CreateError> {
        let generated = self.set.is_none() || self.kind == KeyKind::Shared;
        if self.version == 0 || !generated {
            return Err(CreateError::Form);
        }
        if !now.is_after_issue(self.issued) || now.time() > self.expires {
            let (issued, expires) = (self.issued, self.expires);
            return Err(CreateError::Time { issued, expires, now: now.time() });
        }
        Ok(())
    }
}

/// The granted holder, who must have signed.
fn granted_signer(
    signed: &Signed<CreateRequest>,
    principal: Principal,
) -> Result<Thumbprint, SignatureError> {
    let Principal::Holder(holder) = principal;
    let keys: Vec<PublicKey> = signed.signatures().iter().map(|(key, _)| *key).collect();
    let granted = keys.iter().find(|key| key.thumbprint() == holder);
    signed.check(granted, 1)?;
    Ok(holder)
}
