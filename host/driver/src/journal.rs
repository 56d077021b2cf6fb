//! What a driver must not forget, on disk: the owner's documents, the answers that it gave, the PIN that was refused.

use crate::clock::reading;
use std::path::Path;
use symbolon_fragments::names::{AccountId, Thumbprint};
use symbolon_protocol::jobs::{JobId, MAX_JOB_LIFE};
use symbolon_store::{
    Datastore, OpenError, Owner, Role, StoreError,
    driver::{Document, DocumentRow, Rows, SCHEMA},
};
use symbolon_trust::Seconds;

/// The journal of one account's driver.
pub(crate) struct Journal {
    store: Datastore,
    account: AccountId,
}

/// Documents as they were stored.
pub(crate) struct Stored {
    pub(crate) roots: Vec<DocumentRow>,
    pub(crate) deny: Option<DocumentRow>,
    pub(crate) orders: Vec<DocumentRow>,
}

impl Journal {
    /// Opens the journal of the driver with this identity.
    pub(crate) async fn open(
        path: &Path,
        identity: Thumbprint,
        account: AccountId,
    ) -> Result<Self, OpenError> {
        let owner = Owner { role: Role::Driver, identity };
        Ok(Self { store: Datastore::open(path, &owner, &SCHEMA).await?, account })
    }

    /// The owner's documents.
    pub(crate) async fn documents(&self) -> Result<Stored, StoreError> {
        let mut read = self.store.read().await?;
        let mut rows = Rows::of(&mut read, &self.account);
        Ok(Stored {
            roots: rows.documents(Document::Root).await?,
            deny: rows.documents(Document::Deny).await?.pop(),
            orders: rows.documents(Document::Order).await?,
        })
    }

    /// Stores one of the owner's documents, before it is in force.
    pub(crate) async fn put_document(
        &self,
        kind: Document,
        number: u64,
        document: Vec<u8>,
    ) -> Result<DocumentRow, StoreError> {
        let row = DocumentRow { document, received: reading().0 };
        let mut write = self.store.write().await?;
        let mut rows = Rows::of(&mut write, &self.account);
        match kind {
            Document::Deny => rows.put_deny(number, &row).await?,
            Document::Root | Document::Order => rows.add_document(kind, number, &row).await?,
        }
        write.commit().await?;
        Ok(row)
    }

    /// The answer that was given to a job.
    pub(crate) async fn answer(&self, job: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        let mut read = self.store.read().await?;
        Rows::of(&mut read, &self.account).answer(job.as_bytes()).await
    }

    /// Stores the answer to a job, before it is sent, and the clock's mark with it.
    pub(crate) async fn put_answer(
        &self,
        job: JobId,
        answer: &[u8],
        expires: Seconds,
        mark: Seconds,
    ) -> Result<(), StoreError> {
        let mut write = self.store.write().await?;
        let mut rows = Rows::of(&mut write, &self.account);
        rows.forget_answers(mark.0.saturating_sub(MAX_JOB_LIFE)).await?;
        rows.put_answer(job.as_bytes(), answer, expires.0).await?;
        rows.put_mark(mark.0).await?;
        write.commit().await
    }

    /// The clock's mark.
    pub(crate) async fn mark(&self) -> Result<Seconds, StoreError> {
        let mut read = self.store.read().await?;
        Ok(Seconds(Rows::of(&mut read, &self.account).mark().await?))
    }

    /// Stores the clock's mark.
    pub(crate) async fn put_mark(&self, mark: Seconds) -> Result<(), StoreError> {
        let mut write = self.store.write().await?;
        Rows::of(&mut write, &self.account).put_mark(mark.0).await?;
        write.commit().await
    }

    /// What names the PIN that the token refused.
    pub(crate) async fn refused_pin(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut read = self.store.read().await?;
        Rows::of(&mut read, &self.account).refused_pin().await
    }

    /// Remembers which PIN the token refused; with nothing, that none is refused any more.
    pub(crate) async fn put_refused_pin(&self, name: Option<&[u8]>) -> Result<(), StoreError> {
        let mut write = self.store.write().await?;
        let mut rows = Rows::of(&mut write, &self.account);
        match name {
            Some(name) => rows.put_refused_pin(name).await?,
            None => rows.forget_refused_pin().await?,
        }
        write.commit().await
    }

    /// Closes it; another process may open it then.
    pub(crate) async fn close(&self) {
        self.store.close().await;
    }
}
