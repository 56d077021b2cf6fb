//! The contracts of `wit/` as Rust types, made by wit-bindgen's macro from the files themselves.
#![expect(clippy::all, clippy::pedantic, reason = "generated; the contracts are documented in wit/")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "symbolon:plugin/keystore-provider-full",
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "crate::bindings",
});
