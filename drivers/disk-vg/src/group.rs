//! The state of a volume group, read from the reports of LVM.

use hostler_family_lvm::{ReportRow, column, held_id, mapped_device, report};
use hostler_sdk::holdings::{DEVICE, Force, Holding};
use hostler_sdk::prelude::*;
use hostler_sdk::state::StateScope;

/// The signature of a device that LVM uses.
pub(crate) const MEMBER: &str = "LVM2_member";

/// The key under which the name of the group is kept that its volumes were activated by.
const NAME: &str = "name";

/// The state of a volume group that exists.
pub(crate) struct GroupState {
    pub(crate) name: String,
    /// The name by which its volumes were activated, if another program has renamed it since.
    pub(crate) earlier_name: Option<String>,
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
        GroupState::find_by(None, |group| column(group, "vg_name") == name)
    }

    /// The group that the resource holds, whatever the keyword says by now.
    pub(crate) fn held() -> Result<Option<GroupState>> {
        match holdings::list()?.into_iter().find(|held| held.kind == DEVICE) {
            Some(held) => GroupState::find_by(Some(&held), |group| held_id(column(group, "vg_uuid"), None) == held.id),
            None => Ok(None),
        }
    }

    fn find_by(held: Option<&Holding>, is_it: impl Fn(&ReportRow) -> bool) -> Result<Option<GroupState>> {
        let groups = report("/sbin/vgs", "vg_name,vg_uuid,vg_tags")?;
        let Some(group) = groups.iter().find(|group| is_it(group)) else { return Ok(None) };
        let (name, id) = (column(group, "vg_name"), held_id(column(group, "vg_uuid"), None));
        let tags = column(group, "vg_tags").split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        let earlier = if held.is_some() { state::get(StateScope::Boot, NAME)? } else { None };
        let earlier_name = earlier.filter(|earlier| earlier != name);
        // Whether a volume is active is not asked from LVM, which would need to talk to device-mapper.
        let shown = match held.filter(|_| earlier_name.is_some()) {
            // No grant is about the directory of the new name.
            Some(held) => held.every("device").map(str::to_owned).collect(),
            None => listed(name)?,
        };
        let is_shown = |volume: &String| shown.contains(volume) || shown.contains(&mapped_device(name, volume));
        let volumes = report("/sbin/lvs", "vg_name,lv_name,lv_role")?;
        let volumes = volumes.iter().filter(|volume| column(volume, "vg_name") == name);
        let public = volumes.filter(|volume| column(volume, "lv_role").split(',').any(|role| role == "public"));
        let (active, inactive) = public.map(|volume| column(volume, "lv_name").to_owned()).partition(is_shown);
        Ok(Some(GroupState { name: name.to_owned(), earlier_name, id, tags, active, inactive }))
    }

    /// Records that its volumes are held: before they are activated, so that a stop after a kill in between finds them.
    pub(crate) fn hold(&self) -> Result<()> {
        let label = format!("the volumes of {}", self.name);
        Ok(holdings::declare(StateScope::Boot, DEVICE, &self.id, &label, &[(NAME, &self.name)])?)
    }

    /// Stops a group that another program has renamed. No grant is about the name that it has now, so the host takes its volumes down by
    /// their UUIDs, and the tag stays.
    pub(crate) fn stop_renamed(&self, node: &str) -> Result<Outcome> {
        let held = holdings::list()?.into_iter().find(|held| held.kind == DEVICE && held.id == self.id);
        let taken = held.map_or(Ok(false), |held| holdings::release(&held, Force::None))?;
        if self.is_of(node) {
            log::warn(format!("{} keeps the tag {node}: vgchange --deltag {node} {} removes it", self.name, self.name));
        }
        Ok(match taken {
            true => Outcome::changed(format!("{} is down", self.name)),
            false => Outcome::unchanged(format!("{} is already down", self.name)),
        })
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

/// The volumes whose links udev has made.
fn listed(group: &str) -> Result<Vec<String>> {
    match files::list_directory(Path::new("/dev").join(group)) {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        answer => Ok(answer?),
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
