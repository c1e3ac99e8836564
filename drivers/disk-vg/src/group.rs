//! The state of a volume group, read from the reports of LVM.

use hostler_family_lvm::{ReportRow, column, held_id, report};
use hostler_sdk::holdings::{DEVICE, Holding};
use hostler_sdk::prelude::*;
use hostler_sdk::state::StateScope;

/// The signature of a device that LVM uses.
pub(crate) const MEMBER: &str = "LVM2_member";

/// The state of a volume group that exists.
pub(crate) struct GroupState {
    pub(crate) name: String,
    /// The id by which its volumes are held.
    pub(crate) id: String,
    tags: Vec<String>,
    /// The volumes whose device exists.
    pub(crate) active: Vec<String>,
    /// The other volumes, without those that never have a device, such as pools.
    pub(crate) inactive: Vec<String>,
}

impl GroupState {
    /// The group of that name, or None if this node has no disks of such a group.
    pub(crate) fn find(name: &str) -> Result<Option<GroupState>> {
        GroupState::find_by(|group| column(group, "vg_name") == name)
    }

    /// The group that the resource holds, whatever the keyword says by now.
    pub(crate) fn held() -> Result<Option<GroupState>> {
        match holdings::list()?.into_iter().find(|held| held.kind == DEVICE) {
            Some(Holding { id, .. }) => GroupState::find_by(|group| held_id(column(group, "vg_uuid"), None) == id),
            None => Ok(None),
        }
    }

    fn find_by(is_it: impl Fn(&ReportRow) -> bool) -> Result<Option<GroupState>> {
        let groups = report("/sbin/vgs", "vg_name,vg_uuid,vg_tags")?;
        let Some(group) = groups.iter().find(|group| is_it(group)) else { return Ok(None) };
        let (name, id) = (column(group, "vg_name"), held_id(column(group, "vg_uuid"), None));
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
        Ok(Some(GroupState { name: name.to_owned(), id, tags, active, inactive }))
    }

    /// Records that its volumes are held: before they are activated, so that a stop after a kill in between finds them.
    pub(crate) fn hold(&self) -> Result<()> {
        let label = format!("the volumes of {}", self.name);
        Ok(holdings::declare(StateScope::Boot, DEVICE, &self.id, &label, &[])?)
    }

    /// Runs vgchange(8) on it.
    pub(crate) fn change(&self, options: &[&str]) -> Result<()> {
        Command::new("/sbin/vgchange").args(options.iter().copied()).arg("--").arg(&self.name).check()?;
        Ok(())
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
