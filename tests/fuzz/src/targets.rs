//! The list: one line a decoder.

use std::fmt::Debug;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use symbolon_audit as audit;
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_envelope as envelope;
use symbolon_envelope::sealed;
use symbolon_fragments as fragments;
use symbolon_fragments::names;
use symbolon_keychain as keychain;
use symbolon_protocol::{api, ceremony, jobs, wire};
use symbolon_trust as trust;
use symbolon_trust::Signed;

use crate::{Target, Verdict, seeds};

/// Every decoder of bytes from outside.
pub const TARGETS: &[Target] = &[
    Target { name: "root", decode: canonical::<Signed<trust::RootDocument>>, seeds: seeds::root },
    Target { name: "grant", decode: canonical::<Signed<trust::Grant>>, seeds: seeds::grant },
    Target { name: "permit", decode: canonical::<Signed<trust::Permit>>, seeds: seeds::permit },
    Target { name: "deny", decode: canonical::<Signed<trust::DenyDocument>>, seeds: seeds::deny },
    Target { name: "order", decode: canonical::<Signed<trust::Order>>, seeds: seeds::orders },
    Target { name: "create", decode: canonical::<Signed<trust::CreateRequest>>, seeds: seeds::create },
    Target {
        name: "key-certificate",
        decode: canonical::<Signed<trust::KeyCertificate>>,
        seeds: seeds::key_certificate,
    },
    Target {
        name: "epoch-certificate",
        decode: canonical::<Signed<trust::EpochCertificate>>,
        seeds: seeds::epoch_certificate,
    },
    Target { name: "receipt", decode: canonical::<Signed<trust::Receipt>>, seeds: seeds::receipt },
    Target {
        name: "acknowledgement",
        decode: canonical::<Signed<trust::Acknowledgement>>,
        seeds: seeds::acknowledgement,
    },
    Target { name: "job", decode: canonical::<Signed<trust::Job>>, seeds: seeds::job },
    Target { name: "job-result", decode: canonical::<Signed<jobs::JobResult>>, seeds: seeds::hsm::results },
    Target { name: "submission", decode: submission, seeds: seeds::hsm::submissions },
    Target {
        name: "wrapped-key",
        decode: canonical::<Signed<trust::WrappedKey>>,
        seeds: seeds::hsm::wrapped_keys,
    },
    Target { name: "enrolment", decode: canonical::<Signed<trust::Enrolment>>, seeds: seeds::hsm::enrolment },
    Target { name: "hsm-sealed", decode: canonical::<jobs::SealedSecret>, seeds: seeds::hsm::sealed_secret },
    Target { name: "request", decode: canonical::<wire::Numbered<wire::Request>>, seeds: seeds::requests },
    Target { name: "response", decode: canonical::<wire::Numbered<wire::Response>>, seeds: seeds::responses },
    Target { name: "frame", decode: frame, seeds: seeds::requests },
    Target {
        name: "ceremony-message",
        decode: canonical::<ceremony::Message>,
        seeds: seeds::ceremony::messages,
    },
    Target { name: "preamble", decode: preamble, seeds: seeds::preamble },
    Target { name: "sealed", decode: sealed_secret, seeds: seeds::sealed },
    Target { name: "chained-key", decode: canonical::<keychain::Wrapped>, seeds: seeds::chain::wrapped },
    Target { name: "tenant", decode: text::<keychain::TenantId>, seeds: || texts(&["acme", "a.b_c-d"]) },
    Target {
        name: "system",
        decode: text::<keychain::SystemId>,
        seeds: || texts(&["acme/ceph-eu", "acme/db/1"]),
    },
    Target { name: "key-store", decode: text::<trust::StoreLabel>, seeds: || texts(&["prod", "hsm.eu_1-a"]) },
    Target {
        name: "volume",
        decode: text::<keychain::Volume>,
        seeds: || texts(&["vol-1", "pool/image@snap"]),
    },
    Target { name: "evaluation", decode: canonical::<fragments::Evaluation>, seeds: seeds::evaluation },
    Target { name: "fields", decode: canonical::<fragments::Fields>, seeds: seeds::fields },
    Target { name: "audit-entry", decode: canonical::<audit::Entry>, seeds: seeds::audit_entries },
    Target {
        name: "evaluation-record",
        decode: canonical::<audit::Record>,
        seeds: seeds::evaluation_records,
    },
    Target { name: "note", decode: text::<audit::Note>, seeds: seeds::note },
    Target {
        name: "key-id",
        decode: text::<names::KeyId>,
        seeds: || texts(&["notes", "shop/orders/eu-1", "a.b_c-d/0"]),
    },
    Target {
        name: "key-pattern",
        decode: text::<names::KeyPattern>,
        seeds: || texts(&["*", "shop/*", "notes"]),
    },
    Target { name: "account-id", decode: text::<names::AccountId>, seeds: seeds::account_text },
    Target { name: "access-id", decode: text::<names::Thumbprint>, seeds: seeds::access_text },
    Target { name: "public-key", decode: text::<trust::PublicKey>, seeds: seeds::public_key_text },
    Target { name: "relay-authority", decode: relay_authority, seeds: seeds::relay_authority },
];

/// What is accepted is the canonical encoding of what was understood.
fn canonical<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Verdict {
    let decoded = from_canonical::<T>(bytes);
    if let Ok(value) = &decoded {
        assert_eq!(to_canonical(value), bytes, "accepted another encoding than its own");
    }
    decoded.into()
}

/// A name is accepted only as it is printed.
fn text<T: FromStr + ToString>(bytes: &[u8]) -> Verdict
where
    T::Err: Debug,
{
    let Ok(text) = std::str::from_utf8(bytes) else { return Verdict::Refused };
    let parsed = T::from_str(text);
    if let Ok(value) = &parsed {
        assert_eq!(value.to_string(), text, "accepted another spelling than its own");
    }
    parsed.into()
}

/// A frame that is no message still tells its number where that can be read.
fn frame(bytes: &[u8]) -> Verdict {
    wire::Numbered::<wire::Request>::read(bytes).into()
}

fn preamble(bytes: &[u8]) -> Verdict {
    let parsed = envelope::Preamble::parse(bytes);
    if let Ok(preamble) = &parsed {
        assert!(preamble.len() <= bytes.len(), "read beyond the end");
    }
    parsed.into()
}

fn submission(bytes: &[u8]) -> Verdict {
    jobs::submission(bytes).into()
}

/// Only read, never opened: an attacker's blob may ask for a gigabyte, and that bound has its own test.
fn sealed_secret(bytes: &[u8]) -> Verdict {
    sealed::protection(bytes).into()
}

fn relay_authority(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Verdict::Refused };
    api::path::parse_relay_authority(text).ok_or(()).into()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
