//! Taking the owner's documents: checked, stored durably, in force, and only then signed for.

use symbolon_audit::{Hash, RecordBody};
use symbolon_encoding::to_canonical;
use symbolon_protocol::wire::Error;
use symbolon_store::manager::Rows;
use symbolon_trust::{
    DenyDocument, Installable, Order, Receipt, RootDocument, Seconds, Signed, VerifiedOrder, hash,
};

use crate::account::{Account, Notice};
use crate::refusal;

impl Account {
    /// Takes a successor of the root document.
    pub(crate) async fn install_root(&self, signed: Signed<RootDocument>) -> Result<Signed<Receipt>, Error> {
        let time = self.now()?.time();
        let _installing = self.installing.lock().await;
        let version = signed.body().version;
        let next = self.trust(|trust| trust.with_root(signed.clone()));
        let next = next.map_err(|error| refusal::root(error, version))?;
        let Some(next) = next else { return Ok(self.receipt(signed.body(), time)) };
        self.store_document(async |rows| rows.add_root(version, &to_canonical(&signed)).await).await?;
        self.believe(next);
        self.channels.forget_all(self.id());
        Ok(self.installed(signed.body(), time))
    }

    /// Takes a deny document that is newer than the one in force, and cuts what it denies.
    pub(crate) async fn install_deny(&self, signed: Signed<DenyDocument>) -> Result<Signed<Receipt>, Error> {
        let time = self.now()?.time();
        let _installing = self.installing.lock().await;
        let next = self.trust(|trust| trust.with_deny(signed.clone())).map_err(refusal::deny)?;
        let Some(next) = next else { return Ok(self.receipt(signed.body(), time)) };
        self.store_document(async |rows| rows.put_deny(signed.body().version, &to_canonical(&signed)).await)
            .await?;
        self.believe(next);
        self.enforce();
        Ok(self.installed(signed.body(), time))
    }

    /// Takes an order. While the clock is behind its mark, only one that lowers the mark.
    pub(crate) async fn install_order(&self, signed: Signed<Order>) -> Result<Signed<Receipt>, Error> {
        let now = self.now();
        let order = self.trust(|trust| match &now {
            Ok(now) => VerifiedOrder::verify(signed.clone(), trust.root(), *now).map_err(refusal::order),
            Err(behind) => VerifiedOrder::verify_lower_mark(signed.clone(), trust.root(), self.reading())
                .map_err(|_| behind.clone()),
        })?;
        self.take_order(order).await?;
        Ok(self.receipt(signed.body(), self.reading()))
    }

    /// Stores a verified order and puts it in force; one that was taken before changes nothing.
    pub async fn take_order(&self, order: VerifiedOrder) -> Result<(), Error> {
        let received = self.reading();
        let _installing = self.installing.lock().await;
        let next = self.trust(|trust| trust.with_order(order.clone(), received));
        let Some(next) = next.map_err(refusal::order_conflict)? else { return Ok(()) };
        let mark = self.mark().lowered(&order);
        self.store_document(async |rows| {
            rows.add_order(order.order().serial, &to_canonical(order.signed()), received.0).await?;
            rows.put_mark(mark.0).await
        })
        .await?;
        self.mark().lower(&order);
        self.believe(next);
        self.enforce();
        self.installed(order.order(), received);
        self.notify(Notice::Order(order));
        Ok(())
    }

    fn enforce(&self) {
        let denials = self.trust(|trust| trust.denials().clone());
        self.channels.enforce(self.id(), &denials);
    }

    async fn store_document(
        &self,
        put: impl AsyncFnOnce(&mut Rows<'_, symbolon_store::Write>) -> Result<(), symbolon_store::StoreError>,
    ) -> Result<(), Error> {
        let mut write = self.store().write().await.map_err(refusal::store)?;
        put(&mut Rows::of(&mut write, &self.id())).await.map_err(refusal::store)?;
        write.commit().await.map_err(refusal::store)
    }

    /// Logs that a document came into force, and signs for it.
    fn installed<B: Installable + Clone>(&self, body: &B, time: Seconds) -> Signed<Receipt> {
        let (document, number, hash) = (B::KIND, body.number(), Hash(hash(body)));
        self.log().note(RecordBody::Installed { document, number, hash });
        self.receipt(body, time)
    }

    fn receipt<B: Installable>(&self, body: &B, time: Seconds) -> Signed<Receipt> {
        self.sign(Receipt::of(self.id(), self.index(), body, time))
    }
}
