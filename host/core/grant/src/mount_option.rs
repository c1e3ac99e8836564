//! The paths in the options of a mount: a file system reads and writes there, so they need grants of their own.

use std::path::PathBuf;

/// A path that an option of a mount names.
pub(crate) struct OptionPath {
    pub(crate) path: PathBuf,
    /// Whether the file system writes there.
    pub(crate) written: bool,
}

/// The paths that an option of a mount names, such as `lowerdir=/a:/b`. None if it could name a path in a way that cannot
/// be told.
pub(crate) fn option_paths(option: &str) -> Option<Vec<OptionPath>> {
    let Some((name, value)) = option.split_once('=') else { return Some(Vec::new()) };
    // Names of overlayfs, see Documentation/filesystems/overlayfs.rst; other file systems name devices by absolute paths.
    let written = matches!(name, "upperdir" | "workdir");
    let directories = written || matches!(name, "lowerdir" | "lowerdir+" | "datadir+");
    let mut paths = Vec::new();
    for part in value.split(':').filter(|part| !part.is_empty()) {
        if part.starts_with('/') {
            paths.push(OptionPath { path: PathBuf::from(part), written });
        } else if directories {
            return None;
        }
    }
    let escapes = value.contains(['\\', ',']) && (directories || !paths.is_empty());
    (!escapes).then_some(paths)
}
