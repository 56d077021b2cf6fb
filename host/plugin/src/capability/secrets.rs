//! `secrets`: handles of bytes that stay here.

use wasmtime::component::Resource;

use crate::bindings::types::{errors, secrets, values};
use crate::guest::Guest;
use crate::secret::Secret;

impl errors::Host for Guest {}

impl values::Host for Guest {}

impl secrets::Host for Guest {}

impl secrets::HostSecret for Guest {
    fn size(&mut self, secret: Resource<Secret>) -> wasmtime::Result<u32> {
        Ok(u32::try_from(self.table.get(&secret)?.bytes().len())?)
    }

    fn drop(&mut self, secret: Resource<Secret>) -> wasmtime::Result<()> {
        self.table.delete(secret)?;
        Ok(())
    }
}
