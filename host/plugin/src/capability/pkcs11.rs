//! `pkcs11`: tokens of the operator's, by the names of the manifest. What may be asked of a token is decided in
//! `symbolon_pkcs11`; here a guest's handles become its sessions and objects, and its errors the contract's.

mod failure;
mod grant;
mod mechanism;

use std::sync::Arc;

use wasmtime::component::{Resource, ResourceTable};

use crate::bindings::errors::Error;
use crate::bindings::host::pkcs11::{Host, HostObject, HostSession, Mechanism, Template, TokenInfo};
use crate::guest::Guest;
use crate::secret::Secret;

use failure::{answer, told};
pub use grant::{TokenGrant, TokenWish};

/// What stands behind a `session` handle.
pub type Session = symbolon_pkcs11::Session;
/// What stands behind an `object` handle. A call holds on to it while it waits for the token.
pub type Object = Arc<symbolon_pkcs11::Object>;

/// A trap, or the contract's result.
type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl Host for Guest {
    async fn open(&mut self, token: String) -> Answer<Resource<Session>> {
        let Some(grant) = self.granted.tokens.get(&token).cloned() else {
            return Ok(Err(failure::unknown(&token)));
        };
        match grant.token.session(grant.allowed).await {
            Ok(session) => Ok(Ok(self.table.push(session)?)),
            Err(error) => Ok(Err(told(error))),
        }
    }
}

impl HostSession for Guest {
    async fn info(&mut self, session: Resource<Session>) -> Answer<TokenInfo> {
        let info = self.table.get(&session)?.info();
        Ok(Ok(TokenInfo {
            label: info.label,
            manufacturer: info.manufacturer,
            model: info.model,
            serial: info.serial,
            firmware: info.firmware,
            mechanisms: info.mechanisms,
        }))
    }

    async fn find(
        &mut self,
        session: Resource<Session>,
        template: Template,
        max: u32,
    ) -> Answer<Vec<Resource<Object>>> {
        let session = self.table.get(&session)?.clone();
        match session.find(mechanism::template(template), max).await {
            Ok(found) => {
                let table = &mut self.table;
                Ok(Ok(found
                    .into_iter()
                    .map(|object| hand_out(table, object))
                    .collect::<wasmtime::Result<_>>()?))
            }
            Err(error) => Ok(Err(told(error))),
        }
    }

    async fn generate_key(
        &mut self,
        session: Resource<Session>,
        mechanism: Mechanism,
        template: Template,
    ) -> Answer<Resource<Object>> {
        let session = self.table.get(&session)?.clone();
        let mechanism = answer!(mechanism::read(mechanism));
        let key = answer!(session.generate_key(mechanism, mechanism::template(template)).await.map_err(told));
        Ok(Ok(hand_out(&mut self.table, key)?))
    }

    async fn generate_key_pair(
        &mut self,
        session: Resource<Session>,
        mechanism: Mechanism,
        public: Template,
        private: Template,
    ) -> Answer<(Resource<Object>, Resource<Object>)> {
        let session = self.table.get(&session)?.clone();
        let mechanism = answer!(mechanism::read(mechanism));
        let (public, private) = (mechanism::template(public), mechanism::template(private));
        let pair = answer!(session.generate_key_pair(mechanism, public, private).await.map_err(told));
        Ok(Ok((hand_out(&mut self.table, pair.0)?, hand_out(&mut self.table, pair.1)?)))
    }

    async fn copy(&mut self, session: Resource<Session>, key: Resource<Object>) -> Answer<Resource<Object>> {
        let (session, key) = (self.table.get(&session)?.clone(), self.table.get(&key)?.clone());
        let copy = answer!(session.copy(&key).await.map_err(told));
        Ok(Ok(hand_out(&mut self.table, copy)?))
    }

    async fn sign(
        &mut self,
        session: Resource<Session>,
        mechanism: Mechanism,
        key: Resource<Object>,
        data: Vec<u8>,
    ) -> Answer<Vec<u8>> {
        let (session, key) = (self.table.get(&session)?.clone(), self.table.get(&key)?.clone());
        let mechanism = answer!(mechanism::read(mechanism));
        Ok(session.sign(mechanism, &key, data).await.map_err(told))
    }

    async fn verify(
        &mut self,
        session: Resource<Session>,
        mechanism: Mechanism,
        key: Resource<Object>,
        data: Vec<u8>,
        signature: Vec<u8>,
    ) -> Answer<()> {
        let (session, key) = (self.table.get(&session)?.clone(), self.table.get(&key)?.clone());
        let mechanism = answer!(mechanism::read(mechanism));
        Ok(session.verify(mechanism, &key, data, signature).await.map_err(told))
    }

    async fn encrypt_secret(
        &mut self,
        session: Resource<Session>,
        mechanism: Mechanism,
        key: Resource<Object>,
        plaintext: Resource<Secret>,
    ) -> Answer<Vec<u8>> {
        let (session, key) = (self.table.get(&session)?.clone(), self.table.get(&key)?.clone());
        let mechanism = answer!(mechanism::read(mechanism));
        let encrypting = session.encrypt(mechanism, &key, self.table.get(&plaintext)?.bytes());
        Ok(encrypting.await.map_err(told))
    }

    async fn decrypt_secret(
        &mut self,
        session: Resource<Session>,
        mechanism: Mechanism,
        key: Resource<Object>,
        ciphertext: Vec<u8>,
    ) -> Answer<Resource<Secret>> {
        let (session, key) = (self.table.get(&session)?.clone(), self.table.get(&key)?.clone());
        let mechanism = answer!(mechanism::read(mechanism));
        let plaintext = answer!(session.decrypt(mechanism, &key, ciphertext).await.map_err(told));
        Ok(Ok(self.table.push(Secret::new(plaintext))?))
    }

    async fn wrap(
        &mut self,
        session: Resource<Session>,
        mechanism: Mechanism,
        wrapping: Resource<Object>,
        key: Resource<Object>,
    ) -> Answer<Vec<u8>> {
        let session = self.table.get(&session)?.clone();
        let (wrapping, key) = (self.table.get(&wrapping)?.clone(), self.table.get(&key)?.clone());
        let mechanism = answer!(mechanism::read(mechanism));
        Ok(session.wrap(mechanism, &wrapping, &key).await.map_err(told))
    }

    async fn unwrap(
        &mut self,
        session: Resource<Session>,
        mechanism: Mechanism,
        wrapping: Resource<Object>,
        wrapped: Vec<u8>,
        template: Template,
        read_back: Vec<u64>,
    ) -> Answer<(Resource<Object>, Template)> {
        let (session, wrapping) = (self.table.get(&session)?.clone(), self.table.get(&wrapping)?.clone());
        let mechanism = answer!(mechanism::read(mechanism));
        let unwrapping =
            session.unwrap(mechanism, &wrapping, wrapped, mechanism::template(template), read_back);
        let (key, attributes) = answer!(unwrapping.await.map_err(told));
        Ok(Ok((hand_out(&mut self.table, key)?, mechanism::plain(attributes))))
    }

    async fn drop(&mut self, session: Resource<Session>) -> wasmtime::Result<()> {
        self.table.delete(session)?;
        Ok(())
    }
}

impl HostObject for Guest {
    async fn get_attributes(&mut self, object: Resource<Object>, ids: Vec<u64>) -> Answer<Template> {
        let object = self.table.get(&object)?.clone();
        Ok(object.attributes(ids).await.map(mechanism::plain).map_err(told))
    }

    async fn destroy(&mut self, object: Resource<Object>) -> Answer<()> {
        let object = self.table.get(&object)?.clone();
        Ok(object.destroy().await.map_err(told))
    }

    async fn drop(&mut self, object: Resource<Object>) -> wasmtime::Result<()> {
        self.table.delete(object)?;
        Ok(())
    }
}

fn hand_out(
    table: &mut ResourceTable,
    object: symbolon_pkcs11::Object,
) -> wasmtime::Result<Resource<Object>> {
    Ok(table.push(Arc::new(object))?)
}
