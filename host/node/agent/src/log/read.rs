//! Reads the last lines of a log: `om <path> logs`.

use std::path::Path;

use super::file::rotated;
use crate::file::durable::{self, FileError};

/// The last lines of a log, the oldest first, from as many rotated files as it takes. A missing log is empty.
pub fn last_lines(path: &Path, count: usize) -> Result<Vec<String>, FileError> {
    let mut lines = Vec::new();
    let mut files = std::iter::once(path.to_owned()).chain((1..).map(|number| rotated(path, number)));
    while lines.len() < count {
        let Some(content) = files.next().map(|file| durable::read(&file)).transpose()?.flatten() else { break };
        let content = String::from_utf8_lossy(&content);
        // The newest first, as the files are read from the newest back.
        lines.extend(content.lines().rev().take(count - lines.len()).map(str::to_owned));
    }
    lines.reverse();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::super::{LogFile, LogLimits};
    use super::*;
    use jiff::Zoned;

    #[test]
    fn the_last_lines_come_in_their_order_across_rotated_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.log");
        assert_eq!(last_lines(&path, 10).unwrap(), [""; 0]);
        let log = LogFile::new(path.clone(), LogLimits { bytes: 4, kept: 5 });
        for line in ["a", "b", "c", "d", "e"] {
            log.append(line, &Zoned::now()).unwrap();
        }
        let check = |count, expected: &[&str]| assert_eq!(last_lines(&path, count).unwrap(), expected);
        check(0, &[]);
        check(1, &["e"]);
        check(3, &["c", "d", "e"]);
        check(10, &["a", "b", "c", "d", "e"]);
    }
}
