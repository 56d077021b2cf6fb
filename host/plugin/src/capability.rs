//! What a plugin can reach, one file an interface of `symbolon:host`. Each is tested without a guest.

mod clock;
mod config;
mod entropy;
mod invocation;
pub mod log;
pub mod pkcs11;
mod secrets;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::{host, types};
use crate::guest::Guest;

/// Links every interface there is. Which of them a component may import was decided before it was compiled.
pub fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    type Data = HasSelf<Guest>;
    types::errors::add_to_linker::<_, Data>(linker, |guest| guest)?;
    types::values::add_to_linker::<_, Data>(linker, |guest| guest)?;
    types::secrets::add_to_linker::<_, Data>(linker, |guest| guest)?;
    host::log::add_to_linker::<_, Data>(linker, |guest| guest)?;
    host::clock::add_to_linker::<_, Data>(linker, |guest| guest)?;
    host::entropy::add_to_linker::<_, Data>(linker, |guest| guest)?;
    host::invocation::add_to_linker::<_, Data>(linker, |guest| guest)?;
    host::config::add_to_linker::<_, Data>(linker, |guest| guest)?;
    host::pkcs11::add_to_linker::<_, Data>(linker, |guest| guest)
}
