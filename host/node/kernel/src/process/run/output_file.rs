//! The file for the output of a long-lived program.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::KernelError;

/// A file that is larger than this is renamed before the next run.
const KEEP: u64 = 1 << 20;

/// Opens the file to append to, and makes its directory. A large file is renamed to `.out.1` first. Later would be too
/// late: the program holds the file open for as long as it runs.
pub fn open_output(path: &Path) -> Result<File, KernelError> {
    open_rotated(path).map_err(|error| KernelError::Os {
        doing: format!("open {}", path.display()),
        errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
    })
}

fn open_rotated(path: &Path) -> std::io::Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    if fs::symlink_metadata(path).is_ok_and(|file| file.len() > KEEP) {
        fs::rename(path, path.with_extension("out.1"))?;
    }
    // The agent opens it as root, so a link in its place must not lead to another file.
    let no_links = OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o640).custom_flags(no_links).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_output_is_renamed_before_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log/web.app.1.out");
        let length = || open_output(&path).unwrap().metadata().unwrap().len();
        open_output(&path).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(KEEP).unwrap();
        assert_eq!(length(), KEEP);
        OpenOptions::new().write(true).open(&path).unwrap().set_len(KEEP + 1).unwrap();
        assert_eq!(length(), 0);
        assert_eq!(fs::metadata(dir.path().join("log/web.app.1.out.1")).unwrap().len(), KEEP + 1);
    }
}
