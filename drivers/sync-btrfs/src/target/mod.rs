//! The receiving side of a copy: another node, or this one.
//!
//! Both run the same shell commands, which are part of the grants. The commands read the values of the configuration from their
//! standard input, one line each, before the stream: a value is never a word of the shell.
//!
//! Two subvolumes cannot exchange their names atomically. So the latest copy is called `.hostler-previous` until the new one has
//! its name: wherever this is interrupted, one of the two is a complete copy, and the next sync begins by restoring it.

use std::path::Path;
use std::time::Duration;

use hostler_family_remote::{command, failure};
use hostler_sdk::process::Output;
use hostler_sdk::{Command, Result};

/// Reads the values and enters the directory of the copies.
macro_rules! enter {
    () => {
        "IFS= read -r dst && IFS= read -r next && cd -- \\\"$dst\\\" && "
    };
}

/// Deletes an incomplete copy and receives the new one. If there is no latest copy, it first restores the one that [`adopt!`] set
/// aside, or else the one that was received and never adopted: a received subvolume is read-only once it is complete, see
/// btrfs-receive(8).
macro_rules! receive {
    () => {
        concat!(
            enter!(),
            "if test ! -e latest; then ",
            "if test -e .hostler-previous; then /usr/bin/mv -T -- .hostler-previous latest; ",
            "elif test \\\"$(/usr/bin/btrfs property get -t subvol \\\"$next\\\" ro 2>/dev/null)\\\" = ro=true; ",
            "then /usr/bin/mv -T -- \\\"$next\\\" latest; fi; fi && ",
            "if test -e \\\"$next\\\"; then /usr/bin/btrfs subvolume delete -- \\\"$next\\\" >&2; fi && ",
            "exec /usr/bin/btrfs receive -q ."
        )
    };
}

/// Makes the received copy the latest once it is on the disk, and only then deletes the previous one. A `.hostler-previous` that
/// exists beside a latest copy is not needed any more, and is deleted first.
macro_rules! adopt {
    () => {
        concat!(
            enter!(),
            "/usr/bin/btrfs filesystem sync . >&2 && ",
            "if test -e latest; then ",
            "if test -e .hostler-previous; then /usr/bin/btrfs subvolume delete -- .hostler-previous >&2; fi && ",
            "/usr/bin/mv -T -- latest .hostler-previous; fi && ",
            "/usr/bin/mv -T -- \\\"$next\\\" latest && ",
            "if test -e .hostler-previous; then exec /usr/bin/btrfs subvolume delete -- .hostler-previous >&2; fi"
        )
    };
}

/// Prints one file of the existing copy, if it contains any. The copy is the one that [`receive!`] would keep.
macro_rules! look {
    () => {
        concat!(
            enter!(),
            "for copy in latest .hostler-previous \\\"$next\\\"; do if test -e \\\"$copy\\\"; ",
            "then exec /usr/bin/find \\\"$copy\\\" ! -type d -print -quit; fi; done"
        )
    };
}

/// The commands of [`receive!`]. In a grant, quotes are written with a backslash, which the shell does not get.
const RECEIVE: &str = receive!();
/// The commands of [`adopt!`].
const ADOPT: &str = adopt!();
/// The commands of [`look!`].
const LOOK: &str = look!();

/// The target of a copy.
pub(crate) struct SyncTarget<'a> {
    /// A node, or `local`.
    pub(crate) name: &'a str,
    pub(crate) dst: &'a Path,
    pub(crate) timeout: Duration,
}

impl SyncTarget<'_> {
    /// Receives the output of `send` under the name `next`. Returns the number of bytes.
    pub(crate) fn receive(&self, send: Command, next: &str) -> Result<u64> {
        let piped = send.pipe(&self.command(RECEIVE, next))?;
        // The reader's error is the cause; the writer then only reports a broken pipe.
        for (program, output) in [("btrfs receive", &piped.sink), ("btrfs send", &piped.source)] {
            if !output.succeeded() {
                return Err(failure(program, output));
            }
        }
        Ok(piped.bytes)
    }

    /// Makes the received copy the latest.
    pub(crate) fn adopt(&self, next: &str) -> Result<()> {
        self.run(ADOPT, next).map(drop)
    }

    /// Whether the existing copy contains anything but directories.
    pub(crate) fn holds_files(&self, next: &str) -> Result<bool> {
        Ok(!self.run(LOOK, next)?.stdout.is_empty())
    }

    fn run(&self, words: &str, next: &str) -> Result<Output> {
        let output = self.command(words, next).run()?;
        match output.succeeded() {
            true => Ok(output),
            false => Err(failure("the target", &output)),
        }
    }

    fn command(&self, words: &str, next: &str) -> Command {
        // In a grant the quotes are escaped, because the grant itself is quoted.
        let words = words.replace('\\', "");
        let command = match self.name {
            "local" => Command::new("/bin/sh").arg("-c").arg(words),
            node => command(node, &words),
        };
        command.stdin(format!("{}\n{next}\n", self.dst.display())).timeout(self.timeout)
    }
}

#[cfg(test)]
mod tests;
