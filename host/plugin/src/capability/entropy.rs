//! `entropy`: the operating system's randomness.

use wasmtime::component::Resource;
use zeroize::Zeroizing;

use crate::bindings::host::entropy::Host;
use crate::guest::{Guest, Hit};
use crate::secret::Secret;

/// Bytes at once.
const MAX: u32 = 4096;

impl Host for Guest {
    fn fill(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        let mut bytes = room(len)?;
        getrandom::fill(&mut bytes)?;
        Ok(std::mem::take(&mut bytes))
    }

    fn fill_secret(&mut self, len: u32) -> wasmtime::Result<Resource<Secret>> {
        let mut bytes = room(len)?;
        getrandom::fill(&mut bytes)?;
        Ok(self.table.push(Secret::new(bytes))?)
    }
}

fn room(len: u32) -> wasmtime::Result<Zeroizing<Vec<u8>>> {
    if len > MAX {
        return Err(Hit::Asked { limit: MAX as usize }.into());
    }
    Ok(Zeroizing::new(vec![0; len as usize]))
}
