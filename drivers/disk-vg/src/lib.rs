//! `disk.vg`: an LVM volume group.
//!
//! Up: the group is tagged with the name of this node, and its volumes are active. Down: it does not have the tag, and no volume
//! is active. Stop deactivates the group that start activated, by its UUID, whatever the keywords say by then. If nodes share the disks, the tag says which node has the group; a group that is active on two nodes loses its
//! data. So start takes a group with another tag only if the configuration disables this resource on the node of that name, or if
//! it is forced; it then replaces all other tags by its own. Provision creates the group from `pvs`, such that neither the boot
//! nor udev activates it; unprovision removes it if it has no volumes. See vgchange(8), lvmautoactivation(7).

mod group;

use hostler_family_lvm as lvm;
use hostler_family_options as options;
use hostler_sdk::prelude::*;

use crate::group::GroupState;

/// An LVM volume group.
///
/// The agent manages the tags of the group: the tag is the name of the node where the group is up, and a stopped group has none.
/// If the group has another tag, because that node died for example, it starts only if `disable@<node>` disables the resource on
/// that node, or with `--force`: make sure first that the group is not up there. All volumes are activated and deactivated
/// together; `disk.lv` does it one by one. LVM itself must not activate the group: for a group that was created by other means,
/// run `vgchange --setautoactivation n NAME`. Needs LVM 2.03.12 or later.
#[derive(Keywords)]
struct VolumeGroup {
    /// The name of the volume group.
    #[keyword(example = "data")]
    name: String,
    /// The devices to create the group from. They must be empty.
    #[keyword(provisioning, example = "/dev/sdb /dev/sdc")]
    pvs: Vec<String>,
    /// Options of vgcreate, each with a value: --alloc, --dataalignment, --maxlogicalvolumes, --metadatasize,
    /// --physicalextentsize.
    #[keyword(provisioning, kind = "words", example = "--physicalextentsize 8m")]
    options: Vec<String>,
}

/// The options that `options` may contain, in the order of the grant. --config is excluded, because it can run programs.
const OPTIONS: [&str; 5] =
    ["--alloc *", "--dataalignment *", "--maxlogicalvolumes *", "--metadatasize *", "--physicalextentsize *"];

/// How long udev may take to create a device.
const UDEV: Duration = Duration::from_secs(10);

#[driver]
impl Driver for VolumeGroup {
    const NAME: &str = "disk.vg";
    const GRANTS: &[&str] = &[
        "exec(read) = /sbin/vgs --readonly --reportformat json -o vg_name,vg_uuid,vg_tags",
        "exec(read) = /sbin/lvs --readonly --reportformat json -o vg_name,lv_name,lv_role",
        "exec(read) = /sbin/pvs --readonly --reportformat json -o pv_name,vg_name",
        "files.read = /dev/{kw:name}/**",
        "block.read = /dev/{kw:name}/**",
        "block.read = {kw:pvs}",
        // Tags are metadata on the disks, which LVM changes without device-mapper: no capability is needed.
        "exec = /sbin/vgchange --deltag * -- {kw:name}",
        "exec = /sbin/vgchange --addtag {node} -- {kw:name}",
        // LVM locks its memory and raises its priority while devices are suspended, hence the capabilities beside cap_sys_admin.
        "exec(caps=cap_sys_admin+cap_sys_nice+cap_ipc_lock) = /sbin/vgchange -ay -- {kw:name}",
        "exec(caps=cap_sys_admin+cap_sys_nice+cap_ipc_lock) = /sbin/vgchange -an -- {kw:name}",
        // If another program has renamed the group.
        "block.undo = dm:LVM-*",
        "exec = /sbin/vgcreate --setautoactivation n [--alloc *] [--dataalignment *] [--maxlogicalvolumes *] [--metadatasize *] \
         [--physicalextentsize *] -- {kw:name} {kw:pvs}",
        "exec = /sbin/vgremove -- {kw:name}",
        "exec = /sbin/pvremove -- {kw:pvs}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let name = lvm::fault_of_name(&self.name).map(|text| Problem::new("name", text));
        let options = options::arrange(&OPTIONS, &self.options).err().map(|text| Problem::new("options", text));
        Ok(name.into_iter().chain(options).collect())
    }

    fn status(&self, context: &Context) -> Result<Status> {
        let group = match self.group(context) {
            Err(Error::Failed(why)) => return Ok(Status::undefined(why).label(&self.name)),
            Err(error) => return Err(error),
            Ok(None) => return Ok(Status::down().label(&self.name).provisioned_as(self.without_group()?)),
            Ok(Some(group)) => group,
        };
        let status = match (group.is_of(&context.node), group.active.is_empty(), group.inactive.is_empty()) {
            (true, _, true) => Status::up(),
            (true, true, false) => Status::down(),
            (true, false, false) => Status::up().degraded(format!("not active: {}", group.inactive.join(" "))),
            (false, true, _) => Status::down(),
            (false, false, _) => Status::down().degraded(format!(
                "active without the tag {}: {}; if LVM did that by itself, vgchange --setautoactivation n {}",
                context.node,
                group.active.join(" "),
                group.name
            )),
        };
        let status = match &group.earlier_name {
            Some(earlier) if group.active.is_empty() => status.info(format!("{earlier} is called {} now", group.name)),
            Some(earlier) => status.degraded(format!("{earlier} is called {} now", group.name)),
            None if group.name == self.name => status,
            None => status.degraded(format!("{} is up: name applies at the next start", group.name)),
        };
        let status = match group.others(&context.node) {
            others if others.is_empty() => status,
            others => status.info(format!("tagged {}", others.join(" "))),
        };
        let device = |volume: &String| lvm::device_of(&group.name, volume).display().to_string();
        let status = group.active.iter().fold(status, |status, volume| status.exposes("device", device(volume)));
        let status = self.pvs.iter().fold(status, |status, pv| status.uses("device", pv));
        Ok(status.label(&self.name).provisioned(true))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let group = self.existing(context)?;
        if group.is_of(&context.node) && group.inactive.is_empty() {
            group.hold()?;
            return Ok(Outcome::unchanged(format!("{} is already up", group.name)));
        }
        for tag in group.others(&context.node) {
            // All tags are checked before the first change, so that a refusal leaves the group as it was.
            self.may_replace(tag, context)?;
        }
        for tag in group.others(&context.node) {
            log::warn(format!("{} was tagged {tag}: it is this node's now", group.name));
            group.change(&["--deltag", tag])?;
        }
        group.hold()?;
        // The tag comes before the activation: if this node dies in between, the other nodes see whose group it is.
        if !group.is_of(&context.node) {
            group.change(&["--addtag", &context.node])?;
        }
        if !group.inactive.is_empty() {
            group.change(&["-ay"])?;
            for volume in &group.inactive {
                block::wait_for(lvm::device_of(&group.name, volume), UDEV)?;
            }
        }
        Ok(Outcome::changed(format!("{} is up", group.name)))
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        let Some(group) = self.group(context)? else {
            return Ok(Outcome::unchanged(format!("{} is not here", self.name)));
        };
        if !group.is_of(&context.node) && group.active.is_empty() {
            return Ok(Outcome::unchanged(format!("{} is already down", group.name)));
        }
        // Deactivation comes first: without the tag, another node could start while volumes are still active here.
        if group.earlier_name.is_some() {
            return group.stop_renamed(&context.node);
        }
        if !group.active.is_empty() {
            group.change(&["-an"])?;
        }
        if group.is_of(&context.node) {
            group.change(&["--deltag", &context.node])?;
        }
        Ok(Outcome::changed(format!("{} is down", group.name)))
    }

    fn provision(&self, _: &Context) -> Result<Outcome> {
        if GroupState::find(&self.name)?.is_some() {
            return Ok(Outcome::unchanged(format!("{} already exists", self.name)));
        }
        if self.pvs.is_empty() {
            return Err(Error::invalid_config(format!("pvs: no devices to make {} of", self.name)));
        }
        for pv in &self.pvs {
            self.must_be_free(pv)?;
        }
        let options = options::arrange(&OPTIONS, &self.options)
            .map_err(|reason| Error::invalid_config(format!("options: {reason}")))?;
        let make = Command::new("/sbin/vgcreate")
            .args(["--setautoactivation", "n"])
            .args(options)
            .arg("--")
            .arg(&self.name)
            .args(self.pvs.clone());
        make.check()?;
        Ok(Outcome::changed(format!("made {} of {}", self.name, self.pvs.join(" "))))
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        let group = GroupState::find(&self.name)?;
        // The data of the volumes belong to other resources, which have to destroy them.
        if let Some(volumes) = group.as_ref().map(GroupState::volumes).filter(|volumes| !volumes.is_empty()) {
            let volumes = volumes.join(" ");
            return Err(Error::failed(format!("{} holds {volumes}: remove them first, see lvremove(8)", self.name)));
        }
        if group.is_some() {
            Command::new("/sbin/vgremove").arg("--").arg(&self.name).check()?;
        }
        // vgremove leaves the devices prepared for LVM, and another provision would refuse them for that.
        let labelled = self.labelled()?;
        if labelled {
            Command::new("/sbin/pvremove").arg("--").args(self.pvs.clone()).check()?;
        }
        Ok(match group.is_some() || labelled {
            true => Outcome::changed(format!("removed {}", self.name)),
            false => Outcome::unchanged(format!("{} does not exist", self.name)),
        })
    }
}

impl VolumeGroup {
    /// The group that is held, or else that of the keyword. The host keeps the record after a stop, until it has seen that no volume is
    /// left.
    fn group(&self, context: &Context) -> Result<Option<GroupState>> {
        match GroupState::held()?.filter(|held| held.is_of(&context.node) || !held.active.is_empty()) {
            Some(held) => Ok(Some(held)),
            None => GroupState::find(&self.name),
        }
    }

    fn existing(&self, context: &Context) -> Result<GroupState> {
        let absent =
            || Error::failed(format!("there is no volume group {}: are its disks here? see pvs(8)", self.name));
        self.group(context)?.ok_or_else(absent)
    }

    /// Fails if the tag of another node must stay: the group is up there, or was when that node died. A node on which the
    /// configuration disables the resource has no right to the group.
    fn may_replace(&self, tag: &str, context: &Context) -> Result<()> {
        if context.force() || context.disabled_nodes().any(|node| node == tag) {
            return Ok(());
        }
        Err(Error::failed(format!(
            "{} is tagged {tag}: stop the service there, or take it with --force once {tag} is surely off",
            self.name
        )))
    }

    /// Whether the group exists elsewhere, if it is not found here. If all its devices are here and empty, it was never created.
    fn without_group(&self) -> Result<Provisioned> {
        for pv in &self.pvs {
            if block::find(pv)?.is_none() || block::probe(pv)?.is_some_and(|found| found.kind == group::MEMBER) {
                return Ok(Provisioned::Unknown);
            }
        }
        Ok(if self.pvs.is_empty() { Provisioned::Unknown } else { Provisioned::No })
    }

    /// Fails if the device contains something. A device that is prepared for LVM and belongs to no group may be used.
    fn must_be_free(&self, pv: &str) -> Result<()> {
        block::wait_for(pv, UDEV)?;
        match block::probe(pv)? {
            None => Ok(()),
            Some(found) if found.kind == group::MEMBER => Ok(()),
            Some(found) => Err(Error::failed(format!(
                "{pv} holds {}: it is not overwritten; if it is not needed, clear it with wipefs -a {pv}",
                found.kind
            ))),
        }
    }

    /// Whether all of `pvs` are prepared for LVM and belong to no group.
    fn labelled(&self) -> Result<bool> {
        for pv in &self.pvs {
            let signature = if block::find(pv)?.is_some() { block::probe(pv)? } else { None };
            if signature.is_none_or(|found| found.kind != group::MEMBER) {
                return Ok(false);
            }
        }
        Ok(!self.pvs.is_empty() && !group::in_use(&self.pvs)?)
    }
}

#[cfg(test)]
mod tests;
