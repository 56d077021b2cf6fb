//! The contracts of `wit/`, parsed: as they are, as they were released, and as a careless change would make them.

use std::path::{Path, PathBuf};

use wit_parser::{Resolve, SourceMap, WorldId};

/// Packages in the order in which they use one another.
const PACKAGES: [&str; 4] = ["deps/types", "deps/host", "deps/keystore", "."];

/// The texts of all packages, and the version that they are of.
#[derive(Clone, Debug)]
pub struct Sources {
    packages: Vec<Vec<(PathBuf, String)>>,
    version: String,
}

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// The contracts as they are.
pub fn current() -> Sources {
    Sources::read(&wit())
}

/// Releases that were made, and their contracts as they were.
pub fn released() -> Vec<Sources> {
    let entries = std::fs::read_dir(wit().join("released")).expect("wit/released is there");
    entries.map(|entry| Sources::read(&entry.expect("readable").path())).collect()
}

impl Sources {
    fn read(folder: &Path) -> Self {
        let packages = PACKAGES.iter().map(|package| texts(&folder.join(package))).collect::<Vec<_>>();
        let version =
            packages.last().and_then(|texts| version(&texts.first()?.1)).expect("the worlds have a version");
        Self { packages, version }
    }

    /// Of the worlds.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Changes a text that must be there.
    #[must_use]
    pub fn changed(mut self, from: &str, to: &str) -> Self {
        let mut found = false;
        for (_, text) in self.packages.iter_mut().flatten() {
            found |= text.contains(from);
            *text = text.replace(from, to);
        }
        assert!(found, "the contract doesn't say {from}");
        self
    }

    /// All packages under another version.
    #[must_use]
    pub fn renumbered(self, version: &str) -> Self {
        let old = self.version.clone();
        let mut new = self.changed(&format!("@{old}"), &format!("@{version}"));
        new = new.changed(&format!("version = {old}"), &format!("version = {version}"));
        new.version = version.into();
        new
    }

    /// Adds the packages to a resolve.
    pub fn push(&self, resolve: &mut Resolve) {
        for texts in &self.packages {
            let mut sources = SourceMap::new();
            for (path, text) in texts {
                sources.push(path, text.clone());
            }
            let group = sources.parse().unwrap_or_else(|(_, error)| panic!("{error:?}"));
            resolve.push_group(group).unwrap_or_else(|error| panic!("{error:?}"));
        }
    }

    /// A world of keystores with these slices.
    pub fn world(&self, slices: &[&str]) -> (Resolve, WorldId) {
        let mut resolve = Resolve::default();
        self.push(&mut resolve);
        let version = &self.version;
        let export = |slice: &&str| format!("export symbolon:keystore/{slice}@{version};");
        let exports = slices.iter().map(export).collect::<Vec<_>>().join("\n");
        let text = format!(
            "package symbolon-guests:guest;\nworld guest {{ include symbolon:plugin/keystore-provider@{version};\n{exports} }}"
        );
        let package = resolve.push_str("guest.wit", &text).unwrap_or_else(|error| panic!("{error:?}"));
        let world = resolve.select_world(&[package], None).expect("there is one world");
        (resolve, world)
    }
}

fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wit"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).expect("readable"))).collect()
}

/// Of `package name@version;`.
fn version(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("package "))?;
    Some(line.split_once('@')?.1.trim_end_matches(';').into())
}
