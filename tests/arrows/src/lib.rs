//! What the workspace's manifests say, read once for the tests that hold the architecture. It decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// One crate of ours.
#[derive(Debug)]
pub struct Room {
    /// Its folder below the workspace's root, such as `core/trust`.
    pub folder: String,
    /// The folders of those of our crates that it depends on, tests apart.
    pub arrows: BTreeSet<String>,
    /// The names of all crates from outside that its manifest names, in any table.
    pub outside: BTreeSet<String>,
}

/// The workspace's root folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The graph as it is on one target, with every feature.
///
/// # Panics
/// When cargo can't resolve the workspace.
pub fn metadata(target: &str) -> Metadata {
    let options = ["--locked".to_owned(), "--filter-platform".to_owned(), target.to_owned()];
    MetadataCommand::new().current_dir(root()).other_options(options).exec().expect("cargo metadata")
}

/// All crates of ours, by folder.
pub fn rooms(metadata: &Metadata) -> BTreeMap<String, Room> {
    metadata.workspace_packages().into_iter().map(|package| room(metadata, package)).collect()
}

fn room(metadata: &Metadata, package: &Package) -> (String, Room) {
    let folder = folder(metadata, package);
    let (ours, outside): (Vec<_>, Vec<_>) =
        package.dependencies.iter().partition(|dependency| dependency.path.is_some());
    let built = ours.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    let arrows = built.filter_map(|dependency| below(metadata, dependency.path.as_ref()?)).collect();
    let outside = outside.iter().map(|dependency| dependency.name.clone()).collect();
    (folder.clone(), Room { folder, arrows, outside })
}

fn folder(metadata: &Metadata, package: &Package) -> String {
    let folder = package.manifest_path.parent().and_then(|folder| below(metadata, folder));
    folder.unwrap_or_else(|| package.name.to_string())
}

fn below(metadata: &Metadata, path: &cargo_metadata::camino::Utf8Path) -> Option<String> {
    path.strip_prefix(&metadata.workspace_root).ok().map(ToString::to_string)
}

/// Every package that those of `roots` need to be built, tests apart.
pub fn closure<'a>(
    metadata: &'a Metadata,
    roots: impl IntoIterator<Item = &'a PackageId>,
) -> BTreeSet<&'a PackageId> {
    let resolve = metadata.resolve.as_ref().into_iter().flat_map(|resolve| &resolve.nodes);
    let needs: BTreeMap<_, _> = resolve.map(|node| (&node.id, &node.deps)).collect();
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<&PackageId> = roots.into_iter().collect();
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            let deps = needs.get(id).into_iter().flat_map(|deps| deps.iter());
            waiting.extend(deps.filter(|dep| is_linked(dep)).map(|dep| &dep.pkg));
        }
    }
    seen
}

fn is_linked(dep: &cargo_metadata::NodeDep) -> bool {
    dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
}
