//! The side of a copy that receives: another node, or this one.
//!
//! Both run the same words of a shell, which are part of the grants. What belongs to the configuration is read by them, a line
//! each, before the stream: it is never a word of the shell.

use std::path::Path;
use std::time::Duration;

use hostler_sdk::ssh::{command, failure};
use hostler_sdk::{Command, Result};

/// Makes room for what arrives, and receives it.
macro_rules! receive {
    () => {
        "IFS= read -r dst && IFS= read -r next && cd -- \\\"$dst\\\" && \
         if test -e \\\"$next\\\"; then /usr/bin/btrfs subvolume delete -- \\\"$next\\\" >&2; fi && exec /usr/bin/btrfs receive -q ."
    };
}

/// What arrived whole becomes the latest.
macro_rules! adopt {
    () => {
        "IFS= read -r dst && IFS= read -r next && cd -- \\\"$dst\\\" && \
         if test -e latest; then /usr/bin/btrfs subvolume delete -- latest >&2; fi && exec /usr/bin/mv -T -- \\\"$next\\\" latest"
    };
}

/// The words of [`receive!`], as a shell reads them: in a grant, their quotes have a backslash before them.
const RECEIVE: &str = receive!();
/// The words of [`adopt!`].
pub(crate) const ADOPT: &str = adopt!();

/// Where a copy goes.
pub(crate) struct Target<'a> {
    /// A node, or `local`.
    pub(crate) name: &'a str,
    pub(crate) dst: &'a Path,
    pub(crate) timeout: Duration,
}

impl Target<'_> {
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

    /// Runs other words there.
    pub(crate) fn run(&self, words: &str, next: &str) -> Result<()> {
        let output = self.command(words, next).run()?;
        match output.succeeded() {
            true => Ok(()),
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
