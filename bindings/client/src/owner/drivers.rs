//! Signing an HSM's driver in: what it says about itself, held against what its operator read out.

use symbolon_fragments::names::{Index, Thumbprint};
use symbolon_trust::{
    Enrolment, EnrolmentError, KeyStore, Member, MemberKind, RootDocument, Signed, StoreDriver, TrustedRoot,
    VerifiedEnrolment,
};

/// A driver to be signed in.
#[derive(Clone, Debug)]
pub struct NewDriver {
    /// What people are to call it.
    pub name: String,
    /// What it says about itself.
    pub enrolment: Signed<Enrolment>,
    /// The fingerprint that its operator read out.
    pub fingerprint: Thumbprint,
    /// Who runs it.
    pub operator: String,
    /// Whose machines it runs on.
    pub cloud: String,
    /// Where those stand.
    pub region: String,
}

/// A driver whose enrolment is right, and whose fingerprint is the one that was read out. Only [`NewDriver::check`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedDriver {
    name: String,
    enrolment: VerifiedEnrolment,
    operator: String,
    cloud: String,
    region: String,
}

/// Why a driver is not signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// Another driver's file than the operator's.
    #[error("the enrolment is of {found}, not of {expected}")]
    Fingerprint {
        /// What the operator read out.
        expected: Thumbprint,
        /// Whose the enrolment is.
        found: Thumbprint,
    },
    /// The enrolment.
    #[error(transparent)]
    Enrolment(#[from] EnrolmentError),
}

impl NewDriver {
    /// Checks the enrolment against the account, the fingerprint, and, where the key store has drivers, its check value.
    pub fn check(self, root: &TrustedRoot) -> Result<CheckedDriver, DriverError> {
        let found = self.enrolment.body().key.thumbprint();
        if found != self.fingerprint {
            return Err(DriverError::Fingerprint { expected: self.fingerprint, found });
        }
        let enrolment = VerifiedEnrolment::verify(&self.enrolment, root)?;
        let Self { name, operator, cloud, region, .. } = self;
        Ok(CheckedDriver { name, enrolment, operator, cloud, region })
    }
}

impl CheckedDriver {
    /// The check value that it goes by.
    pub fn check_value(&self) -> &[u8] {
        &self.enrolment.enrolment().check_value
    }

    /// Adds the driver with this number to roster and key store. The first driver of a store founds it.
    pub(super) fn sign_in(self, index: Index, body: &mut RootDocument) {
        let Enrolment { store, key, sealing_key, check_value, .. } = self.enrolment.enrolment().clone();
        body.roster.push(Member {
            index,
            kind: MemberKind::Driver,
            name: self.name,
            key,
            address: String::new(),
            operator: self.operator,
            cloud: self.cloud,
            region: self.region,
            retired: false,
        });
        let driver = StoreDriver { index, sealing_key };
        match body.key_stores.binary_search_by(|known| known.label.cmp(&store)) {
            Ok(at) => body.key_stores[at].drivers.push(driver),
            Err(at) => {
                body.key_stores.insert(at, KeyStore { label: store, check_value, drivers: vec![driver] });
            }
        }
    }
}
