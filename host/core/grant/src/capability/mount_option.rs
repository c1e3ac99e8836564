//! The options of mounts: which of them name paths, and which a namespace may choose.
//!
//! Most options only change how a file system works. Some name another device or directory, which the kernel opens by itself and
//! as root, so they need grants of their own. Outside of the namespace `root` only the options that stand here may be used: what a
//! file system of a later kernel makes of another one is not known.

use std::path::PathBuf;

use super::files::{ReadPath, WritePath};
use crate::operation::{Operation, SideEffect};

/// An option of a mount, as it was read once: grants, the audit and the kernel see the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountOption {
    /// `noatime`, `size`.
    pub name: String,
    /// What stands behind the `=`, without quotes.
    pub value: Option<String>,
}

impl MountOption {
    /// An option without a value.
    pub fn flag(name: &str) -> MountOption {
        MountOption { name: name.to_owned(), value: None }
    }

    /// As mount(8) writes it.
    pub fn text(&self) -> String {
        match &self.value {
            None => self.name.clone(),
            Some(value) if value.contains(',') => format!("{}=\"{value}\"", self.name),
            Some(value) => format!("{}={value}", self.name),
        }
    }
}

/// What an option of a file system means for grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OptionUse {
    /// It changes how the file system works, and names nothing outside of it.
    Plain,
    /// It names directories that are read, with colons between them.
    ReadsPaths,
    /// It names a directory or a device that is written.
    WritesPath,
    /// It names a device in a way that no grant can be compared with.
    NamesByNumber,
    /// The host does not know what it means.
    Unknown,
}

/// Whose mount it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MountFreedom {
    /// Of an object in the namespace `root`, whose options are root's own.
    #[default]
    Full,
    /// Of any other namespace, which may use the options that are known to be harmless.
    Namespace,
}

/// What else the option of a mount does.
pub(super) fn side_effects(fstype: &str, option: &MountOption, freedom: MountFreedom) -> Vec<SideEffect> {
    let unclear = || vec![SideEffect::UnclearOption(option.text())];
    let value = option.value.as_deref().unwrap_or_default();
    let (reads, writes) = match use_of(fstype, &option.name) {
        OptionUse::Plain if freedom == MountFreedom::Namespace && stops_the_node(option) => {
            return refused(fstype, option);
        }
        OptionUse::Plain => return Vec::new(),
        OptionUse::NamesByNumber if freedom == MountFreedom::Full => return unclear(),
        // Root's own, and of no known meaning: what could be a path is held against the grants.
        OptionUse::Unknown if freedom == MountFreedom::Full => (value.contains('/'), false),
        OptionUse::ReadsPaths => (true, false),
        OptionUse::WritesPath => (false, true),
        OptionUse::NamesByNumber | OptionUse::Unknown => return refused(fstype, option),
    };
    if !reads && !writes {
        return Vec::new();
    }
    // A backslash escapes in these options and a comma begins another one: the path checked here would not be the one used.
    if value.is_empty() || value.contains(['\\', ',']) {
        return unclear();
    }
    let mut effects = Vec::new();
    for part in value.split(':').filter(|part| !part.is_empty()) {
        // The kernel would look for any other path below the working directory of the agent.
        if !part.starts_with('/') {
            return unclear();
        }
        let path = PathBuf::from(part);
        let effect: Box<dyn Operation> =
            if writes { Box::new(WritePath { path }) } else { Box::new(ReadPath { path }) };
        effects.push(SideEffect::Operation(effect));
    }
    effects
}

/// Whether what the option names is written.
pub(super) fn writes(fstype: &str, name: &str) -> bool {
    use_of(fstype, name) == OptionUse::WritesPath
}

fn refused(fstype: &str, option: &MountOption) -> Vec<SideEffect> {
    vec![SideEffect::OptionOfRoot { fstype: fstype.to_owned(), option: option.text() }]
}

/// Whether the option makes the kernel stop when the file system is damaged, which its owner can arrange.
fn stops_the_node(option: &MountOption) -> bool {
    matches!(option.name.as_str(), "errors" | "fatal_errors") && option.value.as_deref() == Some("panic")
}

fn use_of(fstype: &str, name: &str) -> OptionUse {
    let knows = |names: &[&str]| names.contains(&name);
    let lower = name.to_ascii_lowercase();
    // mount(8) does nothing with `x-…` and `X-…` but for `X-mount.…`: those set the owner, the mode or the id map
    // of what is mounted, or mount a directory of it.
    if knows(&OF_EVERY_MOUNT) || (lower.starts_with("x-") && !lower.starts_with("x-mount.")) {
        return OptionUse::Plain;
    }
    match (fstype, name) {
        ("overlay", "lowerdir" | "lowerdir+" | "datadir+") => return OptionUse::ReadsPaths,
        ("overlay", "upperdir" | "workdir") => return OptionUse::WritesPath,
        // The journal of another device is read and written as soon as the file system is mounted.
        ("xfs", "logdev" | "rtdev") | ("ext3" | "ext4", "journal_path") => return OptionUse::WritesPath,
        ("btrfs" | "erofs" | "bcachefs", "device") | ("reiserfs", "jdev") => return OptionUse::WritesPath,
        ("ext3" | "ext4", "journal_dev") => return OptionUse::NamesByNumber,
        _ => {}
    }
    let is_known = match fstype {
        "ext2" | "ext3" | "ext4" => knows(&EXT),
        "xfs" => knows(&XFS),
        "btrfs" => knows(&BTRFS),
        "vfat" | "msdos" | "exfat" | "ntfs" | "ntfs3" | "udf" | "iso9660" | "hfs" | "hfsplus" => knows(&FOREIGN),
        "squashfs" => knows(&["errors", "threads"]),
        "erofs" => knows(&["user_xattr", "nouser_xattr", "acl", "noacl", "cache_strategy"]),
        "f2fs" => {
            knows(&["discard", "nodiscard", "background_gc", "acl", "noacl", "user_xattr", "nouser_xattr", "mode"])
        }
        "tmpfs" | "ramfs" => {
            knows(&["size", "nr_blocks", "nr_inodes", "mode", "uid", "gid", "huge", "noswap", "inode64"])
        }
        "overlay" => knows(&["index", "xino", "uuid", "volatile", "userxattr"]),
        "nfs" | "nfs4" => knows(&NFS),
        _ => false,
    };
    if is_known { OptionUse::Plain } else { OptionUse::Unknown }
}

/// Those of the mount itself, and those that mount(8) and fstab(5) keep to themselves.
const OF_EVERY_MOUNT: [&str; 46] = [
    "ro",
    "rw",
    "nosuid",
    "suid",
    "nodev",
    "dev",
    "noexec",
    "exec",
    "nodiratime",
    "diratime",
    "noatime",
    "atime",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
    "nosymfollow",
    "symfollow",
    "sync",
    "async",
    "dirsync",
    "lazytime",
    "nolazytime",
    "mand",
    "nomand",
    "bind",
    "rbind",
    "defaults",
    "auto",
    "noauto",
    "nofail",
    "_netdev",
    "user",
    "nouser",
    "users",
    "nousers",
    "owner",
    "noowner",
    "group",
    "nogroup",
    "silent",
    "loud",
    "iversion",
    "noiversion",
    "comment",
    "x-mount.mkdir",
];

const EXT: [&str; 45] = [
    "acl",
    "noacl",
    "user_xattr",
    "nouser_xattr",
    "barrier",
    "nobarrier",
    "discard",
    "nodiscard",
    "delalloc",
    "nodelalloc",
    "grpid",
    "nogrpid",
    "bsdgroups",
    "sysvgroups",
    "auto_da_alloc",
    "noauto_da_alloc",
    "noload",
    "norecovery",
    "dioread_lock",
    "dioread_nolock",
    "block_validity",
    "noblock_validity",
    "prjquota",
    "usrquota",
    "grpquota",
    "quota",
    "noquota",
    "minixdf",
    "bsddf",
    "init_itable",
    "noinit_itable",
    "data",
    "errors",
    "commit",
    "stripe",
    "inode_readahead_blks",
    "resuid",
    "resgid",
    "sb",
    "max_batch_time",
    "min_batch_time",
    "journal_checksum",
    "nojournal_checksum",
    "journal_ioprio",
    "jqfmt",
];

const XFS: [&str; 41] = [
    "attr2",
    "noattr2",
    "discard",
    "nodiscard",
    "grpid",
    "nogrpid",
    "bsdgroups",
    "sysvgroups",
    "ikeep",
    "noikeep",
    "inode32",
    "inode64",
    "largeio",
    "nolargeio",
    "norecovery",
    "nouuid",
    "noquota",
    "uquota",
    "usrquota",
    "quota",
    "uqnoenforce",
    "qnoenforce",
    "gquota",
    "grpquota",
    "gqnoenforce",
    "pquota",
    "prjquota",
    "pqnoenforce",
    "filestreams",
    "swalloc",
    "wsync",
    "noalign",
    "allocsize",
    "logbufs",
    "logbsize",
    "sunit",
    "swidth",
    "barrier",
    "nobarrier",
    "dax",
    "biosize",
];

const BTRFS: [&str; 44] = [
    "acl",
    "noacl",
    "autodefrag",
    "noautodefrag",
    "barrier",
    "nobarrier",
    "compress",
    "compress-force",
    "datacow",
    "nodatacow",
    "datasum",
    "nodatasum",
    "degraded",
    "discard",
    "nodiscard",
    "flushoncommit",
    "noflushoncommit",
    "norecovery",
    "nologreplay",
    "space_cache",
    "nospace_cache",
    "ssd",
    "nossd",
    "ssd_spread",
    "nossd_spread",
    "treelog",
    "notreelog",
    "enospc_debug",
    "noenospc_debug",
    "user_subvol_rm_allowed",
    "skip_balance",
    "rescan_uuid_tree",
    "clear_cache",
    "commit",
    "subvol",
    "subvolid",
    "thread_pool",
    "max_inline",
    "metadata_ratio",
    "fragment",
    "usebackuproot",
    "recovery",
    "fatal_errors",
    "inode_cache",
];

const FOREIGN: [&str; 46] = [
    "uid",
    "gid",
    "umask",
    "dmask",
    "fmask",
    "mode",
    "dmode",
    "codepage",
    "iocharset",
    "nls",
    "utf8",
    "shortname",
    "quiet",
    "check",
    "errors",
    "flush",
    "tz",
    "time_offset",
    "discard",
    "nodiscard",
    "rodir",
    "showexec",
    "sys_immutable",
    "nonumtail",
    "norock",
    "nojoliet",
    "map",
    "session",
    "sbsector",
    "overriderockperm",
    "hide",
    "unhide",
    "cruft",
    "adinicb",
    "noadinicb",
    "shortad",
    "longad",
    "undelete",
    "lastblock",
    "anchor",
    "nohidden",
    "hide_dot_files",
    "windows_names",
    "acl",
    "noacl",
    "prealloc",
];

const NFS: [&str; 60] = [
    "vers",
    "nfsvers",
    "minorversion",
    "proto",
    "port",
    "mountport",
    "mountproto",
    "mountvers",
    "rsize",
    "wsize",
    "bsize",
    "soft",
    "hard",
    "softerr",
    "nosofterr",
    "softreval",
    "nosoftreval",
    "timeo",
    "retrans",
    "retry",
    "acregmin",
    "acregmax",
    "acdirmin",
    "acdirmax",
    "actimeo",
    "ac",
    "noac",
    "cto",
    "nocto",
    "sharecache",
    "nosharecache",
    "resvport",
    "noresvport",
    "lookupcache",
    "local_lock",
    "lock",
    "nolock",
    "intr",
    "nointr",
    "fg",
    "bg",
    "sec",
    "namlen",
    "acl",
    "noacl",
    "rdirplus",
    "nordirplus",
    "fsc",
    "nofsc",
    "xprtsec",
    "nconnect",
    "max_connect",
    "trunkdiscovery",
    "notrunkdiscovery",
    "migration",
    "nomigration",
    "tcp",
    "udp",
    "posix",
    "write",
];
