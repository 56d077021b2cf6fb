//! A profile: the file that tells a client whose account it works in, who it is, and how it reaches the servers.

use crate::customer::{Place, PlaceError};
use crate::error::FileError;
use crate::root::Successors;
use crate::secret::Unlock;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use symbolon_encoding::from_canonical;
use symbolon_fragments::names::AccountId;
use symbolon_trust::{RootDocument, RootError, Signed, TrustedRoot};
use zeroize::Zeroizing;

/// The variable that names a profile.
const VARIABLE: &str = "SYMBOLON_PROFILE";
/// The folder that `symbolon dev` fills, and the profile in it.
const DEV: &str = "symbolon-dev/profile.toml";
/// A person's own profile, below the configuration folder.
const OWN: &str = "symbolon/profile.toml";

/// How fragment managers are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteChoice {
    /// Directly where that works, else through the access manager's relay.
    #[default]
    Auto,
    /// Always through the relay.
    Relay,
    /// Always directly.
    Direct,
}

/// A client's settings. Paths in the file are relative to it; here they are as they can be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Profile {
    /// The account's id, `symacct1…`.
    pub account: String,
    /// The file with the account's first root document, signed. Successors come from the access manager, are verified,
    /// and are kept beside it.
    pub root: PathBuf,
    /// The file with the holder's identity.
    pub identity: PathBuf,
    /// `host:port` of the access manager, where it isn't the one of the root document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_manager: Option<String>,
    /// How fragment managers are reached.
    #[serde(default)]
    pub route: RouteChoice,
    /// The file with the sealing key of those files below that are sealed under one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Where customer fragments are: the first is for writing, all are for reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customer_fragments: Vec<Place>,
}

/// Why a profile can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// None was named, and none is where profiles are looked for.
    #[error("there is no profile: neither {} nor {}", dev.display(), own.display())]
    Nowhere {
        /// Where `symbolon dev` would put one.
        dev: PathBuf,
        /// Where a person's own would be.
        own: PathBuf,
    },
    /// The profile's file, or one that it names.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not TOML, an unknown or a missing key.
    #[error("the profile {} is not well formed", file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// Where and why.
        #[source]
        cause: Box<toml::de::Error>,
    },
    /// The account's id is mistyped.
    #[error("`account` is not an account id")]
    Account(#[source] symbolon_fragments::names::WrongHashName),
    /// The root file holds no signed root document.
    #[error("{} is not a root document", .0.display())]
    NotARoot(PathBuf),
    /// It holds one that is not the account's.
    #[error("the root document is not the account's")]
    Root(#[from] RootError),
    /// A customer fragment isn't where the profile says.
    #[error("a customer fragment of the profile cannot be used")]
    CustomerFragment(#[source] PlaceError),
}

impl Profile {
    /// The file of the profile to act as: the named one, else the one that `SYMBOLON_PROFILE` names, else that of
    /// `symbolon dev` in the working directory, else the person's own. The same in every language.
    pub fn locate(named: Option<&Path>) -> Result<PathBuf, ProfileError> {
        Self::locate_in(named, |name| std::env::var_os(name))
    }

    /// The same in another environment than the process's own.
    pub fn locate_in(
        named: Option<&Path>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<PathBuf, ProfileError> {
        let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(file) = named.map(Path::to_path_buf).or_else(|| path(VARIABLE)) {
            return Ok(file);
        }
        let configuration = path("XDG_CONFIG_HOME").or_else(|| Some(std::env::home_dir()?.join(".config")));
        let (dev, own) = (PathBuf::from(DEV), configuration.unwrap_or_default().join(OWN));
        let found = [&dev, &own].into_iter().find(|file| file.is_file()).cloned();
        found.ok_or(ProfileError::Nowhere { dev, own })
    }

    /// Reads a profile.
    pub fn load(file: &Path) -> Result<Self, ProfileError> {
        let text = fs::read_to_string(file).map_err(|cause| FileError::io(file, cause))?;
        let mut profile: Self = toml::from_str(&text)
            .map_err(|cause| ProfileError::Form { file: file.into(), cause: Box::new(cause) })?;
        let base = file.parent().unwrap_or(Path::new("."));
        profile.paths().for_each(|path| *path = base.join(&*path));
        Ok(profile)
    }

    /// Writes a profile, in the place of the file that may be there. Paths below the file's folder become relative.
    ///
    /// # Panics
    /// Never: a profile is TOML.
    pub fn save(&self, file: &Path) -> Result<(), ProfileError> {
        let base = file.parent().unwrap_or(Path::new("."));
        let mut relative = self.clone();
        relative.paths().for_each(|path| {
            if let Ok(below) = path.strip_prefix(base) {
                *path = below.into();
            }
        });
        let text = toml::to_string(&relative).expect("a profile is TOML");
        let draft = file.with_added_extension("new");
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, file));
        Ok(written.map_err(|cause| FileError::io(file, cause))?)
    }

    /// What opens the profile's files: its key file, and passphrases from whoever knows them.
    pub fn unlocking<'a>(&'a self, passphrases: &'a mut dyn Unlock) -> impl Unlock + 'a {
        WithKeyFile { key_file: self.key_file.as_deref(), passphrases }
    }

    /// The account's root document, checked against the account's id, or the newest of its successors that were kept.
    pub fn trusted_root(&self) -> Result<TrustedRoot, ProfileError> {
        let account: AccountId = self.account.parse().map_err(ProfileError::Account)?;
        let bytes = fs::read(&self.root).map_err(|cause| FileError::io(&self.root, cause))?;
        let signed: Signed<RootDocument> =
            from_canonical(&bytes).map_err(|_| ProfileError::NotARoot(self.root.clone()))?;
        Ok(Successors::beside(&self.root).follow(TrustedRoot::install(account, signed)?))
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let files = [&mut self.root, &mut self.identity].into_iter();
        files.chain(&mut self.key_file).chain(self.customer_fragments.iter_mut().flat_map(Place::paths))
    }
}

struct WithKeyFile<'a> {
    key_file: Option<&'a Path>,
    passphrases: &'a mut dyn Unlock,
}

impl Unlock for WithKeyFile<'_> {
    fn passphrase(&mut self, file: &Path) -> Option<Zeroizing<String>> {
        self.passphrases.passphrase(file)
    }

    fn key_file(&mut self, file: &Path) -> Option<PathBuf> {
        self.key_file.map(Into::into).or_else(|| self.passphrases.key_file(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(folder: &Path) -> Profile {
        Profile {
            account: "symacct1".into(),
            root: folder.join("account.root"),
            identity: folder.join("identity.key"),
            access_manager: None,
            route: RouteChoice::Relay,
            key_file: None,
            customer_fragments: vec![
                Place::File(folder.join("new")),
                Place::Token(crate::customer::TokenPlace {
                    module: "libhsm.so".into(),
                    token: "office".into(),
                    id: "00".repeat(16),
                    pin_file: Some(folder.join("pin")),
                }),
                Place::File("/elsewhere/old".into()),
            ],
        }
    }

    #[test]
    fn a_profile_moves_with_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("profile.toml");
        let profile = profile(folder.path());
        profile.save(&file).unwrap();
        assert_eq!(Profile::load(&file).unwrap(), profile);
        let text = fs::read_to_string(&file).unwrap();
        let written =
            ["root = \"account.root\"", "\"/elsewhere/old\"", "\"libhsm.so\"", "pin-file = \"pin\""];
        assert!(written.iter().all(|part| text.contains(part)), "{text}");
    }

    #[test]
    fn what_is_wrong_with_a_profile_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("profile.toml");
        assert!(matches!(Profile::load(&file), Err(ProfileError::File(FileError::Missing { .. }))));
        for wrong in ["account = 1", "acount = \"x\"", "account = \"x\"", "not toml"] {
            fs::write(&file, wrong).unwrap();
            assert!(matches!(Profile::load(&file), Err(ProfileError::Form { .. })), "{wrong}");
        }
        let profile = profile(folder.path());
        assert!(matches!(profile.trusted_root(), Err(ProfileError::Account(_))));
        let account = AccountId::new([1; 32]).to_string();
        let profile = Profile { account, ..profile };
        assert!(matches!(profile.trusted_root(), Err(ProfileError::File(_))));
        fs::write(&profile.root, b"no root").unwrap();
        assert!(matches!(profile.trusted_root(), Err(ProfileError::NotARoot(_))));
    }
}
