//! This crate's own AES-256-GCM against the conformance suite of the seam.

#[test]
fn the_pure_implementation_conforms() {
    symbolon_envelope::conformance::check_aead::<symbolon_envelope::Aes256GcmCore>();
}
