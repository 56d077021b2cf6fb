//! One generator, two generations of `rand_core`: the groups' crates still speak 0.6.

use rand_core::CryptoRng;

/// Lends a generator to code that wants `rand_core` 0.6.
pub struct OldRng<'a>(pub &'a mut dyn CryptoRng);

impl rand_core_0_6::RngCore for OldRng<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core_0_6::Error> {
        self.0.fill_bytes(dest);
        Ok(())
    }
}

impl rand_core_0_6::CryptoRng for OldRng<'_> {}
