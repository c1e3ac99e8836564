//! The differences between file systems on block devices: their signatures, and the programs that create and check them.

use hostler_family_options as options;
use hostler_sdk::block::{self, Device};
use hostler_sdk::{Command, Error, Outcome, Result, log};

/// A kind of file system on block devices.
#[derive(Debug, Clone, Copy)]
pub struct FilesystemKind {
    /// The name of the type in /proc/filesystems.
    pub fstype: &'static str,
    /// The signatures, as named by blkid(8), that can be mounted as this type.
    pub signatures: &'static [&'static str],
    /// Whether one file system may stand on several devices, of which the kernel then lists any one.
    pub several: bool,
    /// The longest label, in bytes. mkfs cuts a longer one, or refuses it.
    pub label: usize,
    /// The program that creates one, and the arguments that it always gets.
    pub mkfs: &'static [&'static str],
    /// The capabilities(7) that mkfs needs: names joined by `+`, or empty.
    pub mkfs_caps: &'static str,
    /// The options that `mkfs_opt` may add, each with one value; [`LABEL`] is among them. The grant of the program lists the same
    /// options in the same order. Options that read other files or run other programs must not be in the list.
    pub mkfs_options: &'static [&'static str],
    /// The program that checks and repairs one before it is mounted, if the type has such a program.
    pub fsck: Option<CheckProgram>,
}

/// The option with which every mkfs sets a label.
pub(super) const LABEL: &str = "-L";

/// A program that checks and repairs a file system.
#[derive(Debug, Clone, Copy)]
pub struct CheckProgram {
    /// The program and its arguments.
    pub command: &'static [&'static str],
    /// The exit statuses after which the file system may be mounted.
    pub mountable: &'static [i32],
}

impl FilesystemKind {
    /// The grants for mkfs, on `dev` and on `mkfs_dev`. A test of each driver compares them with its `GRANTS`.
    pub fn mkfs_grants(&self) -> [String; 2] {
        ["dev", "mkfs_dev"].map(|keyword| self.mkfs_grant(keyword))
    }

    fn mkfs_grant(&self, keyword: &str) -> String {
        let options: String = self.mkfs_options.iter().map(|option| format!(" [{option} *]")).collect();
        let powers = if self.mkfs_caps.is_empty() { String::new() } else { format!("(caps={})", self.mkfs_caps) };
        format!("exec{powers} = {}{options} -- {{kw:{keyword}}}", self.mkfs.join(" "))
    }

    /// The grant for fsck.
    pub fn fsck_grant(&self) -> Option<String> {
        self.fsck.map(|fsck| format!("exec = {} -- {{kw:dev}}", fsck.command.join(" ")))
    }

    /// Sorts the options of `mkfs_opt` in the order of the grant.
    pub fn arrange(&self, words: &[String]) -> std::result::Result<Vec<String>, String> {
        let known: Vec<String> = self.mkfs_options.iter().map(|option| format!("{option} *")).collect();
        options::arrange(&known.iter().map(String::as_str).collect::<Vec<_>>(), words)
    }

    /// Creates a file system on a device and overwrites what is there. The options must be in the order of the grant.
    pub(super) fn make(&self, dev: &str, options: Vec<String>) -> Result<Outcome> {
        command(self.mkfs, dev, options).check()?;
        Ok(Outcome::changed(format!("made {} on {dev}", self.fstype)))
    }

    /// Checks the file system on a device. If the node does not have the program, the check is skipped with a warning.
    pub(super) fn check(&self, device: &Device) -> Result<()> {
        let Some(fsck) = self.fsck else { return Ok(()) };
        let dev = &device.path;
        match command(fsck.command, dev, Vec::new()).run() {
            Ok(output) if fsck.mountable.contains(&output.status) => Ok(()),
            // The exit code is the same for a device in use and for a damaged one.
            Ok(output) => Err(Error::failed(match block::user_of(dev)? {
                Some(user) => format!("{dev} is in use and cannot be checked: {user}"),
                None => format!(
                    "{} on {dev} exited with {}: repair the file system by hand, then start again",
                    fsck.command.join(" "),
                    output.status
                ),
            })),
            // A node without the program can still mount, which matters more than the check.
            Err(error) if error.is_not_found() => {
                log::warn(format!("{} is not installed: {dev} is mounted unchecked", fsck.command.join(" ")));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn command(words: &[&str], dev: &str, options: Vec<String>) -> Command {
    let (program, args) = words.split_first().unwrap_or((&"", &[]));
    // `--` ends the options, so that a device name cannot become one.
    Command::new(program).args(args.iter().copied()).args(options).arg("--").arg(dev)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: FilesystemKind = FilesystemKind {
        fstype: "ext4",
        signatures: &["ext4"],
        several: false,
        label: 16,
        mkfs: &["/sbin/mkfs.ext4", "-q", "-F"],
        mkfs_caps: "",
        mkfs_options: &["-L", "-m", "-O"],
        fsck: Some(CheckProgram { command: &["/sbin/e2fsck", "-p"], mountable: &[0, 1] }),
    };

    #[track_caller]
    fn check(mkfs_opt: &str, expected: std::result::Result<&str, &str>) {
        let words: Vec<String> = mkfs_opt.split_whitespace().map(str::to_owned).collect();
        match (KIND.arrange(&words), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.join(" "), expected),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            (found, expected) => panic!("expected {expected:?}, found {found:?}"),
        }
    }

    #[test]
    fn mkfs_options_are_put_in_the_order_of_the_grant() {
        check("", Ok(""));
        check("-m 1 -L data", Ok("-L data -m 1"));
    }

    #[test]
    fn other_options_are_refused_with_the_ones_that_may_be_used() {
        check("-d /etc", Err("\"-d\" is not supported: expected any of -L *, -m *, -O *"));
        check("-L", Err("-L needs a value"));
        check("-L -d /etc", Err("\"-d\" is an option"));
        check("-L a -L b", Err("-L is given twice"));
    }

    #[test]
    fn the_grants_say_what_the_commands_are() {
        let on = |dev: &str| format!("exec = /sbin/mkfs.ext4 -q -F [-L *] [-m *] [-O *] -- {{kw:{dev}}}");
        assert_eq!(KIND.mkfs_grants(), [on("dev"), on("mkfs_dev")]);
        assert_eq!(KIND.fsck_grant().unwrap(), "exec = /sbin/e2fsck -p -- {kw:dev}");
    }
}
