//! The contracts of `wit/` as Rust types, made by wasmtime's macro from the files themselves.

// The macro's output; the contract's documentation is in wit/.
mod generated {
    wasmtime::component::bindgen!({
        world: "symbolon:plugin/keystore-provider-full",
        path: "../../wit",
        imports: { "symbolon:host/pkcs11": async | trappable, default: trappable },
        exports: { default: async },
        with: {
            "symbolon:types/secrets.secret": crate::secret::Secret,
            "symbolon:host/pkcs11.session": crate::capability::pkcs11::Session,
            "symbolon:host/pkcs11.object": crate::capability::pkcs11::Object,
        },
    });
}

pub use generated::exports::symbolon::keystore as exported;
pub use generated::symbolon::types::errors;
pub use generated::symbolon::{host, keystore, types};
