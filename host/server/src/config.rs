//! Reading a role's configuration: one TOML file, no unknown keys, paths relative to the file.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// What every role's configuration can do.
pub trait Configuration: DeserializeOwned {
    /// Makes relative paths relative to `base`, the folder of the file.
    fn resolve(&mut self, base: &Path);
}

/// A role's crate makes its paths absolute; here it only gets the trait.
macro_rules! configurations {
    ($($config:ty),*) => {
        $(impl Configuration for $config {
            fn resolve(&mut self, base: &Path) {
                self.resolve(base);
            }
        })*
    };
}

configurations!(
    symbolon_driver::Config,
    symbolon_access_manager::Config,
    symbolon_fragment_manager::Config,
    symbolon_gateway::Config
);

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration {} can't be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// A line of it isn't understood: bad TOML, an unknown or missing key, a value of the wrong form.
    #[error("{}, line {line}: {problem}", file.display())]
    NotUnderstood {
        /// The file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What is wrong, with the key's name and what was expected.
        problem: String,
    },
}

/// Reads the configuration in `file`.
pub fn load<C: Configuration>(file: &Path) -> Result<C, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| ConfigError::Unreadable { file: file.to_owned(), error })?;
    let mut config: C = toml::from_str(&text).map_err(|error| not_understood(file, &text, &error))?;
    config.resolve(file.parent().unwrap_or(Path::new("")));
    Ok(config)
}

fn not_understood(file: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map_or(1, |Range { start, .. }| line_of(text, start));
    let problem = error.message().replace('\n', " ");
    ConfigError::NotUnderstood { file: file.to_owned(), line, problem }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    struct Example {
        listen: String,
        datastore: PathBuf,
    }

    impl Configuration for Example {
        fn resolve(&mut self, base: &Path) {
            self.datastore = base.join(&self.datastore);
        }
    }

    fn loaded(text: &str) -> (PathBuf, Result<Example, ConfigError>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("role.toml");
        std::fs::write(&file, text).unwrap();
        let loaded = load(&file);
        (folder.path().to_owned(), loaded)
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let (folder, loaded) = loaded("listen = '127.0.0.1:1'\ndatastore = 'data'");
        let config = loaded.unwrap();
        assert_eq!(config.datastore, folder.join("data"));
        assert_eq!(config.listen, "127.0.0.1:1");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let (_, loaded) = loaded("listen = '127.0.0.1:1'\ndatastor = 'data'\n");
        let text = loaded.unwrap_err().to_string();
        assert!(text.contains("role.toml, line 2: unknown field `datastor`"), "{text}");
    }

    #[test]
    fn a_missing_key_is_named() {
        let (_, loaded) = loaded("listen = '127.0.0.1:1'\n");
        let text = loaded.unwrap_err().to_string();
        assert!(text.contains("missing field `datastore`"), "{text}");
    }
}
