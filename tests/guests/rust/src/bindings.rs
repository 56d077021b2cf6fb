//! The contracts of `wit/` as Rust types, for a world of this guest's own.
#![expect(clippy::all, clippy::pedantic, reason = "generated; the contracts are documented in wit/")]

wit_bindgen::generate!({
    path: "../../../wit",
    inline: r#"
        package symbolon-guests:hostile;
        world hostile {
            include symbolon:plugin/keystore-provider@0.1.0;
            export symbolon:keystore/sealing@0.1.0;
            export symbolon:keystore/signing@0.1.0;
        }
    "#,
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "crate::bindings",
});
