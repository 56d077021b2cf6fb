//! The failures of roles that don't start or don't go on.

use std::io;

use symbolon_access_manager as access;
use symbolon_fragment_manager as manager;
use symbolon_gateway as gateway;
use symbolon_store::{OpenError, StoreError};

use super::{Failure, Kind};

impl From<manager::OpenError> for Failure {
    fn from(error: manager::OpenError) -> Self {
        let kind = match &error {
            manager::OpenError::Datastore { cause, .. } => datastore(cause),
            manager::OpenError::Store(cause) => store(cause),
            manager::OpenError::Vault(cause) => vault(cause),
            manager::OpenError::Accounts(cause) => accounts(cause),
            manager::OpenError::Identity(_) | manager::OpenError::Tls(_) => Kind::Bug,
        };
        Self::new(kind, error)
    }
}

pub(super) fn datastore(cause: &OpenError) -> Kind {
    match cause {
        OpenError::InUse => Kind::Conflict,
        OpenError::Corrupted(_) | OpenError::Swapped { .. } => Kind::Integrity,
        OpenError::Newer { .. } => Kind::Invalid,
        OpenError::Full | OpenError::File(_) | OpenError::Failed(_) => Kind::Io,
    }
}

pub(super) fn store(cause: &StoreError) -> Kind {
    match cause {
        StoreError::Corrupted => Kind::Integrity,
        StoreError::Exists => Kind::Bug,
        StoreError::Full | StoreError::Failed(_) => Kind::Io,
    }
}

fn vault(cause: &manager::VaultError) -> Kind {
    use manager::VaultError;
    match cause {
        VaultError::File { .. } => Kind::Io,
        VaultError::Locked { .. }
        | VaultError::Malformed { .. }
        | VaultError::NoKey
        | VaultError::Fragment(_) => Kind::Integrity,
    }
}

fn accounts(cause: &manager::AccountsError) -> Kind {
    use manager::AccountsError;
    match cause {
        AccountsError::Unreadable { .. } => Kind::Io,
        AccountsError::Malformed { .. }
        | AccountsError::Orphan { .. }
        | AccountsError::NotRostered { .. } => Kind::Invalid,
        AccountsError::Refused { .. } | AccountsError::Stored { .. } => Kind::Integrity,
        AccountsError::Store(cause) => store(cause),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(store(&error), error)
    }
}

impl From<access::OpenError> for Failure {
    fn from(error: access::OpenError) -> Self {
        let kind = match &error {
            access::OpenError::Store { cause, .. } => datastore(cause),
            access::OpenError::Accounts(cause) => access_accounts(cause),
            access::OpenError::Policy(cause) => policy(cause),
            access::OpenError::Pem { .. } => Kind::Invalid,
            access::OpenError::Account(_) => Kind::Integrity,
            access::OpenError::Identity(_) | access::OpenError::Tls(_) => Kind::Bug,
        };
        Self::new(kind, error)
    }
}

fn access_accounts(cause: &access::AccountsError) -> Kind {
    match cause {
        access::AccountsError::File { cause, .. } => file(cause),
        access::AccountsError::Root { .. } | access::AccountsError::Grant { .. } => Kind::Integrity,
    }
}

fn policy(cause: &access::PolicyError) -> Kind {
    match cause {
        access::PolicyError::File { cause, .. } => file(cause),
        access::PolicyError::Syntax { .. } | access::PolicyError::Schema { .. } => Kind::Invalid,
    }
}

impl From<gateway::OpenError> for Failure {
    fn from(error: gateway::OpenError) -> Self {
        let kind = match &error {
            gateway::OpenError::Tls(cause) => tls(cause),
            gateway::OpenError::Callers(cause) => callers(cause),
        };
        Self::new(kind, error)
    }
}

fn tls(cause: &gateway::tls::TlsError) -> Kind {
    use gateway::tls::TlsError;
    match cause {
        TlsError::File { source, .. } => file(source),
        TlsError::Pem { .. } | TlsError::Mismatch(_) => Kind::Invalid,
    }
}

impl From<gateway::callers::CallersError> for Failure {
    fn from(error: gateway::callers::CallersError) -> Self {
        Self::new(callers(&error), error)
    }
}

fn callers(cause: &gateway::callers::CallersError) -> Kind {
    use gateway::callers::CallersError;
    match cause {
        CallersError::File { source, .. } => file(source),
        CallersError::Malformed { .. } | CallersError::Entry { .. } => Kind::Invalid,
    }
}

fn file(error: &io::Error) -> Kind {
    if error.kind() == io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Io }
}
