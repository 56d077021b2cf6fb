//! Reasons that the host gives in [`PluginError`](crate::PluginError)s and that plugins of keystores share. Stable: programs match on them.

/// The token isn't there, or not initialised. Kind `unavailable`.
pub const TOKEN_ABSENT: &str = "token.absent";
/// The token did something that no other reason names. Kind `other`.
pub const TOKEN_FAILURE: &str = "token.failure";
/// The token refused the PIN. Kind `denied`; trying again may lock the token.
pub const PIN_REFUSED: &str = "pin.refused";
/// Too many wrong PINs: the token is locked. Kind `denied`.
pub const PIN_LOCKED: &str = "pin.locked";
/// The PIN's file is missing or can't be read. Kind `denied`.
pub const PIN_MISSING: &str = "pin.missing";
/// The token lacks the mechanism. Kind `unsupported`.
pub const MECHANISM_MISSING: &str = "mechanism.missing";
/// No such algorithm here. Kind `unsupported`.
pub const ALGORITHM_UNKNOWN: &str = "algorithm.unknown";
/// The key's blob was changed, or belongs to another binding. Kind `integrity`.
pub const KEY_TAMPERED: &str = "key.tampered";
/// The key's blob was made by another module or mechanism. Kind `integrity`.
pub const KEY_FOREIGN_MODULE: &str = "key.foreign-module";
/// The unwrapped key doesn't have the attributes that it must have. Kind `integrity`.
pub const KEY_ATTRIBUTES: &str = "key.attributes";
/// What was sealed was changed, or belongs to another key or other associated data. Kind `integrity`.
pub const SEALED_TAMPERED: &str = "sealed.tampered";
/// The store has no master key. Kind `not-found`.
pub const MASTER_MISSING: &str = "master.missing";
/// The store has a master key already. Kind `conflict`.
pub const MASTER_EXISTS: &str = "master.exists";
/// The vendor's library ended its process. Kind `unavailable`.
pub const MODULE_CRASHED: &str = "module.crashed";
/// The vendor's library didn't answer in time. Kind `out-of-time`.
pub const MODULE_TIMED_OUT: &str = "module.timed-out";
/// The path isn't that of a PKCS#11 library, or it doesn't start. Kind `invalid`.
pub const MODULE_UNUSABLE: &str = "module.unusable";
/// The session ended under its user. Kind `unavailable`.
pub const SESSION_LOST: &str = "session.lost";
/// The token has no session left. Kind `exhausted`.
pub const SESSIONS_EXHAUSTED: &str = "sessions.exhausted";
/// The grant doesn't cover this. Kind `denied`.
pub const NOT_GRANTED: &str = "not-granted";
/// The program that loads vendors' libraries can't be started. Kind `unavailable`.
pub const MODULE_NOT_STARTED: &str = "module.not-started";
/// Several tokens have the label that the operator's file names. Kind `conflict`.
pub const TOKEN_AMBIGUOUS: &str = "token.ambiguous";
/// The signature or MAC is not that of the data. Kind `integrity`.
pub const SIGNATURE_MISMATCH: &str = "signature.mismatch";
/// The parameters of a mechanism are none that it takes. Kind `invalid`.
pub const MECHANISM_PARAMETERS: &str = "mechanism.parameters";
/// The key was wrapped under another master key. Kind `integrity`.
pub const KEY_FOREIGN_MASTER: &str = "key.foreign-master";
/// The store has a part of its master key only. Kind `conflict`.
pub const MASTER_INCOMPLETE: &str = "master.incomplete";
/// Several keys of the store have the master key's label. Kind `conflict`.
pub const MASTER_AMBIGUOUS: &str = "master.ambiguous";
