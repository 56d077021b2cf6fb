//! One place where errors of checks and stores become answers on the wire and reasons in the evaluation log.
//!
//! Every match is exhaustive: a new error can't go out unnoticed as another.
#![expect(clippy::needless_pass_by_value, reason = "errors are taken as `map_err` gives them")]

use symbolon_audit::{Refusal as LoggedReason, Refused as LoggedSubject};
use symbolon_fragments::EvaluateError;
use symbolon_protocol::wire::{Denial, Document, Error, Refusal, Request, Unsuitable};
use symbolon_store::StoreError;
use symbolon_trust::{
    AuthoriseError, CertificateError, ClockBehind, CreateError, Denied, DenyError, GrantError, InputRefused,
    NotAdmitted, OrderConflict, OrderError, PermitError, RootError, RootRule, SignatureError,
};
use tracing::error;

use crate::sets::FragmentError;

pub(crate) fn clock(behind: ClockBehind) -> Error {
    Error::ClockBehind { clock: behind.clock, mark: behind.mark }
}

pub(crate) fn grant(error: GrantError) -> Error {
    let reason = match error {
        GrantError::Account => Refusal::Account,
        GrantError::Signature(error) => signature(error),
        GrantError::Empty => Refusal::Form,
        GrantError::NotYet { not_before, now } => Refusal::NotYet { from: not_before, now },
        GrantError::Expired { not_after, now } => Refusal::Expired { until: not_after, now },
    };
    Error::Refused { document: Document::Grant, reason }
}

pub(crate) fn permit(error: PermitError) -> Error {
    let reason = match error {
        PermitError::Account => Refusal::Account,
        PermitError::Signature(error) => signature(error),
        PermitError::TooLong => Refusal::TooLong,
        PermitError::NotYet { issued, now } => Refusal::NotYet { from: issued, now },
        PermitError::Expired { not_after, now } => Refusal::Expired { until: not_after, now },
    };
    Error::Refused { document: Document::Permit, reason }
}

pub(crate) fn authorise(error: AuthoriseError) -> Error {
    let refused = |document, reason| Error::Refused { document, reason };
    match error {
        AuthoriseError::Account | AuthoriseError::Grant => refused(Document::Permit, Refusal::Mismatch),
        AuthoriseError::GrantHolder => refused(Document::Grant, Refusal::Holder),
        AuthoriseError::PermitHolder => refused(Document::Permit, Refusal::Holder),
        AuthoriseError::NotGranted => refused(Document::Grant, Refusal::Key),
        AuthoriseError::Denied(denied) => self::denied(denied),
    }
}

pub(crate) fn denied(denied: Denied) -> Error {
    Error::Denied(match denied {
        Denied::Grant { .. } => Denial::Grant,
        Denied::Holder => Denial::Holder,
        Denied::Key => Denial::Key,
        Denied::Destroyed(_) => Denial::Destroyed,
    })
}

pub(crate) fn not_admitted(error: NotAdmitted) -> Error {
    match error {
        NotAdmitted::Expired { not_after, now } => Error::VerdictExpired { not_after, now },
        NotAdmitted::Operation(operation) => Error::NotAllowed { operation },
    }
}

pub(crate) fn input(error: InputRefused) -> Error {
    match error {
        InputRefused::Operation(operation) => Error::NotAllowed { operation },
        InputRefused::Writer => Error::WrongWriter,
        InputRefused::Stale { created, now } => Error::NotFresh { created, now },
    }
}

pub(crate) fn create(error: CreateError) -> Error {
    let refused = |document, reason| Error::Refused { document, reason };
    match error {
        CreateError::Account => refused(Document::Create, Refusal::Account),
        CreateError::Signature(error) => refused(Document::Create, signature(error)),
        CreateError::NotGranted => refused(Document::Grant, Refusal::Key),
        CreateError::Denied(denied) => self::denied(denied),
        CreateError::Form => refused(Document::Create, Refusal::Form),
        CreateError::Members(_) => refused(Document::Create, Refusal::NotAllowed),
        CreateError::Time { issued, expires, now } if now > expires => {
            let _ = issued;
            refused(Document::Create, Refusal::Expired { until: expires, now })
        }
        CreateError::Time { issued, now, .. } => {
            refused(Document::Create, Refusal::NotYet { from: issued, now })
        }
    }
}

pub(crate) fn root(error: RootError, offered: u64) -> Error {
    let reason = match error {
        RootError::Account { .. } => Refusal::Account,
        RootError::Rule(RootRule::NotNext(held)) if offered <= held => Refusal::Older { offered, held },
        RootError::Rule(RootRule::NotNext(held)) => Refusal::NotNext { held },
        RootError::Rule(_) | RootError::Missing => Refusal::Form,
        RootError::OwnSignature(error) | RootError::PredecessorsSignature(error) => signature(error),
    };
    Error::Refused { document: Document::Root, reason }
}

pub(crate) fn deny(error: DenyError) -> Error {
    let reason = match error {
        DenyError::Account => Refusal::Account,
        DenyError::Signature(error) => signature(error),
        DenyError::Form => Refusal::Form,
        DenyError::Older { offered, held } => Refusal::Older { offered, held },
        DenyError::Fork(number) => Refusal::Fork { number },
        DenyError::NotCumulative => Refusal::NotCumulative,
    };
    Error::Refused { document: Document::Deny, reason }
}

pub(crate) fn order(error: OrderError) -> Error {
    let reason = match error {
        OrderError::Account => Refusal::Account,
        OrderError::Signature(error) => signature(error),
        OrderError::Form => Refusal::Form,
        OrderError::Members(_) => Refusal::NotAllowed,
        OrderError::NotYet { issued, now } => Refusal::NotYet { from: issued, now },
        OrderError::Expired { expires, now } => Refusal::Expired { until: expires, now },
        OrderError::NotAboutTheMark => Refusal::Mismatch,
    };
    Error::Refused { document: Document::Order, reason }
}

pub(crate) fn order_conflict(conflict: OrderConflict) -> Error {
    let reason = match conflict {
        OrderConflict::Serial(number) => Refusal::Fork { number },
        OrderConflict::OlderMark { offered, newer } => Refusal::Older { offered, held: newer },
    };
    Error::Refused { document: Document::Order, reason }
}

pub(crate) fn certificate(error: CertificateError) -> Error {
    let reason = match error {
        CertificateError::Account => Refusal::Account,
        CertificateError::Form => Refusal::Form,
        CertificateError::Unknown(_) | CertificateError::Kind(_) | CertificateError::Members => {
            Refusal::NotAllowed
        }
        CertificateError::Signature(error) => signature(error),
    };
    Error::Refused { document: Document::KeyCertificate, reason }
}

pub(crate) fn store(failure: StoreError) -> Error {
    error!(cause = &failure as &dyn std::error::Error, "the datastore failed");
    match failure {
        StoreError::Full => Error::Full,
        StoreError::Corrupted | StoreError::Exists | StoreError::Failed(_) => Error::Failed,
    }
}

pub(crate) fn fragment(failure: FragmentError) -> Error {
    match failure {
        FragmentError::Store(failure) => store(failure),
        FragmentError::Missing | FragmentError::Unreadable => {
            error!(cause = &failure as &dyn std::error::Error, "a fragment cannot be used");
            Error::Failed
        }
    }
}

pub(crate) fn evaluate(failure: EvaluateError) -> Error {
    error!(cause = &failure as &dyn std::error::Error, "an evaluation failed");
    match failure {
        EvaluateError::BatchSize | EvaluateError::Suite | EvaluateError::Degenerate => Error::Failed,
    }
}

fn signature(error: SignatureError) -> Refusal {
    match error {
        SignatureError::Wrong(_) => Refusal::WrongSignature,
        SignatureError::TooFew { got, needed } => {
            Refusal::TooFewSignatures { got: got as u64, needed: needed as u64 }
        }
    }
}

/// What a refusal of this request is filed under in the evaluation log; reading what is public is not.
pub(crate) fn subject(request: &Request) -> Option<LoggedSubject> {
    match request {
        Request::Status { .. } | Request::Instances { .. } => None,
        Request::Authorise { .. } => Some(LoggedSubject::Permit),
        Request::Evaluate { .. } => Some(LoggedSubject::Evaluation),
        Request::Certify { .. } => Some(LoggedSubject::Create),
        Request::InstallRoot { .. } => Some(LoggedSubject::Root),
        Request::InstallDeny { .. } => Some(LoggedSubject::Deny),
        Request::InstallOrder { .. } => Some(LoggedSubject::Order),
        Request::Log { .. } => Some(LoggedSubject::Reading),
        Request::InstallKey { .. } => Some(LoggedSubject::Certificate),
    }
}

/// Why, in the evaluation log's words. What says nothing about the asker's rights is not logged.
pub(crate) fn reason(error: &Error) -> Option<LoggedReason> {
    Some(match error {
        Error::Busy
        | Error::Malformed
        | Error::TooLarge
        | Error::HandleUnknown
        | Error::NotHeld { .. }
        | Error::Full
        | Error::Failed
        | Error::UnknownAccount => return None,
        Error::ClockBehind { .. } => LoggedReason::Clock,
        Error::RateExceeded { .. } => LoggedReason::Rate,
        Error::Refused { reason, .. } => refusal(*reason),
        Error::Denied(_) => LoggedReason::Denied,
        Error::VerdictExpired { .. } => LoggedReason::Expired,
        Error::NotAllowed { .. } => LoggedReason::NotGranted,
        Error::WrongWriter | Error::NotFresh { .. } | Error::WrongPurpose { .. } => LoggedReason::Input,
        Error::UnknownKey | Error::Destroyed => LoggedReason::Unknown,
        Error::Unsuitable(unsuitable) => match unsuitable {
            Unsuitable::Unknown | Unsuitable::Unsettled => return None,
            Unsuitable::OtherRequest => LoggedReason::Form,
            Unsuitable::OtherCertificate | Unsuitable::Version { .. } => LoggedReason::Superseded,
        },
    })
}

fn refusal(reason: Refusal) -> LoggedReason {
    match reason {
        Refusal::Account => LoggedReason::Account,
        Refusal::TooFewSignatures { .. } | Refusal::WrongSignature => LoggedReason::Signature,
        Refusal::Form
        | Refusal::TooLong
        | Refusal::Mismatch
        | Refusal::NotCumulative
        | Refusal::NotAllowed => LoggedReason::Form,
        Refusal::NotYet { .. } => LoggedReason::NotYet,
        Refusal::Expired { .. } => LoggedReason::Expired,
        Refusal::Holder | Refusal::Key => LoggedReason::NotGranted,
        Refusal::Older { .. } | Refusal::Fork { .. } | Refusal::NotNext { .. } => LoggedReason::Superseded,
    }
}
