//! The side of a copy that receives: another node, or this one.
//!
//! Both run the same words of a shell, which are part of the grants. What belongs to the configuration is read by them, a line
//! each, before the stream: it is never a word of the shell.
//!
//! A name cannot pass from one subvolume to another at once. So the latest is `.hostler-previous` until the next one has its
//! name: wherever that is cut off, one of the two is a whole copy, and the next copy begins with putting it back.

use std::path::Path;
use std::time::Duration;

use hostler_family_remote::{command, failure};
use hostler_sdk::process::Output;
use hostler_sdk::{Command, Result};

/// Goes to the directory of the copies.
macro_rules! enter {
    () => {
        "IFS= read -r dst && IFS= read -r next && cd -- \\\"$dst\\\" && "
    };
}

/// Makes room for what arrives, and receives it. Where there is no latest, what [`adopt!`] had set aside becomes it again, or what
/// arrived before and was never adopted: that is read-only as soon as it is whole, see btrfs-receive(8).
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

/// What arrived whole, and is on the disk, becomes the latest, and only then is the one before deleted. One that was to be deleted
/// already makes room for it: beside a latest, nobody needs it.
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

/// Names one file of the copy that is there, if it holds any: of the one that [`receive!`] would keep.
macro_rules! look {
    () => {
        concat!(
            enter!(),
            "for copy in latest .hostler-previous \\\"$next\\\"; do if test -e \\\"$copy\\\"; ",
            "then exec /usr/bin/find \\\"$copy\\\" ! -type d -print -quit; fi; done"
        )
    };
}

/// The words of [`receive!`], as a shell reads them: in a grant, their quotes have a backslash before them.
const RECEIVE: &str = receive!();
/// The words of [`adopt!`].
const ADOPT: &str = adopt!();
/// The words of [`look!`].
const LOOK: &str = look!();

/// Where a copy goes.
pub(crate) struct SyncTarget<'a> {
    /// A node, or `local`.
    pub(crate) name: &'a str,
    pub(crate) dst: &'a Path,
    pub(crate) timeout: Duration,
}

impl SyncTarget<'_> {
    /// Receives what `send` writes, under the name `next`. Returns how many bytes it took.
    pub(crate) fn receive(&self, send: Command, next: &str) -> Result<u64> {
        let piped = send.pipe(&self.command(RECEIVE, next))?;
        // Whoever reads says more than whoever is not read any more.
        for (program, output) in [("btrfs receive", &piped.sink), ("btrfs send", &piped.source)] {
            if !output.succeeded() {
                return Err(failure(program, output));
            }
        }
        Ok(piped.bytes)
    }

    /// Makes what arrived the latest.
    pub(crate) fn adopt(&self, next: &str) -> Result<()> {
        self.run(ADOPT, next).map(drop)
    }

    /// Whether the copy that is there holds anything but directories.
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
