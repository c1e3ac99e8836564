//! Names that OpenSVC 1 and 2 used. They still work, and `validate` reports the new names. Old names of keywords of DEFAULT
//! are aliases in its table.

use model::Group;

/// An old name and its new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OldName {
    groups: &'static [Group],
    old: &'static str,

    new: &'static str,
}

/// The sets of nodes on which a resource was kept up: a list, where `standby` is a boolean.
pub(crate) const ALWAYS_ON: &str = "always_on";
/// The nodes on which an object was started at boot: now `orchestrate = start`, and the order of `nodes`.
pub(crate) const AUTOSTART_NODE: &str = "autostart_node";

/// Keywords of DEFAULT that are still read or at least accepted, and what `validate` reports about them.
pub(crate) const RETIRED: [(&str, &str); 2] =
    [(AUTOSTART_NODE, "now orchestrate = start, and the order of nodes"), ("mode", "no longer used")];

const TYPES: [OldName; 6] = [
    OldName { groups: &[Group::Ip], old: "docker", new: "netns" },
    // The driver of ext4 mounts them, as the kernel's does.
    OldName { groups: &[Group::Fs], old: "ext2", new: "ext4" },
    OldName { groups: &[Group::Fs], old: "ext3", new: "ext4" },
    OldName { groups: &[Group::Disk], old: "lvm", new: "vg" },
    OldName { groups: &[Group::Disk], old: "pool", new: "zpool" },
    OldName { groups: &[Group::Disk], old: "veritas", new: "vxdg" },
];

const KEYWORDS: [OldName; 8] = [
    OldName { groups: &[Group::Container, Group::Task], old: "run_image", new: "image" },
    OldName { groups: &[Group::Container, Group::Task], old: "run_command", new: "command" },
    OldName { groups: &[Group::Container, Group::Task], old: "net", new: "netns" },
    OldName { groups: &[Group::Ip], old: "container_rid", new: "netns" },
    OldName { groups: &[Group::Ip], old: "ipname", new: "name" },
    OldName { groups: &[Group::Ip], old: "ipdev", new: "dev" },
    OldName { groups: &[Group::Disk], old: "vgname", new: "name" },
    OldName { groups: &[Group::Disk], old: "poolname", new: "name" },
];

/// The driver that an old `type` now means.
pub(crate) fn renamed_type(group: Group, old: &str) -> Option<&'static str> {
    find(&TYPES, group, old)
}

/// The present name of an old keyword.
pub(crate) fn renamed_keyword(group: Group, old: &str) -> Option<&'static str> {
    find(&KEYWORDS, group, old)
}

/// Every old name of a keyword.
pub(crate) fn old_names(group: Group, new: &str) -> Vec<&'static str> {
    let of_group = KEYWORDS.iter().filter(|renamed| renamed.groups.contains(&group));
    of_group.filter(|renamed| renamed.new == new).map(|renamed| renamed.old).collect()
}

fn find(table: &[OldName], group: Group, old: &str) -> Option<&'static str> {
    table.iter().find(|renamed| renamed.groups.contains(&group) && renamed.old == old).map(|renamed| renamed.new)
}

/// A kind of section that is now a driver of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RenamedSection {
    old: &'static str,
    /// The group.
    pub(crate) group: Group,
    /// The driver's name within the group.
    pub(crate) type_name: &'static str,
}

const SECTIONS: [RenamedSection; 7] = [
    RenamedSection { old: "drbd", group: Group::Disk, type_name: "drbd" },
    RenamedSection { old: "loop", group: Group::Disk, type_name: "loop" },
    RenamedSection { old: "vg", group: Group::Disk, type_name: "vg" },
    RenamedSection { old: "vdisk", group: Group::Disk, type_name: "vdisk" },
    RenamedSection { old: "vmdg", group: Group::Disk, type_name: "ldom" },
    RenamedSection { old: "pool", group: Group::Disk, type_name: "zpool" },
    RenamedSection { old: "stonith", group: Group::Fence, type_name: "command" },
];

/// The present form of an old kind of section, `[<prefix>#…]`.
pub(crate) fn renamed_section(prefix: &str) -> Option<RenamedSection> {
    SECTIONS.into_iter().find(|renamed| renamed.old == prefix)
}
