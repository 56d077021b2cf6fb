//! All decoders for libFuzzer: the first byte of an input chooses one.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| symbolon_fuzz::any(bytes));
