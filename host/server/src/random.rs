//! The system's randomness, where core/ asks for a generator.

use getrandom::SysRng;
use rand_core::{CryptoRng, UnwrapErr};

/// The operating system's generator. It panics where the system has none: no key may then be made.
pub fn system() -> impl CryptoRng {
    UnwrapErr(SysRng)
}
