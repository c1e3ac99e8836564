//! `sync.btrfs`: a btrfs subvolume that is copied to other nodes over ssh, and to another btrfs of this node.
//!
//! Each copy takes a read-only snapshot of the source and sends it. If the snapshot of the previous copy is still on both sides,
//! it sends only the changes since then. A complete copy replaces `latest` on the target, so that there always is a complete
//! one. A source without files does not replace a copy with files, because that is what a newly created file system looks like.
//! See btrfs-send(8), btrfs-receive(8), ssh(1).

#[macro_use]
mod target;

use hostler_family_remote::ssh;
use hostler_sdk::prelude::*;

use crate::target::SyncTarget;

/// A btrfs subvolume that is copied to other nodes over ssh, and to another btrfs of this node.
///
/// On each target, the last copy is the read-only subvolume `latest` in the directory `dst`. In the source, `.hostler-sent-NODE`
/// is the snapshot that the target has, which the next copy is compared with. Other nodes are reached in the same way as by
/// sync.rsync.
///
/// A source without files, with directories at most, does not replace a copy with files, unless it is forced (`--force`). If a
/// copy is interrupted while it replaces the latest one, the previous copy is `.hostler-previous`, and the next sync restores it.
#[derive(Keywords)]
struct BtrfsSync {
    /// The subvolume to copy.
    #[keyword(example = "/srv/web")]
    src: PathBuf,
    /// The directory for the copy on each target. It must be on a btrfs.
    #[keyword(example = "/backup/web")]
    dst: PathBuf,
    /// The targets: `nodes` and `drpnodes` are the other nodes of the object, `local` is this node.
    #[keyword(candidates("nodes", "drpnodes", "local"), default = "nodes", example = "nodes drpnodes")]
    target: Vec<String>,
    /// How long a copy to one target may take.
    #[keyword(default = "1h", example = "8h")]
    timeout: Duration,
}

/// A grant for a snapshot of one target. The suffix is the name of the target: `local`, or another node.
macro_rules! snapshot {
    ($capability:literal, $before:literal, $name:literal, $suffix:literal, $after:literal) => {
        concat!($capability, " = ", $before, " -- {kw:src}/.hostler-", $name, "-", $suffix, $after)
    };
}

/// A grant to send a snapshot, in full or as the changes since another one.
macro_rules! send {
    ($suffix:literal, $parent:literal) => {
        concat!(
            "exec(read, caps=cap_sys_admin+cap_dac_read_search) = /usr/bin/btrfs send -q",
            $parent,
            " -- {kw:src}/.hostler-next-",
            $suffix
        )
    };
}

/// A grant to search a snapshot for a file.
macro_rules! find {
    ($suffix:literal) => {
        // find(1) needs to enter directories of any owner.
        snapshot!("exec(read, caps=cap_dac_read_search)", "/usr/bin/find", "next", $suffix, " ! -type d -print -quit")
    };
}

/// A grant to delete a snapshot.
macro_rules! remove {
    ($suffix:literal, $name:literal) => {
        snapshot!(
            "exec(caps=cap_sys_admin+cap_dac_override+cap_fowner)",
            "/usr/bin/btrfs subvolume delete",
            $name,
            $suffix,
            ""
        )
    };
}

#[driver(sync)]
impl Driver for BtrfsSync {
    const NAME: &str = "sync.btrfs";
    const GRANTS: &[&str] = &[
        snapshot!("exec(read)", "/usr/bin/stat -c %i", "next", "local", ""),
        snapshot!("exec(read)", "/usr/bin/stat -c %i", "next", "{peer}", ""),
        snapshot!("exec(read)", "/usr/bin/stat -c %i", "sent", "local", ""),
        snapshot!("exec(read)", "/usr/bin/stat -c %i", "sent", "{peer}", ""),
        "exec(caps=cap_sys_admin+cap_dac_override+cap_fowner) = \
         /usr/bin/btrfs subvolume snapshot -r -- {kw:src} {kw:src}/.hostler-next-local",
        "exec(caps=cap_sys_admin+cap_dac_override+cap_fowner) = \
         /usr/bin/btrfs subvolume snapshot -r -- {kw:src} {kw:src}/.hostler-next-{peer}",
        find!("local"),
        find!("{peer}"),
        remove!("local", "next"),
        remove!("{peer}", "next"),
        remove!("local", "sent"),
        remove!("{peer}", "sent"),
        "exec(caps=cap_dac_override+cap_fowner) = \
         /usr/bin/mv -T -- {kw:src}/.hostler-next-local {kw:src}/.hostler-sent-local",
        "exec(caps=cap_dac_override+cap_fowner) = \
         /usr/bin/mv -T -- {kw:src}/.hostler-next-{peer} {kw:src}/.hostler-sent-{peer}",
        send!("local", ""),
        send!("local", " -p {kw:src}/.hostler-sent-local"),
        send!("{peer}", ""),
        send!("{peer}", " -p {kw:src}/.hostler-sent-{peer}"),
        concat!(
            "exec(caps=cap_sys_admin+cap_chown+cap_dac_override+cap_fowner+cap_fsetid+cap_mknod+cap_setfcap) = ",
            "/bin/sh -c \"",
            receive!(),
            "\""
        ),
        concat!("exec(caps=cap_sys_admin+cap_dac_override+cap_fowner) = /bin/sh -c \"", adopt!(), "\""),
        concat!("exec(read, caps=cap_dac_read_search) = /bin/sh -c \"", look!(), "\""),
        concat!("exec = ", ssh!(), " -- {peer} \"", receive!(), "\""),
        concat!("exec = ", ssh!(), " -- {peer} \"", adopt!(), "\""),
        concat!("exec(read) = ", ssh!(), " -- {peer} \"", look!(), "\""),
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let one_line = |(keyword, path): &(&str, &PathBuf)| {
            path.to_string_lossy()
                // The paths are sent as lines to the shell on the target.
                .contains(['\n', '\r'])
                .then(|| Problem::new(keyword, "expected a path without line breaks"))
        };
        Ok([("src", &self.src), ("dst", &self.dst)].iter().filter_map(one_line).collect())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::not_applicable().label(format!("btrfs of {} to {}", self.src.display(), self.target.join(", "))))
    }
}

impl hostler_sdk::Sync for BtrfsSync {
    fn sync(&self, context: &Context, verb: &str, target: &str) -> Result<TargetReport> {
        let everything = match verb {
            "update" => false,
            "full" => true,
            _ => return Err(Error::Unsupported),
        };
        if let Some(problem) = self.validate(context)?.into_iter().next() {
            return Err(problem.into());
        }
        let target = SyncTarget { name: target, dst: &self.dst, timeout: self.timeout };
        let (next, sent) = (self.snapshot("next", target.name), self.snapshot("sent", target.name));
        if next.exists()? {
            // A snapshot that an interrupted sync left is older than the source.
            next.delete()?;
        }
        btrfs(&["snapshot", "-r", "--", &self.source(), &next.0])?;
        let may_replace = if context.force() { Ok(()) } else { self.must_not_empty(&target, &next) };
        let copied = may_replace.and_then(|()| self.send(&target, &next, Some(&sent).filter(|_| !everything)));
        let bytes = match copied.and_then(|bytes| target.adopt(&next.name()).map(|()| bytes)) {
            Ok(bytes) => bytes,
            Err(error) => {
                // A snapshot that is left would be found by the next sync and deleted, but occupies space until then.
                if let Err(left) = next.delete() {
                    log::warn(left.to_string());
                }
                return Err(error);
            }
        };
        // The old snapshot stays until the target has adopted the new copy: it is the base if this sync fails.
        if sent.exists()? {
            sent.delete()?;
        }
        // A kill before this leaves a copy on the target of which this node has no base:
        // the next sync sends everything.
        Command::new("/usr/bin/mv").args(["-T", "--", &next.0, &sent.0]).check()?;
        Ok(TargetReport::copied(target.name, bytes))
    }
}

impl BtrfsSync {
    fn source(&self) -> String {
        self.src.display().to_string()
    }

    fn snapshot(&self, name: &str, target: &str) -> SourceSnapshot {
        SourceSnapshot(format!("{}/.hostler-{name}-{target}", self.source()))
    }

    /// Fails if the snapshot contains no file and the copy on the target does.
    fn must_not_empty(&self, target: &SyncTarget<'_>, next: &SourceSnapshot) -> Result<()> {
        if next.holds_files()? || !target.holds_files(&next.name())? {
            return Ok(());
        }
        Err(Error::failed(format!(
            "{} holds no file, and the latest copy does: mount what belongs there, or replace that copy with --force",
            self.source()
        )))
    }

    /// Sends the changes since `sent`, or everything if the target does not have that snapshot. Returns the number of bytes.
    fn send(&self, target: &SyncTarget<'_>, next: &SourceSnapshot, sent: Option<&SourceSnapshot>) -> Result<u64> {
        if let Some(sent) = sent
            && sent.exists()?
        {
            match target.receive(self.command(&["-p", &sent.0, "--", &next.0]), &next.name()) {
                // The target may have lost its copy of the old snapshot, or its content may have changed.
                Err(Error::Failed(why)) => {
                    log::warn(format!(
                        "{}: the changes alone cannot be received, so everything is sent: {why}",
                        target.name
                    ));
                }
                answer => return answer,
            }
        }
        target.receive(self.command(&["--", &next.0]), &next.name())
    }

    fn command(&self, args: &[&str]) -> Command {
        Command::new("/usr/bin/btrfs").args(["send", "-q"]).args(args.iter().copied()).timeout(self.timeout)
    }
}

/// The path of a snapshot in the source.
struct SourceSnapshot(String);

impl SourceSnapshot {
    /// The name of the snapshot on the target while it is being received.
    fn name(&self) -> String {
        self.0.rsplit('/').next().unwrap_or_default().to_owned()
    }

    fn exists(&self) -> Result<bool> {
        /// The inode number of the root directory of every subvolume, see btrfs(5).
        const SUBVOLUME: &str = "256";
        let found = Command::new("/usr/bin/stat").args(["-c", "%i", "--", &self.0]).run()?;
        match found.succeeded() {
            true if found.text() != SUBVOLUME => {
                Err(Error::failed(format!("{} is in the way of the snapshot", self.0)))
            }
            found => Ok(found),
        }
    }

    /// Whether it contains anything but directories. In a snapshot, other subvolumes appear as empty directories.
    fn holds_files(&self) -> Result<bool> {
        let find = Command::new("/usr/bin/find").args(["--", &self.0, "!", "-type", "d", "-print", "-quit"]);
        Ok(!find.check()?.stdout.is_empty())
    }

    fn delete(&self) -> Result<()> {
        btrfs(&["delete", "--", &self.0])
    }
}

fn btrfs(args: &[&str]) -> Result<()> {
    Command::new("/usr/bin/btrfs").arg("subvolume").args(args.iter().copied()).check().map(drop)
}

#[cfg(test)]
mod tests;
