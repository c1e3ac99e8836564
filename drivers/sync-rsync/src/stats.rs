//! What `rsync --stats --itemize-changes` says, see rsync(1).

/// What a copy did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    /// Files and directories of the source.
    pub(crate) files: u64,
    /// What differed, in whatever way.
    pub(crate) changes: u64,
    /// Files whose content was sent.
    pub(crate) transferred: u64,
    /// Files and directories that were deleted.
    pub(crate) deleted: u64,
    /// The size of the files whose content was sent, or would be.
    pub(crate) size: u64,
    /// On the wire.
    pub(crate) bytes_sent: u64,
}

impl Stats {
    /// Reads the output. None if the numbers are not there.
    pub(crate) fn parse(output: &str) -> Option<Stats> {
        let (items, _) = output.split_once("Number of files:")?;
        Some(Stats {
            files: number(output, "Number of files:")?,
            changes: items.lines().filter(|line| !line.trim().is_empty()).count() as u64,
            transferred: number(output, "Number of regular files transferred:")?,
            deleted: number(output, "Number of deleted files:")?,
            size: number(output, "Total transferred file size:")?,
            bytes_sent: number(output, "Total bytes sent:")?,
        })
    }
}

fn number(output: &str, name: &str) -> Option<u64> {
    let line = output.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
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
        let expected = Stats { files: 3, changes: 3, transferred: 1, deleted: 1, size: 4, bytes_sent: 138 };
        assert_eq!(Stats::parse(output), Some(expected));
        assert_eq!(Stats::parse("rsync: no such option\n"), None);
    }
}
