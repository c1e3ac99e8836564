//! The file for the output of a long-lived program.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom};
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

/// Keeps the end of an output that has become larger than a limit in `.out.1`, and empties the file, to which a program appends
/// meanwhile: what it writes between the two steps is lost. Returns whether there was that much.
pub fn bound_output(path: &Path, limit: u64) -> std::io::Result<bool> {
    let no_links = OFlags::NOFOLLOW.bits().cast_signed();
    let mut output = OpenOptions::new().read(true).write(true).custom_flags(no_links).open(path)?;
    let length = output.metadata()?.len();
    if length <= limit {
        return Ok(false);
    }
    output.seek(SeekFrom::Start(length - limit))?;
    let (kept, draft) = (path.with_extension("out.1"), path.with_extension("out.draft"));
    // A draft that was left behind is ours: no one else may write to the directory.
    let mut copy =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).custom_flags(no_links).open(&draft)?;
    let copied = std::io::copy(&mut output, &mut copy).and_then(|_| fs::rename(&draft, kept));
    // Emptied all the same: on a full disk, the room counts for more than the lines.
    output.set_len(0)?;
    copied.map(|()| true)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_end_of_a_large_output_is_kept_while_its_program_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("web.app.1.out");
        let mut program = open_output(&path).unwrap();
        program.write_all(b"0123456789").unwrap();
        assert!(!bound_output(&path, 10).unwrap());
        program.write_all(b"abc").unwrap();
        assert!(bound_output(&path, 10).unwrap());
        program.write_all(b"next").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"next");
        assert_eq!(fs::read(path.with_extension("out.1")).unwrap(), b"3456789abc");
        assert!(!path.with_extension("out.draft").exists());
    }

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
