//! Tests that cross crates, and what they share. The tests themselves are in `tests/tests`.

pub mod dockerd;
pub mod kernel;
pub mod podman;
pub mod registry;

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The root of the repository.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// A copy of a program that every user can run, and the directory that removes it when dropped: a build by root may be in
/// root's home, where other users cannot go.
pub fn for_every_user(program: &Path) -> io::Result<(TempDir, PathBuf)> {
    let directory = tempfile::tempdir()?;
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755))?;
    let place = directory.path().join(program.file_name().unwrap_or_default());
    if fs::hard_link(program, &place).is_err() {
        fs::copy(program, &place)?;
    }
    Ok((directory, place))
}
