//! Where controllers are: in the hierarchy of version 2, or each in one of version 1.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::root;
use crate::mount::mountinfo;

/// A hierarchy of version 1.
#[derive(Debug)]
pub(super) struct OldHierarchy {
    /// Its controllers, such as `cpu` and `cpuacct`.
    controllers: Vec<String>,
    mountpoint: PathBuf,
}

/// Looked for once: they are mounted at boot, and the table of mounts may be long.
fn old_hierarchies() -> &'static [OldHierarchy] {
    static FOUND: OnceLock<Vec<OldHierarchy>> = OnceLock::new();
    FOUND.get_or_init(|| {
        // Where version 2 is at the usual place, nothing of version 1 is mounted.
        if root().is_some_and(|root| root == Path::new("/sys/fs/cgroup")) {
            return Vec::new();
        }
        let mounts = mountinfo::read().unwrap_or_default().into_iter().filter(|mount| mount.fstype == "cgroup");
        let hierarchy =
            |mount: mountinfo::MountInfo| OldHierarchy { controllers: mount.options, mountpoint: mount.target };
        mounts.map(hierarchy).collect()
    })
}

/// The directories of the same name as a group of version 2 in the hierarchies of version 1.
pub(super) fn old_twins(group: &Path) -> Vec<PathBuf> {
    let Some(inside) = inside(group) else { return Vec::new() };
    old_hierarchies().iter().map(|hierarchy| hierarchy.mountpoint.join(&inside)).collect()
}

/// The same in the hierarchy that has a controller, and its mount point.
pub(super) fn old_twin(group: &Path, controller: &str) -> Option<(PathBuf, &'static Path)> {
    let has = |hierarchy: &&OldHierarchy| hierarchy.controllers.iter().any(|name| name == controller);
    let hierarchy = old_hierarchies().iter().find(has)?;
    Some((hierarchy.mountpoint.join(inside(group)?), &hierarchy.mountpoint))
}

/// Whether a hierarchy of version 1 has the controller.
pub(super) fn is_old(controller: &str) -> bool {
    old_hierarchies().iter().any(|hierarchy| hierarchy.controllers.iter().any(|name| name == controller))
}

/// Whether the hierarchy of version 2 has the controller.
pub(super) fn is_new(controller: &str) -> bool {
    let listed = root().and_then(|root| fs::read_to_string(root.join("cgroup.controllers")).ok());
    listed.is_some_and(|listed| listed.split_whitespace().any(|name| name == controller))
}

fn inside(group: &Path) -> Option<PathBuf> {
    Some(group.strip_prefix(root()?).ok()?.to_owned())
}
