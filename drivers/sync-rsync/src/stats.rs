//! The output of `rsync --stats --itemize-changes`, see rsync(1).

/// The numbers of a copy or of a dry run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TransferStats {
    /// The number of files in the source, without directories, which a file system that is not mounted leaves behind.
    pub(crate) files: u64,
    /// The number of items that differ in any way.
    pub(crate) changes: u64,
    /// The number of files whose content was sent.
    pub(crate) transferred: u64,
    /// The number of files and directories that were deleted.
    pub(crate) deleted: u64,
    /// The total size of the files whose content was sent, or would be sent.
    pub(crate) size: u64,
    /// The number of bytes sent over the network.
    pub(crate) bytes_sent: u64,
}

impl TransferStats {
    /// Reads the output. None if a number is missing.
    pub(crate) fn parse(output: &str) -> Option<TransferStats> {
        // Each line before the numbers is one item that differs.
        let (items, _) = output.split_once("Number of files:")?;
        Some(TransferStats {
            files: files(output)?,
            changes: items.lines().filter(|line| !line.trim().is_empty()).count() as u64,
            transferred: number(output, "Number of regular files transferred:")?,
            deleted: number(output, "Number of deleted files:")?,
            size: number(output, "Total transferred file size:")?,
            bytes_sent: number(output, "Total bytes sent:")?,
        })
    }
}

/// The number of entries that are not directories, in `3 (reg: 2, dir: 1)`. rsync leaves out a kind with no entries.
fn files(output: &str) -> Option<u64> {
    let all = number(output, "Number of files:")?;
    let directories = match said(output, "Number of files:")?.split_once("dir: ") {
        Some((_, rest)) => leading(rest)?,
        None => 0,
    };
    all.checked_sub(directories)
}

fn number(output: &str, name: &str) -> Option<u64> {
    leading(said(output, name)?)
}

/// The text after the name.
fn said<'o>(output: &'o str, name: &str) -> Option<&'o str> {
    output.lines().find_map(|line| line.strip_prefix(name))
}

/// The number at the beginning of a text.
fn leading(text: &str) -> Option<u64> {
    text.trim_start().split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_counted_and_numbers_are_read() {
        let output = ".d..t...... ./\n>f+++++++++ a\n*deleting   b\n\nNumber of files: 3 (reg: 2, dir: 1)\n\
                      Number of created files: 1 (reg: 1)\nNumber of deleted files: 1 (reg: 1)\n\
                      Number of regular files transferred: 1\nTotal file size: 8 bytes\n\
                      Total transferred file size: 4 bytes\nTotal bytes sent: 138\n\
                      Total bytes received: 41\n\nsent 138 bytes  received 41 bytes  358.00 bytes/sec\n";
        let expected = TransferStats { files: 2, changes: 3, transferred: 1, deleted: 1, size: 4, bytes_sent: 138 };
        assert_eq!(TransferStats::parse(output), Some(expected));
        assert_eq!(TransferStats::parse("rsync: no such option\n"), None);
    }

    #[test]
    fn everything_but_a_directory_counts_as_a_file() {
        let check =
            |line: &str, expected: u64| assert_eq!(files(&format!("Number of files: {line}\n")), Some(expected));
        check("0", 0);
        check("1 (dir: 1)", 0);
        check("12 (dir: 12)", 0);
        check("1 (reg: 1)", 1);
        check("7 (reg: 1, dir: 3, link: 2, special: 1)", 4);
    }
}
