//! The interface's paths: templates for routers, builders for clients, so that both name the same place.
//!
//! A key id contains `/`, and so does a system; in a path it is one segment, with `/` written `%2F`.

use super::Id;
use alloc::{format, string::String};
use core::fmt::Write;

/// Whether the server serves.
pub const HEALTH: &str = "/healthz";
/// The interface's own description (`OpenAPI` 3.1).
pub const OPENAPI: &str = "/openapi.json";
/// Root documents.
pub const ROOT: &str = "/v1/accounts/{account}/root";
/// The deny document.
pub const DENY: &str = "/v1/accounts/{account}/deny";
/// Acknowledgements of the deny document.
pub const DENY_ACKNOWLEDGEMENTS: &str = "/v1/accounts/{account}/deny/acknowledgements";
/// Orders.
pub const ORDERS: &str = "/v1/accounts/{account}/orders";
/// Grants.
pub const GRANTS: &str = "/v1/accounts/{account}/grants";
/// One grant.
pub const GRANT: &str = "/v1/accounts/{account}/grants/{id}";
/// Keys.
pub const KEYS: &str = "/v1/accounts/{account}/keys";
/// One key.
pub const KEY: &str = "/v1/accounts/{account}/keys/{key}";
/// A key's versions.
pub const VERSIONS: &str = "/v1/accounts/{account}/keys/{key}/versions";
/// A key version's certificate.
pub const CERTIFICATE: &str = "/v1/accounts/{account}/keys/{key}/versions/{version}/certificate";
/// Leases below a key, a tenant or a system.
pub const KEY_LEASES: &str = "/v1/accounts/{account}/keys/{key}/leases";
/// Tenants of the key chain.
pub const TENANTS: &str = "/v1/accounts/{account}/tenants";
/// One tenant.
pub const TENANT: &str = "/v1/accounts/{account}/tenants/{tenant}";
/// The versions of a tenant's key.
pub const TENANT_VERSIONS: &str = "/v1/accounts/{account}/tenants/{tenant}/versions";
/// Systems of the key chain.
pub const SYSTEMS: &str = "/v1/accounts/{account}/systems";
/// One system.
pub const SYSTEM: &str = "/v1/accounts/{account}/systems/{system}";
/// The versions of a system's key.
pub const SYSTEM_VERSIONS: &str = "/v1/accounts/{account}/systems/{system}/versions";
/// Permits.
pub const PERMITS: &str = "/v1/accounts/{account}/permits";
/// Jobs for HSMs.
pub const JOBS: &str = "/v1/accounts/{account}/jobs";
/// Where a driver asks for work.
pub const JOBS_LEASE: &str = "/v1/accounts/{account}/jobs/lease";
/// One job.
pub const JOB: &str = "/v1/accounts/{account}/jobs/{job}";
/// A job's lease.
pub const JOB_LEASE: &str = "/v1/accounts/{account}/jobs/{job}/lease";
/// Where a driver gives a job back.
pub const JOB_GIVE_BACK: &str = "/v1/accounts/{account}/jobs/{job}/give-back";
/// A job's result.
pub const JOB_RESULT: &str = "/v1/accounts/{account}/jobs/{job}/result";
/// Fragment sets.
pub const SETS: &str = "/v1/accounts/{account}/sets";
/// One fragment set.
pub const SET: &str = "/v1/accounts/{account}/sets/{set}";
/// A fragment set's instances.
pub const INSTANCES: &str = "/v1/accounts/{account}/sets/{set}/instances";
/// Starts a refresh.
pub const REFRESH: &str = "/v1/accounts/{account}/refresh";
/// The ceremony log.
pub const CEREMONY_LOG: &str = "/v1/accounts/{account}/ceremonies/log";
/// Entries of the Merkle log.
pub const AUDIT_ENTRIES: &str = "/v1/accounts/{account}/audit/entries";
/// The Merkle log's checkpoint.
pub const AUDIT_CHECKPOINT: &str = "/v1/accounts/{account}/audit/checkpoint";
/// Proofs of the Merkle log.
pub const AUDIT_PROOF: &str = "/v1/accounts/{account}/audit/proof";
/// Cosignatures of the checkpoint.
pub const AUDIT_COSIGNATURES: &str = "/v1/accounts/{account}/audit/cosignatures";
/// The gateway: encrypt. Its callers belong to one account each, so that its paths name none.
pub const ENCRYPT: &str = "/v1/encrypt";
/// The gateway: decrypt.
pub const DECRYPT: &str = "/v1/decrypt";
/// The gateway: make a data key.
pub const DATA_KEYS: &str = "/v1/data-keys";
/// The gateway: unwrap a data key.
pub const DATA_KEYS_UNWRAP: &str = "/v1/data-keys/unwrap";
/// The gateway: make a data key of the key chain.
pub const SYSTEM_DATA_KEYS: &str = "/v1/systems/{system}/data-keys";
/// The gateway: open a data key of the key chain.
pub const SYSTEM_DATA_KEYS_OPEN: &str = "/v1/systems/{system}/data-keys/open";

/// Fills a template's only parameter, the account: for [`ROOT`], [`KEYS`], [`PERMITS`] and all others of the access manager without a second one.
pub fn of_account(template: &str, account: &Id) -> String {
    template.replace("{account}", &format!("{account}"))
}

/// [`GRANT`] of one grant.
pub fn grant(account: &Id, id: u64) -> String {
    of_account(GRANT, account).replace("{id}", &format!("{id}"))
}

/// [`KEY`] of one key.
pub fn key(account: &Id, key: &str) -> String {
    of_account(KEY, account).replace("{key}", &segment(key))
}

/// [`VERSIONS`] of one key.
pub fn versions(account: &Id, key: &str) -> String {
    of_account(VERSIONS, account).replace("{key}", &segment(key))
}

/// [`KEY_LEASES`] of one key, tenant or system.
pub fn key_leases(account: &Id, key: &str) -> String {
    of_account(KEY_LEASES, account).replace("{key}", &segment(key))
}

/// [`CERTIFICATE`] of one key version.
pub fn certificate(account: &Id, key: &str, version: u64) -> String {
    of_account(CERTIFICATE, account)
        .replace("{key}", &segment(key))
        .replace("{version}", &format!("{version}"))
}

/// [`TENANT`] of one tenant.
pub fn tenant(account: &Id, tenant: &str) -> String {
    of_account(TENANT, account).replace("{tenant}", &segment(tenant))
}

/// [`TENANT_VERSIONS`] of one tenant.
pub fn tenant_versions(account: &Id, tenant: &str) -> String {
    of_account(TENANT_VERSIONS, account).replace("{tenant}", &segment(tenant))
}

/// [`SYSTEM`] of one system.
pub fn system(account: &Id, system: &str) -> String {
    of_account(SYSTEM, account).replace("{system}", &segment(system))
}

/// [`SYSTEM_VERSIONS`] of one system.
pub fn system_versions(account: &Id, system: &str) -> String {
    of_account(SYSTEM_VERSIONS, account).replace("{system}", &segment(system))
}

/// [`SYSTEM_DATA_KEYS`] or [`SYSTEM_DATA_KEYS_OPEN`] of one system.
pub fn of_system(template: &str, system: &str) -> String {
    template.replace("{system}", &segment(system))
}

/// [`SET`] of one fragment set.
pub fn set(account: &Id, set: &Id) -> String {
    of_account(SET, account).replace("{set}", &format!("{set}"))
}

/// [`INSTANCES`] of one fragment set.
pub fn instances(account: &Id, set: &Id) -> String {
    of_account(INSTANCES, account).replace("{set}", &format!("{set}"))
}

/// [`JOB`], [`JOB_LEASE`], [`JOB_GIVE_BACK`] or [`JOB_RESULT`] of one job.
pub fn of_job(template: &str, account: &Id, job: &Id) -> String {
    of_account(template, account).replace("{job}", &format!("{job}"))
}

/// The authority that `CONNECT` names for a member of an account's roster.
pub fn relay_authority(account: &Id, index: u16) -> String {
    format!("{account}.{index}:443")
}

/// What a `CONNECT` authority names; nothing where it has another form.
pub fn parse_relay_authority(authority: &str) -> Option<(Id, u16)> {
    let (account, index) = authority.strip_suffix(":443")?.split_once('.')?;
    let member = (account.parse().ok()?, index.parse().ok().filter(|i| *i > 0)?);
    (relay_authority(&member.0, member.1) == authority).then_some(member)
}

/// A text as one path segment or query value: everything but unreserved characters percent-encoded (RFC 3986 §2.3).
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing into memory does not fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_segment() {
        let path = certificate(&Id([0; 32]), "shop/orders", 2);
        assert!(path.ends_with("/keys/shop%2Forders/versions/2/certificate"));
        assert!(!path.contains('{'));
    }

    #[test]
    fn a_relay_authority_has_one_form() {
        let account = Id([7; 32]);
        let authority = relay_authority(&account, 3);
        assert_eq!(parse_relay_authority(&authority), Some((account, 3)));
        let zero = authority.replace(".3:", ".0:");
        let padded = authority.replace(".3:", ".03:");
        let signed = authority.replace(".3:", ".+3:");
        for wrong in [zero.as_str(), &padded, &signed, "example.org:443", &authority[..authority.len() - 4]] {
            assert_eq!(parse_relay_authority(wrong), None, "{wrong}");
        }
    }
}
