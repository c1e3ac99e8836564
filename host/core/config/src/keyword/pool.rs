//! The keywords of `[pool#<name>]` in the configuration of a node.

use std::sync::LazyLock;

use model::keyword::{Keyword, ValueKind};

/// The prefix of the sections of pools.
pub(crate) const PREFIX: &str = "pool#";
/// The type of a pool whose volumes are replicated.
pub(crate) const DRBD: &str = "drbd";

/// The keywords of a pool.
pub fn pool() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let text = |name: &str, help: &str| Keyword::new(name, ValueKind::String, help);
        let path = |name: &str, help: &str| Keyword::new(name, ValueKind::Path, help);
        let all = vec![
            text("type", "What the volumes are made of.").among(&["directory", "shm", "loop", "vg", DRBD, "virtual"]),
            path(
                "path",
                "Of directory, loop and shm: the directory that the volumes, or the files behind them, are made in. By \
                 default {var}/pool/directory and /dev/shm; loop has no default.",
            )
            .such_as("/srv/pool"),
            text("name", "Of vg: the volume group that the volumes are made in.").such_as("data"),
            text("vg", "Of drbd: the volume group below the replicated devices.").such_as("data"),
            text("template", "Of virtual: the vol that the volumes are copies of.").such_as("templates/vol/small"),
            Keyword::new("capabilities", ValueKind::List, "Of virtual: what the copies can be.")
                .or("file roo rwo rox rwx")
                .such_as("file blk rwo"),
            text("fs_type", "The file system on the devices of the pool.").or("xfs").such_as("ext4"),
            text("mkfs_opt", "Options of mkfs.").such_as("-m 1"),
            text("mkblk_opt", "Options of lvcreate.").such_as("--stripes 2"),
            text("mnt_opt", "Options of mount(8).").such_as("noatime"),
            path("mnt", "The directory below which the file systems of the volumes are mounted.").or("/srv"),
            text("comment", "For people."),
        ];
        all.into_iter().map(Keyword::unscoped).collect()
    });
    &KEYWORDS
}
