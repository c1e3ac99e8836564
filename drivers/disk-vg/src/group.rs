//! The state of a volume group, read from the reports of LVM.

use hostler_family_lvm::{column, report};
use hostler_sdk::prelude::*;

/// The signature of a device that LVM uses.
pub(crate) const MEMBER: &str = "LVM2_member";

/// The state of a volume group that exists.
pub(crate) struct GroupState {
    tags: Vec<String>,
    /// The volumes whose device exists.
    pub(crate) active: Vec<String>,
    /// The other volumes, without those that never have a device, such as pools.
    pub(crate) inactive: Vec<String>,
}

impl GroupState {
    /// The group, or None if this node has no disks of such a group.
    pub(crate) fn find(name: &str) -> Result<Option<GroupState>> {
        let groups = report("/sbin/vgs", "vg_name,vg_tags")?;
        let Some(group) = groups.iter().find(|group| column(group, "vg_name") == name) else { return Ok(None) };
        let tags = column(group, "vg_tags").split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        // Whether a volume is active is not asked from LVM, which would need to talk to device-mapper.
        let shown = match files::list_directory(Path::new("/dev").join(name)) {
            Err(error) if error.is_not_found() => Vec::new(),
            answer => answer?,
        };
        let volumes = report("/sbin/lvs", "vg_name,lv_name,lv_role")?;
        let volumes = volumes.iter().filter(|volume| column(volume, "vg_name") == name);
        let public = volumes.filter(|volume| column(volume, "lv_role").split(',').any(|role| role == "public"));
        let (active, inactive) =
            public.map(|volume| column(volume, "lv_name").to_owned()).partition(|volume| shown.contains(volume));
        Ok(Some(GroupState { tags, active, inactive }))
    }

    /// Whether the group is tagged with the node's name.
    pub(crate) fn is_of(&self, node: &str) -> bool {
        self.tags.iter().any(|tag| tag == node)
    }

    /// The other tags.
    pub(crate) fn others(&self, node: &str) -> Vec<&str> {
        self.tags.iter().map(String::as_str).filter(|tag| *tag != node).collect()
    }

    /// All volumes.
    pub(crate) fn volumes(&self) -> Vec<&str> {
        self.active.iter().chain(&self.inactive).map(String::as_str).collect()
    }
}

/// Whether any of the devices belongs to a group.
pub(crate) fn in_use(devices: &[String]) -> Result<bool> {
    let mut names = Vec::new();
    for device in devices {
        names.push(device.clone());
        // LVM may report the device under another name.
        names.extend(block::find(device)?.map(|device| device.path));
    }
    let used = report("/sbin/pvs", "pv_name,vg_name")?;
    Ok(used
        .iter()
        .any(|pv| !column(pv, "vg_name").is_empty() && names.iter().any(|name| name == column(pv, "pv_name"))))
}
