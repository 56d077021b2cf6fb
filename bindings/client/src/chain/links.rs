//! Tenants and systems: making them, rotating their keys, listing them. A key leaves this place wrapped.

use super::Chain;
use crate::access::{AccessError, Subject};
use crate::error::{Error, Integrity, NotFound, ServerName};
use crate::keys::with_query;
use hyper::Method;
use hyper::header::{ETAG, HeaderValue, IF_MATCH};
use symbolon_channel::http::Request;
use symbolon_fragments::names::KeyId;
use symbolon_keychain::{
    Root, State, System, SystemId, SystemKey, Tenant, TenantId, TenantKey, Unwrap, Wrap, Wrapped,
};
use symbolon_protocol::api::{self, path};
use zeroize::Zeroizing;

use std::time::Instant;

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// Where the next one begins; none on the last page.
    pub next: Option<String>,
}

impl Chain {
    /// Makes a tenant below a root key: its key is generated here and sealed by the root key.
    pub async fn create_tenant(&self, id: &TenantId, root: &KeyId) -> Result<api::Tenant, Error> {
        let tenant = self.new_tenant(id, root, 1);
        let body = self.seal_tenant(&tenant).await?;
        let access = self.client.access();
        let path = path::of_account(path::TENANTS, access.account());
        access.post_once(path, &body).await.map_err(|error| self.explain(error, id.id()))
    }

    /// Makes the next version of a tenant's key. Systems made or rotated from now on are wrapped by it.
    pub async fn rotate_tenant(&self, id: &TenantId) -> Result<api::Tenant, Error> {
        let (entry, tag): (api::Tenant, _) = self.entry(self.tenant_path(id), id.id()).await?;
        let root = root_of(&entry)?;
        let tenant = self.new_tenant(id, &root, entry.summary.version + 1);
        let body = self.seal_tenant(&tenant).await?;
        let path = path::tenant_versions(self.client.access().account(), id.as_str());
        self.add_version(path, id.id(), &body, tag).await
    }

    /// Makes a system: its key is generated here and wrapped by its tenant's, which the root key opens for that.
    pub async fn create_system(&self, id: &SystemId) -> Result<api::System, Error> {
        let tenant = self.tenant(&id.tenant()).await?;
        let body = self.wrap_system(&tenant, id, 1).await?;
        let access = self.client.access();
        let path = path::of_account(path::SYSTEMS, access.account());
        access.post_once(path, &body).await.map_err(|error| self.explain(error, id.id()))
    }

    /// Makes the next version of a system's key, wrapped by the newest version of its tenant's. Data keys made from now on
    /// are wrapped by it; earlier ones still open.
    pub async fn rotate_system(&self, id: &SystemId) -> Result<api::System, Error> {
        let (entry, tag): (api::System, _) = self.entry(self.system_path(id), id.id()).await?;
        let body = self.wrap_system(&entry.above, id, entry.summary.version + 1).await?;
        let path = path::system_versions(self.client.access().account(), id.as_str());
        self.add_version(path, id.id(), &body, tag).await
    }

    /// A tenant.
    pub async fn tenant(&self, id: &TenantId) -> Result<api::Tenant, Error> {
        Ok(self.entry(self.tenant_path(id), id.id()).await?.0)
    }

    /// A system, with its tenant.
    pub async fn system(&self, id: &SystemId) -> Result<api::System, Error> {
        Ok(self.entry(self.system_path(id), id.id()).await?.0)
    }

    /// Tenants that the holder may see, a page at a time.
    pub async fn tenants(&self, query: &api::TenantQuery) -> Result<Page<api::TenantSummary>, Error> {
        let (limit, root) = (query.limit.map(|limit| limit.to_string()), query.root.clone());
        let parameters = [("cursor", query.cursor.clone()), ("limit", limit), ("root", root)];
        let page: api::TenantPage = self.list(path::TENANTS, &parameters).await?;
        Ok(Page { items: page.tenants, next: page.next })
    }

    /// Systems that the holder may see, a page at a time.
    pub async fn systems(&self, query: &api::SystemQuery) -> Result<Page<api::SystemSummary>, Error> {
        let (limit, tenant) = (query.limit.map(|limit| limit.to_string()), query.tenant.clone());
        let parameters = [("cursor", query.cursor.clone()), ("limit", limit), ("tenant", tenant)];
        let page: api::SystemPage = self.list(path::SYSTEMS, &parameters).await?;
        Ok(Page { items: page.systems, next: page.next })
    }

    async fn list<T: serde::de::DeserializeOwned>(
        &self,
        template: &str,
        parameters: &[(&str, Option<String>)],
    ) -> Result<T, Error> {
        let access = self.client.access();
        let path = with_query(path::of_account(template, access.account()), parameters);
        access.get(path).await.map_err(|error| access.explain(error, Subject::default()))
    }

    fn tenant_path(&self, id: &TenantId) -> String {
        path::tenant(self.client.access().account(), id.as_str())
    }

    fn system_path(&self, id: &SystemId) -> String {
        path::system(self.client.access().account(), id.as_str())
    }

    /// A tenant or a system, with the entity tag that a change of it names.
    async fn entry<T: serde::de::DeserializeOwned>(
        &self,
        path: String,
        link: &KeyId,
    ) -> Result<(T, HeaderValue), Error> {
        let explain = |error| self.explain(error, link);
        let answer = self.client.access().repeat(Request::new(Method::GET, path)).await.map_err(explain)?;
        let tag = answer.headers.get(ETAG).cloned().ok_or(AccessError::Protocol).map_err(explain)?;
        Ok((crate::access::body(&answer).map_err(explain)?, tag))
    }

    async fn add_version<T: serde::de::DeserializeOwned>(
        &self,
        path: String,
        link: &KeyId,
        body: &api::WrappedKey,
        tag: HeaderValue,
    ) -> Result<T, Error> {
        let explain = |error| self.explain(error, link);
        let json = serde_json::to_vec(body).map_err(|_| explain(AccessError::Protocol))?;
        let request = Request::new(Method::POST, path).with_json(json).with_header(IF_MATCH, tag);
        let answer = self.client.access().repeat(request).await.map_err(explain)?;
        crate::access::body(&answer).map_err(explain)
    }

    fn explain(&self, error: AccessError, link: &KeyId) -> Error {
        let about = Subject { key: Some(link), ..Subject::default() };
        match self.client.access().explain(error, about) {
            Error::NotFound(NotFound::Thing) => NotFound::Link(link.clone()).into(),
            other => other,
        }
    }

    /// A version of a tenant's key that isn't there yet. Whether the root key is in a state to seal it, it says itself.
    fn new_tenant(&self, id: &TenantId, root: &KeyId, version: u64) -> Tenant {
        let account = self.client.root().account();
        let root = Root { account, key: root.clone(), state: State::Active };
        Tenant { root, id: id.clone(), version, state: State::Active }
    }

    async fn seal_tenant(&self, tenant: &Tenant) -> Result<api::WrappedKey, Error> {
        let fresh = TenantKey::generate(tenant.permit::<Wrap>()?, &mut crate::random::system());
        let secret = Zeroizing::new(fresh.secret().to_vec());
        let sealed = Box::pin(self.client.seal(&tenant.root.key, &secret, &fresh.context())).await?;
        let (_, wrapped) = fresh.sealed(sealed);
        Ok(api::WrappedKey { wrapped: wrapped.to_bytes().into() })
    }

    async fn wrap_system(
        &self,
        above: &api::Tenant,
        id: &SystemId,
        version: u64,
    ) -> Result<api::WrappedKey, Error> {
        let (tenant, wrapped) = self.read_tenant(above, above.summary.version)?;
        let (key, _) = self.open_tenant(&tenant, wrapped).await?;
        let system = System::new(tenant, id.clone(), version, State::Active).map_err(|_| unlike())?;
        let made = key.generate_system_key(system.permit::<Wrap>()?, &mut crate::random::system());
        let (_, wrapped): (SystemKey, _) = made.map_err(|_| unlike())?;
        Ok(api::WrappedKey { wrapped: wrapped.to_bytes().into() })
    }

    /// A version of a tenant's key, as the access manager tells of it.
    pub(super) fn read_tenant(
        &self,
        entry: &api::Tenant,
        version: u64,
    ) -> Result<(Tenant, Option<Wrapped>), Error> {
        let found = entry.versions.iter().find(|found| found.version == version).ok_or_else(unlike)?;
        let account = self.client.root().account();
        let root = Root { account, key: root_of(entry)?, state: entry.summary.root_state.into() };
        let id = entry.summary.tenant.parse().map_err(|_| unlike())?;
        let tenant = Tenant { root, id, version, state: found.state.into() };
        Ok((tenant, found.wrapped.as_ref().map(read_wrapped).transpose()?))
    }

    /// Has the root key open a tenant's key. Says until when it may be kept.
    pub(super) async fn open_tenant(
        &self,
        tenant: &Tenant,
        wrapped: Option<Wrapped>,
    ) -> Result<(TenantKey, Instant), Error> {
        let permit = tenant.permit::<Unwrap>()?;
        let sealed = TenantKey::unwrap(permit, wrapped.ok_or_else(unlike)?)?;
        let opened =
            Box::pin(self.client.unseal(&tenant.root.key, sealed.sealed(), &sealed.context())).await?;
        Ok((sealed.opened(&opened.secret)?, opened.until))
    }
}

fn root_of(entry: &api::Tenant) -> Result<KeyId, Error> {
    entry.summary.root.parse().map_err(|_| unlike())
}

pub(super) fn read_wrapped(document: &api::Document) -> Result<Wrapped, Error> {
    Ok(Wrapped::from_bytes(&document.0)?)
}

/// The access manager's answer doesn't hang together.
pub(super) fn unlike() -> Error {
    Integrity::Protocol(ServerName::AccessManager).into()
}
