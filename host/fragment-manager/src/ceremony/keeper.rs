//! The machine's durable state: rows in the datastore, fragments sealed under wrapping keys in the vault.

use std::sync::Arc;
use std::time::Duration;

use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_fragments::names::InstanceId;
use symbolon_protocol::ceremony::{
    Flip, FragmentBytes, NewInstance, Record, Saved, SavedInstance, Status, Transcript,
};
use symbolon_protocol::wire;
use symbolon_store::manager::{self as rows, Position, Rows};
use symbolon_store::{StoreError, Write};
use symbolon_trust::{EpochCertificate, Seconds, Signed, VerifiedOrder};
use tokio::task::spawn_blocking;

use crate::account::Account;
use crate::ceremony::ages::Ages;
use crate::vault::{Vault, VaultError};

/// Why the durable state can't be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeeperError {
    #[error("the datastore failed")]
    Store(#[from] StoreError),
    #[error("the wrapping keys failed")]
    Vault(#[from] VaultError),
    #[error("a stored document is malformed")]
    Malformed(#[from] symbolon_encoding::DecodeError),
    #[error("an order was not stored: {0:?}")]
    Order(wire::Error),
    #[error("the manager is stopping")]
    Interrupted,
}

/// Keeps what the machine says is to be kept.
pub(super) struct Keeper {
    account: Arc<Account>,
    vault: Arc<Vault>,
}

impl Keeper {
    pub(super) const fn new(account: Arc<Account>, vault: Arc<Vault>) -> Self {
        Self { account, vault }
    }

    /// Everything but the fragments. Wrapping keys whose instance was never stored, or is erased, go now.
    pub(super) async fn recall(&self) -> Result<Saved, KeeperError> {
        let mut read = self.account.store().read().await?;
        let mut rows = Rows::of(&mut read, &self.account.id());
        let mut saved = Saved { orders: self.orders(), ..Saved::default() };
        let sets = rows.sets().await?;
        for row in rows.instances().await? {
            let origin = sets.iter().find(|set| set.set == row.set).ok_or(StoreError::Corrupted)?;
            saved.instances.push(SavedInstance {
                certificate: from_canonical(&row.certificate)?,
                status: status(row.status),
                origin: from_canonical(&origin.origin)?,
            });
        }
        for statement in rows.flips().await? {
            saved.flips.push(from_canonical(&statement)?);
        }
        saved.destroyed = sets.iter().filter_map(|set| Some((set.set, set.destroyed?))).collect();
        let held = saved.instances.iter().map(|saved| saved.certificate.body().instance()).collect();
        self.vault.retain(&self.account.id(), &held)?;
        Ok(saved)
    }

    fn orders(&self) -> Vec<VerifiedOrder> {
        self.account.trust(|trust| trust.orders().iter().map(|stored| stored.order.clone()).collect())
    }

    pub(super) async fn ages(&self, refresh: Duration) -> Result<Ages, KeeperError> {
        let mut read = self.account.store().read().await?;
        let ages = Rows::of(&mut read, &self.account.id()).ages().await?;
        Ok(Ages::new(ages.into_iter().map(|(set, settled)| (set, Seconds(settled))), refresh))
    }

    pub(super) async fn position(&self) -> Result<Option<Position>, KeeperError> {
        let mut read = self.account.store().read().await?;
        Ok(Rows::of(&mut read, &self.account.id()).position().await?)
    }

    pub(super) async fn put_position(&self, position: &Position) -> Result<(), KeeperError> {
        self.write(async |rows| rows.put_position(position).await).await
    }

    /// Stores a record in one transaction; what is served follows it.
    pub(super) async fn persist(&self, record: Record) -> Result<(), KeeperError> {
        match record {
            Record::Order(order) => taken(self.account.take_order(order).await),
            Record::Signed(new) => self.put_new(new).await,
            Record::Flipped(certificates) => self.put_flipped(&certificates).await,
            Record::Settled { instances, flips } => self.put_settled(&instances, &flips).await,
            Record::Destroyed { set, serial } => {
                let put = async |rows: &mut Rows<'_, Write>| {
                    rows.drop_age(&set).await?;
                    rows.destroy_set(&set, serial).await
                };
                self.write(put).await
            }
        }
    }

    /// Wrapping keys first, then the sealed fragments: a crash in between leaves keys that open nothing.
    async fn put_new(&self, new: Vec<NewInstance>) -> Result<(), KeeperError> {
        let (vault, account) = (Arc::clone(&self.vault), self.account.id());
        let seal = move || {
            let fragments: Vec<_> =
                new.iter().map(|new| (new.certificate.body().instance(), new.fragment.as_bytes())).collect();
            let sealed = vault.seal(&account, &fragments);
            sealed.map(|sealed| {
                new.iter().zip(sealed).map(|(new, sealed)| row(new, sealed)).collect::<Vec<_>>()
            })
        };
        let new = spawn_blocking(seal).await.map_err(|_| KeeperError::Interrupted)??;
        self.write(async |rows| {
            for instance in &new {
                rows.add_instance(instance).await?;
            }
            Ok(())
        })
        .await
    }

    async fn put_flipped(&self, certificates: &[Signed<EpochCertificate>]) -> Result<(), KeeperError> {
        let mut origins = Vec::with_capacity(certificates.len());
        self.write(async |rows| {
            for certificate in certificates {
                rows.flip(&certificate.body().instance(), &to_canonical(certificate)).await?;
                origins.push(rows.origin(&certificate.body().set).await?.ok_or(StoreError::Corrupted)?);
            }
            Ok(())
        })
        .await?;
        for (certificate, origin) in certificates.iter().zip(&origins) {
            self.account.sets().serve(certificate.clone(), false, &from_canonical(origin)?);
        }
        Ok(())
    }

    async fn put_settled(&self, instances: &[InstanceId], flips: &[Signed<Flip>]) -> Result<(), KeeperError> {
        let now = self.account.reading().0;
        self.write(async |rows| {
            for instance in instances {
                rows.settle(instance).await?;
                if let Some(certificate) = certificate(rows, instance).await? {
                    rows.put_age(&certificate.set, now).await?;
                }
            }
            for flip in flips {
                let body = flip.body();
                rows.put_flip(&to_canonical(&body.transcript), body.index, &to_canonical(flip)).await?;
            }
            Ok(())
        })
        .await?;
        self.account.sets().settle(instances);
        Ok(())
    }

    /// Serves instances no more, erases their wrapping keys, then their rows. A crash in between is made good on start:
    /// the rows are still there, and below what has settled.
    pub(super) async fn erase(&self, instances: &[InstanceId]) -> Result<(), KeeperError> {
        self.account.sets().erase(instances);
        let (vault, account, gone) = (Arc::clone(&self.vault), self.account.id(), instances.to_vec());
        spawn_blocking(move || vault.erase(&account, &gone))
            .await
            .map_err(|_| KeeperError::Interrupted)??;
        self.write(async |rows| {
            let mut transcripts = std::collections::BTreeSet::new();
            for instance in instances {
                transcripts.extend(certificate(rows, instance).await?.map(|c| Transcript::of(&c)));
                rows.erase(instance).await?;
            }
            for row in rows.instances().await? {
                let left: Signed<EpochCertificate> =
                    from_canonical(&row.certificate).map_err(|_| StoreError::Corrupted)?;
                transcripts.remove(&Transcript::of(left.body()));
            }
            for transcript in &transcripts {
                rows.drop_flips(&to_canonical(transcript)).await?;
            }
            Ok(())
        })
        .await
    }

    /// Fragments as the disk has them; one that can't be opened is absent.
    pub(super) async fn load(
        &self,
        instances: &[InstanceId],
    ) -> Result<Vec<Option<FragmentBytes>>, KeeperError> {
        let mut read = self.account.store().read().await?;
        let mut rows = Rows::of(&mut read, &self.account.id());
        let mut fragments = Vec::with_capacity(instances.len());
        for instance in instances {
            let sealed = rows.fragment(instance).await?;
            let opened =
                sealed.and_then(|(_, sealed)| self.vault.unseal(&self.account.id(), instance, &sealed).ok());
            fragments.push(opened.map(FragmentBytes::new));
        }
        Ok(fragments)
    }

    async fn write(
        &self,
        put: impl AsyncFnOnce(&mut Rows<'_, Write>) -> Result<(), StoreError>,
    ) -> Result<(), KeeperError> {
        let mut write = self.account.store().write().await?;
        put(&mut Rows::of(&mut write, &self.account.id())).await?;
        Ok(write.commit().await?)
    }
}

async fn certificate(
    rows: &mut Rows<'_, Write>,
    instance: &InstanceId,
) -> Result<Option<EpochCertificate>, StoreError> {
    let Some((certificate, _)) = rows.fragment(instance).await? else { return Ok(None) };
    let signed: Signed<EpochCertificate> = from_canonical(&certificate).map_err(|_| StoreError::Corrupted)?;
    Ok(Some(signed.into_body()))
}

/// An order to lower the clock's mark may come by the log after a later one that was taken: it is left out, as it says nothing of
/// any set, and is no fault of the disk. To begin again from the disk would be to read it again, without end.
fn taken(order: Result<(), wire::Error>) -> Result<(), KeeperError> {
    match order {
        Ok(()) | Err(wire::Error::Refused { reason: wire::Refusal::Older { .. }, .. }) => Ok(()),
        Err(error) => Err(KeeperError::Order(error)),
    }
}

fn row(new: &NewInstance, sealed: Vec<u8>) -> rows::NewInstance {
    let body = new.certificate.body();
    rows::NewInstance {
        set: body.set,
        instance: body.instance(),
        origin: to_canonical(&new.origin),
        certificate: to_canonical(&new.certificate),
        fragment: sealed,
    }
}

const fn status(status: rows::Status) -> Status {
    match status {
        rows::Status::Signed => Status::Signed,
        rows::Status::Flipped => Status::Flipped,
        rows::Status::Settled => Status::Settled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_protocol::wire::{Document, Error, Refusal};

    #[test]
    fn an_order_that_is_out_of_date_does_not_stop_ceremonies() {
        let refused = |reason| taken(Err(Error::Refused { document: Document::Order, reason }));
        refused(Refusal::Older { offered: 5, held: 7 }).unwrap();
        refused(Refusal::Fork { number: 5 }).unwrap_err();
        taken(Err(Error::Full)).unwrap_err();
    }
}
