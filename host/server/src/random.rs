//! The system's randomness, where core/ asks for a generator.

use getrandom::SysRng;
use rand_core::{CryptoRng, Rng as _, UnwrapErr};

/// The operating system's generator. It panics where the system has none: no key may then be made.
pub fn system() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// So many random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    system().fill_bytes(&mut bytes);
    bytes
}
