//! Who may call the gateway: a TOML file of names, each with the hash of a bearer token or the fingerprint of a certificate's key.
//!
//! The file holds nothing secret: a token has 256 random bits, so its SHA-256 can be read by anybody. What a caller may do
//! isn't said here but by the access manager's policy, which sees the caller's name in every permit.
//!
//! ```toml
//! [[caller]]
//! name = "billing"
//! token-sha256 = "…64 hex digits…"
//!
//! [[caller]]
//! name = "orders"
//! certificate = "sym1…"        # the thumbprint of the Ed25519 key in its certificate
//! ```

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use symbolon_fragments::names::Thumbprint;
use symbolon_trust::ProvenHolder;
use zeroize::Zeroizing;

/// Tokens start so, that a scanner for leaked secrets can find them.
const TOKEN_PREFIX: &str = "symtok_";
/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;
/// Longest name in bytes: it travels in permits and stands in audit entries.
const NAME_BYTES: usize = 64;

/// Why the file of callers can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CallersError {
    /// The file can't be read or written.
    #[error("{} cannot be opened: create it, or mend its permissions", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not TOML of the documented shape.
    #[error("{} is not a list of [[caller]] entries", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        source: Box<toml::de::Error>,
    },
    /// An entry contradicts itself or another.
    #[error("{}: caller \"{name}\" {fault}", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry's name.
        name: String,
        /// What is wrong with it.
        fault: EntryFault,
    },
}

/// What can be wrong with one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Permits and audit name callers, so a name is short and printable.
    #[error("needs a name of 1 to 64 letters, digits and \"-_.@/\"")]
    Name,
    /// One name, one entry.
    #[error("is listed twice: give each caller a name of its own")]
    Twice,
    /// Exactly one of the two ways to prove who is calling.
    #[error("needs either token-sha256 or certificate, and not both")]
    NotOneCredential,
    /// A hash is 64 hex digits.
    #[error("has a token-sha256 that is not 64 hexadecimal digits")]
    Hash,
    /// A fingerprint is bech32m.
    #[error("has a certificate that is not a fingerprint (sym1…)")]
    Fingerprint,
    /// Two callers with one credential couldn't be told apart.
    #[error("has the same credential as another caller")]
    Shared,
}

/// The request carries no credential, or one that isn't in the file. Which of these it was is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no known bearer token or client certificate")]
pub struct Unknown;

/// A caller that proved who it is: made only by [`Callers::by_token`] and [`Callers::by_key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    name: Arc<str>,
}

impl Caller {
    /// The name in the file of callers; it goes into permits as `on-behalf-of`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    #[serde(default)]
    caller: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    name: String,
    token_sha256: Option<String>,
    certificate: Option<String>,
}

/// The callers of one reading of the file.
#[derive(Debug, Default)]
pub struct Callers {
    tokens: HashMap<[u8; 32], Caller>,
    keys: HashMap<Thumbprint, Caller>,
}

impl Callers {
    /// Reads a list from `path`.
    pub fn load(path: &Path) -> Result<Self, CallersError> {
        let text = fs::read_to_string(path)
            .map_err(|source| CallersError::File { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, CallersError> {
        let listing: Listing = toml::from_str(text)
            .map_err(|source| CallersError::Malformed { path: path.to_owned(), source: Box::new(source) })?;
        let mut callers = Self::default();
        for entry in listing.caller {
            callers.add(&entry).map_err(|fault| CallersError::Entry {
                path: path.to_owned(),
                name: entry.name.clone(),
                fault,
            })?;
        }
        Ok(callers)
    }

    fn add(&mut self, entry: &Entry) -> Result<(), EntryFault> {
        check_name(&entry.name)?;
        if self.tokens.values().chain(self.keys.values()).any(|known| known.name() == entry.name) {
            return Err(EntryFault::Twice);
        }
        let caller = Caller { name: entry.name.as_str().into() };
        let shadowed = match (&entry.token_sha256, &entry.certificate) {
            (Some(hash), None) => self.tokens.insert(parse_hash(hash)?, caller),
            (None, Some(key)) => self.keys.insert(key.parse().map_err(|_| EntryFault::Fingerprint)?, caller),
            _ => return Err(EntryFault::NotOneCredential),
        };
        if shadowed.is_some() { Err(EntryFault::Shared) } else { Ok(()) }
    }

    /// The caller whose bearer token this is.
    pub fn by_token(&self, token: &str) -> Result<Caller, Unknown> {
        self.tokens.get(&sha256(token.as_bytes())).cloned().ok_or(Unknown)
    }

    /// The caller whose certificate has the key that TLS has proven.
    pub fn by_key(&self, holder: &ProvenHolder) -> Result<Caller, Unknown> {
        self.keys.get(&holder.thumbprint()).cloned().ok_or(Unknown)
    }
}

fn check_name(name: &str) -> Result<(), EntryFault> {
    let fits = (1..=NAME_BYTES).contains(&name.len());
    let printable = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@/".contains(&b));
    if fits && printable { Ok(()) } else { Err(EntryFault::Name) }
}

fn parse_hash(text: &str) -> Result<[u8; 32], EntryFault> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).map_err(|_| EntryFault::Hash)?;
    Ok(hash)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The file of callers, read again when it changed, so that a caller who was taken out is out at the next request.
#[derive(Debug)]
pub struct CallersFile {
    path: PathBuf,
    read: Mutex<Option<(Stamp, Arc<Callers>)>>,
}

/// What tells one writing of a file from the next. Writers replace the file, which also changes the inode.
type Stamp = (u64, i64, i64, u64);

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.len())
}

impl CallersFile {
    /// Opens and reads the file, so that a fault shows at start.
    pub fn open(path: PathBuf) -> Result<Self, CallersError> {
        let file = Self { path, read: Mutex::new(None) };
        file.current()?;
        Ok(file)
    }

    /// The callers as the file says now. A file that became unreadable admits nobody.
    pub fn current(&self) -> Result<Arc<Callers>, CallersError> {
        let metadata = fs::metadata(&self.path)
            .map_err(|source| CallersError::File { path: self.path.clone(), source })?;
        let now = stamp(&metadata);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, callers)) = &*read
            && *then == now
        {
            return Ok(Arc::clone(callers));
        }
        let callers = Arc::new(Callers::load(&self.path)?);
        *read = Some((now, Arc::clone(&callers)));
        Ok(callers)
    }
}

/// Adds a caller with a new token to the file (made if it isn't there), and returns the token, which is kept nowhere.
pub fn add_token(path: &Path, name: &str) -> Result<Zeroizing<String>, CallersError> {
    let token = new_token();
    let hash = hex::encode(sha256(token.as_bytes()));
    append(path, &format!("[[caller]]\nname = \"{name}\"\ntoken-sha256 = \"{hash}\"\n"), name)?;
    Ok(token)
}

fn new_token() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    getrandom::fill(&mut *bytes).expect("the system gives random bytes");
    Zeroizing::new(format!("{TOKEN_PREFIX}{}", &*Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))))
}

fn append(path: &Path, entry: &str, name: &str) -> Result<(), CallersError> {
    check_name(name).map_err(|fault| CallersError::Entry {
        path: path.to_owned(),
        name: name.to_owned(),
        fault,
    })?;
    let fault = |source| CallersError::File { path: path.to_owned(), source };
    let mut text = match fs::read_to_string(path) {
        Ok(text) => text + "\n",
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(fault(error)),
    };
    text.push_str(entry);
    Callers::parse(&text, path)?;
    replace(path, text.as_bytes()).map_err(fault)
}

/// Writes beside the file and renames, so that a reader sees the old list or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("toml.new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_trust::KeyPair;

    fn fault(text: &str) -> EntryFault {
        match Callers::parse(text, Path::new("callers.toml")) {
            Err(CallersError::Entry { fault, .. }) => fault,
            other => panic!("{other:?}"),
        }
    }

    fn key_pair() -> KeyPair {
        KeyPair::from_seed(&[7; 32])
    }

    #[test]
    fn a_certificate_names_its_caller() {
        let listing =
            format!("[[caller]]\nname = \"a\"\ncertificate = \"{}\"\n", key_pair().public().thumbprint());
        let callers = Callers::parse(&listing, Path::new("callers.toml")).unwrap();
        let holder = |seed| ProvenHolder::by_channel(KeyPair::from_seed(&[seed; 32]).public());
        assert_eq!(callers.by_key(&holder(7)).unwrap().name(), "a");
        assert_eq!(callers.by_key(&holder(8)), Err(Unknown));
    }

    #[test]
    fn a_token_names_its_caller_and_another_token_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("callers.toml");
        let billing = add_token(&path, "billing").unwrap();
        let orders = add_token(&path, "orders").unwrap();
        let callers = Callers::load(&path).unwrap();
        assert_eq!(callers.by_token(&billing).unwrap().name(), "billing");
        assert_eq!(callers.by_token(&orders).unwrap().name(), "orders");
        assert_eq!(callers.by_token("symtok_"), Err(Unknown));
        assert!(!fs::read_to_string(&path).unwrap().contains(&**billing));
    }

    #[test]
    fn a_caller_taken_out_of_the_file_is_out_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("callers.toml");
        let token = add_token(&path, "billing").unwrap();
        let file = CallersFile::open(path.clone()).unwrap();
        assert!(file.current().unwrap().by_token(&token).is_ok());
        replace(&path, b"").unwrap();
        assert_eq!(file.current().unwrap().by_token(&token), Err(Unknown));
        replace(&path, b"[[caller]]\n").unwrap();
        assert!(matches!(file.current(), Err(CallersError::Malformed { .. })));
    }

    #[test]
    fn contradictory_entries_are_refused_by_name() {
        let hash = "00".repeat(32);
        let token = format!("token-sha256 = \"{hash}\"\n");
        let key = format!("certificate = \"{}\"\n", key_pair().public().thumbprint());
        assert_eq!(fault("[[caller]]\nname = \"a\"\n"), EntryFault::NotOneCredential);
        assert_eq!(fault(&format!("[[caller]]\nname = \"a\"\n{token}{key}")), EntryFault::NotOneCredential);
        assert_eq!(fault(&format!("[[caller]]\nname = \"a b\"\n{token}")), EntryFault::Name);
        assert_eq!(fault("[[caller]]\nname = \"a\"\ntoken-sha256 = \"00\"\n"), EntryFault::Hash);
        assert_eq!(fault("[[caller]]\nname = \"a\"\ncertificate = \"00\"\n"), EntryFault::Fingerprint);
        let twice = format!("[[caller]]\nname = \"a\"\n{token}[[caller]]\nname = \"a\"\n{key}");
        assert_eq!(fault(&twice), EntryFault::Twice);
        let shared = format!("[[caller]]\nname = \"a\"\n{token}[[caller]]\nname = \"b\"\n{token}");
        assert_eq!(fault(&shared), EntryFault::Shared);
    }
}
