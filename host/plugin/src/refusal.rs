//! Why a plugin is not loaded. Every refusal but the last comes before a byte of it is compiled.

use std::fmt;

use symbolon_trust::{PublicKey, SignatureError};

use crate::grants::Capability;
use crate::manifest::ManifestError;
use crate::version::Version;

/// Why a plugin is not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not signed as the operator's file asks.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// The manifest can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest asks for more than the operator's file gives.
    #[error(transparent)]
    Wider(#[from] Wider),
    /// The operator's file has a setting that the manifest doesn't.
    #[error("the plugin has no setting {name}")]
    UnknownSetting {
        /// As the operator's file has it.
        name: String,
    },
    /// A mechanism or an attribute of PKCS#11 that nobody knows.
    #[error("PKCS#11 has no {name}")]
    UnknownNumber {
        /// As the manifest or the operator's file has it.
        name: String,
    },
    /// The component imports what its grants don't have.
    #[error("the component imports {capability}, which its manifest doesn't ask for")]
    NotGranted {
        /// What it imports.
        capability: Capability,
    },
    /// The component imports what no plugin can have.
    #[error("the component imports {name}, which this host doesn't have")]
    UnknownImport {
        /// As the component has it, escaped.
        name: String,
    },
    /// The component, or its manifest, is for another version of a contract.
    #[error("{what} is wanted in version {wanted}, and this host has {has}")]
    WrongVersion {
        /// Interface or world.
        what: String,
        /// The component's or manifest's.
        wanted: Version,
        /// The host's.
        has: Version,
    },
    /// The manifest names a world that this host doesn't know.
    #[error("this host has no world {world}")]
    UnknownWorld {
        /// As the manifest has it, escaped.
        world: String,
    },
    /// The component doesn't export what its world asks for.
    #[error("the component is no {world}: it doesn't export {missing}")]
    WrongWorld {
        /// The manifest's.
        world: &'static str,
        /// An interface.
        missing: &'static str,
    },
    /// Machine code, as `wasmtime compile` makes it. It could do anything.
    #[error("machine code instead of a component")]
    MachineCode,
    /// A core module.
    #[error("a core module instead of a component")]
    CoreModule,
    /// Not WebAssembly, or not valid.
    #[error("not a valid component: {0}")]
    Malformed(String),
    /// Valid, but larger or more intricate than a plugin may be.
    #[error("the component has {0}")]
    Structure(Structure),
    /// The operator allows more instances at the same time than the host has room for.
    #[error("no room for {instances} instances: {left} are left")]
    NoRoom {
        /// Instances that the plugin may have, running and idle.
        instances: u32,
        /// Instances that the host has left.
        left: u32,
    },
    /// Its types aren't those of the contract, or the compiler gave up.
    #[error("the component doesn't fit the contract: {0}")]
    Unfit(String),
}

/// Why a signature doesn't count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// Nobody signed.
    #[error("the plugin isn't signed")]
    Nobody,
    /// Somebody signed, but nobody whom the operator's file names.
    #[error("the plugin is signed by strangers only: {}", list(.signers))]
    Stranger {
        /// Who claims to have signed.
        signers: Vec<PublicKey>,
    },
    /// A known signer's signature is wrong.
    #[error("the plugin's signature is wrong")]
    Wrong(#[source] SignatureError),
    /// A part isn't the one that was signed.
    #[error("the plugin's {part} was changed after it was signed")]
    Altered {
        /// `component` or `manifest`.
        part: &'static str,
    },
}

/// A wish of the manifest that the operator's file doesn't fulfil.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plugin asks for {wish}, which the operator's file doesn't give")]
pub struct Wider {
    /// What it asks for.
    pub wish: String,
    /// The line that would give it, and where.
    pub line: String,
}

/// What a component has too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Structure {
    /// In words.
    pub what: &'static str,
    /// As many as the host takes.
    pub limit: u64,
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at most {})", self.what, self.limit)
    }
}

fn list(keys: &[PublicKey]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Refusal {
    /// What the operator, or the plugin's author, can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unsigned(unsigned) => unsigned.remedy(),
            Self::Manifest(_) => "ask the plugin's author for a mended one".into(),
            Self::Wider(wider) => {
                format!("if it may have that, write to the operator's file: {}", wider.line)
            }
            Self::UnknownNumber { .. } => {
                "write CKM_… or CKA_… as the standard does, or its number as 0x…".into()
            }
            Self::UnknownSetting { .. } => {
                "see the manifest for those that it has: symbolon plugin inspect".into()
            }
            Self::NotGranted { capability } => {
                format!(
                    "its author adds to the manifest: [grants] {} (and signs it anew)",
                    capability.example()
                )
            }
            Self::UnknownImport { name } if name.starts_with("wasi:") => {
                "build it without WASI: see \"Guest languages\" in the plugin author's guide".into()
            }
            Self::UnknownImport { .. } | Self::UnknownWorld { .. } => {
                "get a build of the plugin for this version of symbolon".into()
            }
            Self::WrongVersion { wanted, has, .. } if wanted > has => {
                "upgrade symbolon, or get an older build".into()
            }
            Self::WrongVersion { .. } => "get a newer build of the plugin".into(),
            Self::WrongWorld { .. } | Self::Unfit(_) => {
                "its author builds it against the world that the manifest names".into()
            }
            Self::MachineCode => "get the component that it was compiled from".into(),
            Self::CoreModule => "its author makes a component of it: wasm-tools component new".into(),
            Self::Malformed(_) => "get the file again".into(),
            Self::Structure(_) => "ask the plugin's author for a smaller one".into(),
            Self::NoRoom { left, .. } => {
                format!("write to the operator's file: [limits] instances = {}", left / 2)
            }
        }
    }
}

impl Unsigned {
    fn remedy(&self) -> String {
        match self {
            Self::Nobody => "its author signs it: symbolon plugin sign".into(),
            Self::Stranger { signers } => format!(
                "if you trust one of them, write to the operator's file: signers = [\"{}\"]",
                signers.first().map(ToString::to_string).unwrap_or_default()
            ),
            Self::Wrong(_) | Self::Altered { .. } => {
                "don't use this file; get it again from its author".into()
            }
        }
    }
}
