//! Accounts, the owner's root, grants, permits, deny documents, orders and certificates, and the checks that give
//! witnesses (specification §1, §2).
//!
//! A document is what somebody wrote. A check turns it into a witness (`TrustedRoot`, `VerifiedGrant`, `Authorised`, …),
//! which nothing else can make: a function that takes one can't be called without the check. Times come from a
//! [`HighWaterMark`], randomness and storage from the caller; there is no I/O here.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod acknowledgement;
mod authorise;
mod certificate;
mod create;
mod deny;
mod documents;
mod evaluate;
mod grant;
mod holder;
mod key_store;
mod keys;
mod members;
mod operations;
mod order;
mod permit;
mod receipt;
mod root;
mod signed;
mod time;
mod wrapped_key;

pub use acknowledgement::{Acknowledgement, AcknowledgementError, VerifiedAcknowledgement};
pub use authorise::{Admission, AuthoriseError, Authorised, NotAdmitted};
pub use certificate::{
    CeremonyKind, CertificateError, EpochCertificate, KeyCertificate, KeyKind, NotOfKey,
    VerifiedEpochCertificate, VerifiedKeyCertificate,
};
pub use create::{CreateError, CreateRequest, VerifiedCreate};
pub use deny::{Denials, Denied, DeniedGrant, DenyDocument, DenyError, DisabledKey, VerifiedDeny};
pub use documents::{Documents, RecallError, Versions};
pub use evaluate::{AdmittedInputs, FRESHNESS, GuardedBatch, GuardedFragment, InputRefused};
pub use grant::{Grant, GrantError, VerifiedGrant};
pub use holder::{Job, JobBinding, JobError, Principal, ProvenHolder};
pub use key_store::{
    CHECK_VALUE_BYTES, Enrolment, EnrolmentError, KeyStore, SEALING_KEY_BYTES, StoreDriver, StoreLabel,
    VerifiedEnrolment, WrongStoreLabel,
};
pub use keys::{KeyPair, PublicKey, Signature, WrongPublicKey, WrongSignature};
pub use members::{EligibleMembers, MembersError, ShapeWarning, binding_quorum, shape_warning};
pub use operations::{Operation, Operations, WrongOperation};
pub use order::{
    Action, Destruction, DueDestruction, Order, OrderBook, OrderConflict, OrderError, StoredOrder, Taken,
    VerifiedOrder, WAITING_PERIOD,
};
pub use permit::{PERMIT_LIFETIME, Permit, PermitError, VerifiedPermit};
pub use receipt::{InForce, Installable, Installed, NotInForce, Receipt, ReceiptError, VerifiedReceipt};
pub use root::{
    AccessManager, Member, MemberKind, Role, Roles, RootDocument, RootError, RootRule, Shape, Spread,
    TrustedRoot, UnknownMember,
};
pub use signed::{Document, SignatureError, Signed, hash, message, sign, verify};
pub use time::{CLOCK_TOLERANCE, ClockBehind, HighWaterMark, ISSUE_TOLERANCE, Now, Seconds};
pub use wrapped_key::{
    KeyAlgorithm, MAX_WRAPPED_BYTES, VerifiedWrappedKey, WrappedKey, WrappedKeyError, WrongKeyAlgorithm,
    wrapped_key_binding,
};
