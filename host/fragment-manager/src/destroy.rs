//! Carrying out destructions whose waiting period is over and that nobody cancelled, as far as fresh news tell.
//!
//! The key version is refused from then on. A dedicated set is erased by the ceremony's machine, which also signs the
//! statement that it is; under a shared root there is nothing to erase.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use symbolon_audit::RecordBody;
use symbolon_protocol::wire::Error;
use symbolon_store::manager::Rows;
use symbolon_trust::DueDestruction;
use tracing::debug;

use crate::account::{Account, Notice};
use crate::news::Fresh;
use crate::refusal;

/// Orders that this process has carried out already.
#[derive(Default)]
pub(crate) struct Destroyed(Mutex<BTreeSet<u64>>);

impl Destroyed {
    fn contains(&self, serial: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&serial)
    }

    fn insert(&self, serial: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(serial);
    }
}

impl Account {
    /// Carries out what is due. Nothing is while the clock is behind its mark, or newer orders may exist.
    pub(crate) async fn destroy_due(&self) -> Result<(), Error> {
        let now = self.now()?;
        let due: Vec<DueDestruction> = self.trust(|trust| trust.orders().due(now).collect());
        for destruction in due.into_iter().filter(|due| !self.destroyed.contains(due.serial())) {
            match self.news().check() {
                Ok(fresh) => self.destroy(destruction, &fresh).await?,
                Err(stale) => {
                    debug!(account = %self.id(), cause = &stale as &dyn std::error::Error, "a destruction waits");
                }
            }
        }
        Ok(())
    }

    async fn destroy(&self, due: DueDestruction, _: &Fresh) -> Result<(), Error> {
        let (key, version, order) = (due.key().clone(), due.version(), due.serial());
        let mut write = self.store().write().await.map_err(refusal::store)?;
        let newly =
            Rows::of(&mut write, &self.id()).destroy_key(&key, version).await.map_err(refusal::store)?;
        write.commit().await.map_err(refusal::store)?;
        self.channels.forget(|verdict| {
            let authorised = &verdict.authorised;
            authorised.account() == self.id() && *authorised.key() == key && authorised.version() == version
        });
        if newly {
            self.log().note(RecordBody::Destroyed { key, version, order });
        }
        self.notify(Notice::Destroy(due));
        self.destroyed.insert(order);
        Ok(())
    }
}
