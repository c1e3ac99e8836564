//! Follows a log as it grows: `om <path> logs --follow`. The caller decides how often to look.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::file::durable::{FileError, absent_is_none};

/// A reader of the lines that are appended to a log, across rotations. If the log is rotated twice between two looks, the lines
/// of the file in between are lost.
#[derive(Debug)]
pub struct LogFollower {
    path: PathBuf,
    file: Option<File>,
    /// The beginning of a line that is not written completely yet.
    partial: Vec<u8>,
}

impl LogFollower {
    /// Follows the log from its present end. The log need not exist yet.
    pub fn from_end(path: &Path) -> Result<LogFollower, FileError> {
        let open = || -> io::Result<Option<File>> {
            let mut file = absent_is_none(File::open(path))?;
            if let Some(file) = &mut file {
                file.seek(SeekFrom::End(0))?;
            }
            Ok(file)
        };
        let file = open().map_err(FileError::new("read", path))?;
        Ok(LogFollower { path: path.to_owned(), file, partial: Vec::new() })
    }

    /// The lines that were appended since the last call.
    pub fn new_lines(&mut self) -> Result<Vec<String>, FileError> {
        self.read().map_err(FileError::new("read", &self.path))
    }

    fn read(&mut self) -> io::Result<Vec<String>> {
        self.read_open_file()?;
        if !self.is_current()? {
            // Lines may have been appended to the old file after it was read and before it was rotated.
            self.read_open_file()?;
            self.file = absent_is_none(File::open(&self.path))?;
            self.read_open_file()?;
        }
        // A line is shown when it is complete.
        let end = self.partial.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let whole: Vec<u8> = self.partial.drain(..end).collect();
        Ok(String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect())
    }

    fn read_open_file(&mut self) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.read_to_end(&mut self.partial).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Whether the log's name still leads to the open file.
    fn is_current(&self) -> io::Result<bool> {
        // By the inode: a file that was rotated away has another name and stays the same.
        let named = absent_is_none(fs::metadata(&self.path))?.map(|file| file.ino());
        let open = self.file.as_ref().map(File::metadata).transpose()?.map(|file| file.ino());
        Ok(named == open)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LogFile, LogLimits};
    use super::*;
    use jiff::Zoned;

    #[test]
    fn every_line_is_seen_once_across_rotations() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.log");
        let mut before_the_log = LogFollower::from_end(&path).unwrap();
        let log = LogFile::new(path.clone(), LogLimits { bytes: 12, kept: 3 });
        let append = |line: &str| log.append(line, &Zoned::now()).unwrap();
        append("one");
        assert_eq!(before_the_log.new_lines().unwrap(), ["one"]);
        let mut follow = LogFollower::from_end(&path).unwrap();
        assert_eq!(follow.new_lines().unwrap(), [""; 0]);
        ["two", "three", "four"].into_iter().for_each(append);
        assert!(path.with_added_extension("1").exists(), "nothing was rotated");
        assert_eq!(follow.new_lines().unwrap(), ["two", "three", "four"]);
        assert_eq!(follow.new_lines().unwrap(), [""; 0]);
    }

    #[test]
    fn half_a_line_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.log");
        let mut follow = LogFollower::from_end(&path).unwrap();
        fs::write(&path, "one\ntw").unwrap();
        assert_eq!(follow.new_lines().unwrap(), ["one"]);
        fs::write(&path, "one\ntwo\n").unwrap();
        assert_eq!(follow.new_lines().unwrap(), ["two"]);
    }
}
