//! `sync.rsync`: directories that are copied by rsync, to other nodes over ssh and to other directories of this node.
//!
//! A copy makes the target equal to the source, and deletes what the source does not have. A dry run comes first: a target that
//! is already equal is left alone, and a source that contains only directories deletes nothing, because that is what a file
//! system that is not mounted looks like. If one file system among other files is not mounted, this looks like deleted files;
//! `srcfs` names such file systems, so that they are checked. With `dstfs`, nothing is copied to a target where it is not
//! mounted. With `snap`, the source is a snapshot, which does not change during the copy.
//! See rsync(1), ssh(1), btrfs-subvolume(8).

mod options;
mod snapshot;
mod stats;

use hostler_family_remote::{self as remote, SSH, grant_is_mounted, ssh};
use hostler_sdk::each_target;
use hostler_sdk::prelude::*;
use hostler_sdk::process;

use crate::options::RsyncOptions;
use crate::snapshot::SourceSnapshot;
use crate::stats::TransferStats;

/// Directories that are copied by rsync, to other nodes over ssh and to other directories of this node.
///
/// As for rsync, `/srv/web/` is the content of the directory, and `/srv/web` the directory itself. Other nodes are reached by
/// their names with the ssh of this node: configure their keys, ports, addresses and trusted host keys in
/// `/etc/ssh/ssh_config` or in root's `~/.ssh`. Passwords are not supported, because ssh runs without a terminal.
///
/// A source without files, with directories at most, deletes nothing on a target, even with `--force`: it looks as if its file
/// system were not mounted. If it is empty on purpose, delete the files of the target by hand.
#[derive(Keywords)]
struct DirectorySync {
    /// The files and directories to copy. Quotes keep the blanks of a path together.
    #[keyword(kind = "words", example = "/srv/web/")]
    src: Vec<String>,
    /// The destination on each target.
    #[keyword(example = "/backup/web")]
    dst: String,
    /// The targets: `nodes` and `drpnodes` are the other nodes of the object, `local` is this node.
    #[keyword(candidates("local", "nodes", "drpnodes"), default = "local", example = "nodes drpnodes")]
    target: Vec<String>,
    /// Mount points in the source. If nothing is mounted on one of them, nothing is copied, because the copy would delete the
    /// files of that file system on the targets.
    #[keyword(kind = "words", example = "/srv/web/data")]
    srcfs: Vec<String>,
    /// A mount point on the targets. If nothing is mounted on it, nothing is copied, because the copy would fill the file system
    /// below it.
    #[keyword(example = "/backup")]
    dstfs: Option<String>,
    /// Options for rsync: --checksum --compress --inplace --numeric-ids --one-file-system --sparse --whole-file, and
    /// --exclude=PATTERN, --include=PATTERN, of which the first one that matches counts.
    #[keyword(alias = "exclude", kind = "words", example = "--checksum --exclude=*.log")]
    options: Vec<String>,
    /// Whether the target keeps files that the source does not have.
    keep_extra: bool,
    /// Whether to copy from a snapshot, so that the copy is consistent. The source must be a btrfs subvolume, written with a slash
    /// at its end; the snapshot exists in it during the copy.
    snap: bool,
    /// The maximum bandwidth, in KiB per second.
    #[keyword(example = "1000")]
    bwlimit: Option<u64>,
    /// How long a copy to one target may take.
    #[keyword(default = "1h", example = "8h")]
    timeout: Duration,
}

/// The options of every copy: keep all attributes of files, protect arguments from the remote shell, and print output that a
/// program can read.
const ALWAYS: [&str; 5] = ["-HAXpogDtrls", "--force", "--stats", "--itemize-changes", "--no-human-readable"];

/// The grant for one kind of copy: `copy!(ATTRIBUTES, REHEARSAL, SHELL, SOURCE, TARGET)`.
macro_rules! copy {
    ($attributes:literal, $rehearsal:literal, $shell:expr, $from:literal, $to:literal) => {
        concat!(
            "exec(",
            $attributes,
            ") = /usr/bin/rsync -HAXpogDtrls --force --stats --itemize-changes --no-human-readable",
            $rehearsal,
            " [ --checksum ] [ --compress ] [ --inplace ] [ --numeric-ids ] [ --one-file-system ] [ --sparse ]",
            " [ --whole-file ] [ --ignore-times ] [ --delete ] [ --bwlimit {kw:bwlimit} ] [ --exclude-from - ]",
            $shell,
            " -- ",
            $from,
            " ",
            $to
        )
    };
}

/// The grant for a dry run, which only reads.
macro_rules! rehearse {
    ($shell:expr, $from:literal, $to:literal) => {
        copy!("read, caps=cap_dac_read_search", " --dry-run", $shell, $from, $to)
    };
}

/// The grant for a copy, with the capabilities to set owners, modes and attributes.
macro_rules! perform {
    ($shell:expr, $from:literal, $to:literal) => {
        copy!("caps=cap_chown+cap_dac_override+cap_fowner+cap_fsetid+cap_mknod+cap_setfcap", "", $shell, $from, $to)
    };
}

#[driver(sync)]
impl Driver for DirectorySync {
    const NAME: &str = "sync.rsync";
    const GRANTS: &[&str] = &[
        rehearse!("", "[ {kw:src} ]", "{kw:dst}"),
        rehearse!("", "{kw:src}/.hostler-snapshot/", "{kw:dst}"),
        rehearse!(concat!(" -e \"", ssh!(), "\""), "[ {kw:src} ]", "{peer}:{kw:dst}"),
        rehearse!(concat!(" -e \"", ssh!(), "\""), "{kw:src}/.hostler-snapshot/", "{peer}:{kw:dst}"),
        perform!("", "{kw:src}", "{kw:dst}"),
        perform!("", "{kw:src}/.hostler-snapshot/", "{kw:dst}"),
        perform!(concat!(" -e \"", ssh!(), "\""), "{kw:src}", "{peer}:{kw:dst}"),
        perform!(concat!(" -e \"", ssh!(), "\""), "{kw:src}/.hostler-snapshot/", "{peer}:{kw:dst}"),
        "exec(read) = /usr/bin/mountpoint -q -- [ {kw:srcfs} ]",
        "exec(read) = /usr/bin/mountpoint -q -- {kw:dstfs}",
        grant_is_mounted!(),
        "exec(read) = /usr/bin/stat -c %i -- {kw:src}/.hostler-snapshot",
        "exec(caps=cap_sys_admin+cap_dac_override+cap_fowner) = \
         /usr/bin/btrfs subvolume snapshot -r -- {kw:src} {kw:src}/.hostler-snapshot",
        "exec(caps=cap_sys_admin+cap_dac_override+cap_fowner) = \
         /usr/bin/btrfs subvolume delete -- {kw:src}/.hostler-snapshot",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut problem = |keyword: &str, text: String| problems.push(Problem::new(keyword, text));
        if self.src.is_empty() {
            problem("src", "no source is given".to_owned());
        }
        let paths = self.src.iter().map(|src| ("src", src)).chain([("dst", &self.dst)]);
        let mounts = self.srcfs.iter().map(|path| ("srcfs", path)).chain(self.dstfs.iter().map(|path| ("dstfs", path)));
        for (keyword, path) in paths.chain(mounts) {
            if !path.starts_with('/') {
                problem(keyword, format!("{path:?} is not an absolute path"));
            }
        }
        if self.snap && !matches!(&self.src[..], [one] if one.ends_with('/')) {
            problem("snap", "src must be one subvolume, with a slash at its end".to_owned());
        }
        if let Err(text) = RsyncOptions::parse(&self.options) {
            problem("options", text);
        }
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let label = format!("rsync of {} to {}", self.src.join(", "), self.target.join(", "));
        Ok(Status::not_applicable().label(label))
    }
}

impl hostler_sdk::Sync for DirectorySync {
    fn sync(&self, context: &Context, verb: &str, target: &str) -> Result<TargetReport> {
        Ok(self.sync_all(context, verb, &[target.to_owned()])?.remove(0))
    }

    fn sync_all(&self, context: &Context, verb: &str, targets: &[String]) -> Result<Vec<TargetReport>> {
        let everything = match verb {
            "update" => false,
            "full" => true,
            _ => return Err(Error::Unsupported),
        };
        if let Some(problem) = self.validate(context)?.into_iter().next() {
            return Err(problem.into());
        }
        self.source_must_be_mounted()?;
        let options = RsyncOptions::parse(&self.options).map_err(Error::InvalidConfig)?;
        let snapshot = self.src.first().filter(|_| self.snap).map(|src| SourceSnapshot::make(src)).transpose()?;
        let sources = snapshot.as_ref().map_or_else(|| self.src.clone(), |snapshot| vec![snapshot.source()]);
        let reports = each_target(targets, |target| {
            self.copy(&TargetCopy { rsync: self, options: &options, sources: &sources, target, everything })
        });
        // A snapshot that remains fills the source, so its removal is tried even if a copy failed.
        match snapshot.map_or(Ok(()), SourceSnapshot::remove) {
            Err(error) if reports.is_ok() => Err(error),
            Err(error) => {
                log::warn(error.to_string());
                reports
            }
            Ok(()) => reports,
        }
    }
}

impl DirectorySync {
    fn copy(&self, copy: &TargetCopy<'_>) -> Result<TargetReport> {
        // Each target has a mount of its own, so this is checked for each copy.
        self.must_be_mounted(copy.target)?;
        let rehearsal = copy.run(true)?;
        if rehearsal.changes == 0 {
            return Ok(TargetReport::unchanged(copy.target));
        }
        // Only the deletions are dangerous: without them an empty source changes nothing.
        if rehearsal.deleted > 0 {
            copy.must_not_empty(&rehearsal)?;
        }
        progress::report(0, Some(rehearsal.size), "bytes");
        let copied = copy.run(false)?;
        progress::report(copied.size, Some(rehearsal.size.max(copied.size)), "bytes");
        log::info(format!("{}: {} files copied, {} deleted", copy.target, copied.transferred, copied.deleted));
        Ok(TargetReport::copied(copy.target, copied.bytes_sent))
    }

    fn source_must_be_mounted(&self) -> Result<()> {
        for srcfs in &self.srcfs {
            if !is_mounted(srcfs)? {
                return Err(Error::failed(format!(
                    "nothing is mounted on {srcfs}: not copied, because its files would be deleted from the targets"
                )));
            }
        }
        Ok(())
    }

    fn must_be_mounted(&self, target: &str) -> Result<()> {
        let Some(dstfs) = &self.dstfs else { return Ok(()) };
        let mounted = match target {
            LOCAL => is_mounted(dstfs)?,
            node => remote::is_mounted(node, dstfs)?,
        };
        match mounted {
            true => Ok(()),
            false => Err(Error::failed(format!(
                "nothing is mounted on {dstfs} there: not copied, because the file system below would fill up"
            ))),
        }
    }
}

/// Whether a file system is mounted on the path on this node.
fn is_mounted(path: &str) -> Result<bool> {
    Ok(Command::new("/usr/bin/mountpoint").args(["-q", "--", path]).run()?.succeeded())
}

/// The name of the target that is this node.
const LOCAL: &str = "local";

/// The exit status of rsync when files of the source were gone before it came to them, see rsync(1).
const VANISHED: i32 = 24;

/// One copy to one target.
struct TargetCopy<'a> {
    rsync: &'a DirectorySync,
    options: &'a RsyncOptions,
    sources: &'a [String],
    target: &'a str,
    everything: bool,
}

impl TargetCopy<'_> {
    /// Fails if a source contains no file and the copy would delete some. The total of several sources would hide an empty one, so
    /// there is a dry run for each of them.
    fn must_not_empty(&self, rehearsal: &TransferStats) -> Result<()> {
        for (source, src) in self.sources.iter().zip(&self.rsync.src) {
            let alone = match self.sources.len() {
                1 => *rehearsal,
                _ => TargetCopy { sources: std::slice::from_ref(source), ..*self }.run(true)?,
            };
            if alone.files == 0 && alone.deleted > 0 {
                return Err(Error::failed(format!(
                    "{src} holds no file, and {} would be deleted from {}: mount it, or delete them there if it is to be empty",
                    alone.deleted, self.rsync.dst
                )));
            }
        }
        Ok(())
    }

    fn run(&self, rehearse: bool) -> Result<TransferStats> {
        // It prints a line for each file, which are too many for the log of an action.
        let output = self.command(rehearse).setting("output", "debug").run()?;
        match output.status {
            0 => {}
            VANISHED => self.say_what_vanished(&output, rehearse),
            _ => return Err(remote::failure("rsync", &output)),
        }
        TransferStats::parse(&String::from_utf8_lossy(&output.stdout))
            .ok_or_else(|| Error::failed("rsync did not say what it did: is it older than 3.1?"))
    }

    /// A source that is in use loses files during any copy. All others were copied.
    fn say_what_vanished(&self, output: &process::Output, rehearse: bool) {
        let text = String::from_utf8_lossy(&output.stderr);
        let mut lines = text.lines().filter(|line| line.contains(" has vanished")).map(str::trim);
        // The copy itself says it again.
        if let (false, Some(first)) = (rehearse, lines.next()) {
            let count = 1 + lines.count();
            log::warn(format!("{}: {count} files vanished during the copy, such as: {first}", self.target));
        }
    }

    /// The command line, in the order of the grants.
    fn command(&self, rehearse: bool) -> Command {
        let TargetCopy { rsync: DirectorySync { dst, keep_extra, bwlimit, timeout, .. }, options, .. } = self;
        let mut command = Command::new("/usr/bin/rsync").args(ALWAYS).timeout(*timeout);
        if rehearse {
            command = command.arg("--dry-run");
        }
        command = command.args(options.flags.iter().copied());
        if self.everything {
            command = command.arg("--ignore-times");
        }
        // --delete comes from the keyword, not from `options`, because the checks for empty sources depend on it.
        if !keep_extra {
            command = command.arg("--delete");
        }
        if let Some(bwlimit) = bwlimit {
            command = command.arg("--bwlimit").arg(bwlimit.to_string());
        }
        if let Some(patterns) = options.input() {
            command = command.args(["--exclude-from", "-"]).stdin(patterns);
        }
        match self.target {
            LOCAL => command.arg("--").args(self.sources).arg(dst),
            node => command.args(["-e", SSH, "--"]).args(self.sources).arg(format!("{node}:{dst}")),
        }
    }
}

#[cfg(test)]
mod tests;
