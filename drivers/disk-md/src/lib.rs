//! `disk.md`: a Linux software RAID.
//!
//! Up: this resource assembled the array as `/dev/md/NAME`, and it runs. Down: it does not. udev may have assembled it at boot: then
//! start takes it on, and says so. Stop stops the array that start assembled, whatever the keywords say by then. Provision creates it from `devs` and keeps its
//! UUID on this node. A driver cannot change the configuration, so it logs the UUID: write it as `uuid` for the other nodes.
//! Unprovision clears `devs`. If nodes share the disks, `AUTO -all` in mdadm.conf(5) prevents udev from assembling the array.
//! See mdadm(8).

mod array;

use hostler_family_device::{HeldDevice, MadeDevice, not_ours};
use hostler_sdk::prelude::*;

use crate::array::{ArrayState, same_uuid};

/// A Linux software RAID.
#[derive(Keywords)]
struct SoftwareRaid {
    /// The name of the array, at most 32 characters. Its device is /dev/md/NAME.
    #[keyword(default = "{namespace}.{name}.disk.{rindex}", example = "data")]
    name: String,
    /// The devices of the array. Without them, the array is searched by `uuid` on all devices.
    #[keyword(example = "/dev/sdb /dev/sdc")]
    devs: Vec<String>,
    /// The UUID that the array must have. The default is the UUID that provision kept on this node, if any.
    #[keyword(example = "808a2785:6b4e2147:7eb9fb04:9ac16668")]
    uuid: Option<String>,
    /// The RAID level.
    #[keyword(
        provisioning,
        candidates("raid0", "raid1", "raid4", "raid5", "raid6", "raid10", "linear"),
        default = "raid1"
    )]
    level: String,
    /// The number of spare devices: the last ones of `devs`, which replace a device that fails.
    #[keyword(provisioning, default = "0", example = "1")]
    spares: u32,
    /// The chunk size: how much data goes to one device before the next one. The default is mdadm's.
    #[keyword(provisioning, example = "512k")]
    chunk: Option<Size>,
    /// Whether the array keeps a bitmap of unwritten regions, so that it needs no full resync after a crash.
    #[keyword(provisioning, candidates("internal", "none"), example = "internal")]
    bitmap: Option<String>,
}

/// The key under which provision keeps the UUID.
const UUID: &str = "uuid";
/// The signature of the devices of an array.
const MEMBER: &str = "linux_raid_member";
/// How long udev may take to create the link of a device.
const UDEV: Duration = Duration::from_secs(10);

#[driver]
impl Driver for SoftwareRaid {
    const NAME: &str = "disk.md";
    const GRANTS: &[&str] = &[
        "exec(read) = /sbin/mdadm --detail /dev/md/{kw:name}",
        "block.read = /dev/md/{kw:name}",
        "block.read = {kw:devs}",
        // Capabilities: mdadm creates the device node itself where udev does not.
        "exec(caps=cap_sys_admin+cap_mknod) = /sbin/mdadm --assemble /dev/md/{kw:name} [--uuid *] [{kw:devs}]",
        "exec(caps=cap_sys_admin+cap_mknod) = /sbin/mdadm --stop /dev/md/{kw:name}",
        // If another program has removed the link.
        "block.undo = md:*",
        "exec(caps=cap_sys_admin+cap_mknod) = /sbin/mdadm --create /dev/md/{kw:name} --run --uuid * --metadata 1.2 --level {kw:level} \
         --raid-devices * [--spare-devices {kw:spares}] [--chunk *] [--bitmap {kw:bitmap}] {kw:devs}",
        "exec = /sbin/mdadm --zero-superblock {kw:devs}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut problem = |keyword: &str, text: String| problems.push(Problem::new(keyword, text));
        let legal = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
        if self.name.is_empty()
            || self.name.len() > 32
            || !self.name.chars().all(legal)
            || self.name.starts_with(['-', '.'])
        {
            problem(
                "name",
                format!("{:?} is not a name for an array: expected at most 32 of a-z, A-Z, 0-9, _ . -", self.name),
            );
        }
        if self.devs.is_empty() && self.uuid.is_none() {
            problem("devs", "neither devs nor uuid is set".to_owned());
        }
        if self.spares > 0 && self.spares as usize >= self.devs.len() {
            problem("spares", format!("{} spares of {} devices leave none to hold data", self.spares, self.devs.len()));
        }
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let status = match self.seen() {
            Err(Error::Failed(why)) => Status::undefined(why),
            answer => answer?,
        };
        let status = self.devs.iter().fold(status, |status, dev| status.uses("device", dev));
        // A running array contains its devices, whatever a probe of them says.
        let provisioned = if status.state() == State::Up { Provisioned::Yes } else { self.members()? };
        Ok(status.label(self.device()).provisioned_as(provisioned))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        if let Some(held) = HeldDevice::present()? {
            return Ok(Outcome::unchanged(format!("{} is already up", held.path)));
        }
        let uuid = self.known_uuid()?;
        match self.array()? {
            Some(array) if array.is_running() => {
                array.must_be(uuid.as_deref(), &self.device())?;
                self.as_held(&array.uuid, |made| made.take_on())?;
                return Ok(Outcome::unchanged(format!("took on {}, which was assembled already", self.device())));
            }
            // udev assembled the array in part, and it waits for the other devices. mdadm cannot assemble it while it is held.
            Some(_) => self.mdadm(&["--stop"], &[])?,
            None => {}
        }
        let words = uuid.iter().flat_map(|uuid| ["--uuid".to_owned(), uuid.clone()]);
        let words = words.chain(self.devs.clone()).collect::<Vec<_>>();
        let assemble = || {
            self.mdadm(&["--assemble"], &words)?;
            block::wait_for(self.device(), UDEV)?;
            Ok(())
        };
        match uuid.map_or_else(|| self.uuid_of_members(), |uuid| Ok(Some(uuid)))? {
            Some(uuid) => self.as_held(&uuid, |made| made.make(assemble))?,
            None => {
                assemble()?;
                let uuid = self.array()?.map(|array| array.uuid).unwrap_or_default();
                self.as_held(&uuid, |made| made.take_on())?;
            }
        }
        Ok(Outcome::changed(format!("{} is up", self.device())))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let Some(held) = HeldDevice::present()? else {
            if block::find(self.device())?.is_some() {
                log::info(format!("{}: it stays", self.stranger()));
            }
            return Ok(Outcome::unchanged(format!("{} is already down", self.device())));
        };
        held.stop(|path| Command::new("/sbin/mdadm").args(["--stop", path]).check().map(drop))
    }

    fn provision(&self, context: &Context) -> Result<Outcome> {
        // Devices with a RAID signature may be an array that another node or an earlier provision created.
        if block::find(self.device())?.is_some() || self.members()? == Provisioned::Yes {
            return Ok(Outcome::unchanged(format!("{} already exists", self.device())));
        }
        let devices = self.devs.len().saturating_sub(self.spares as usize);
        if devices == 0 {
            return Err(Error::invalid_config(format!("devs: no devices to make {} of", self.device())));
        }
        for dev in &self.devs {
            must_be_empty(dev)?;
        }
        let uuid = context.new_uuid(self.device());
        self.as_held(&uuid, |made| {
            made.make(|| {
                self.mdadm(&["--create"], &self.creation(&uuid, devices))?;
                block::wait_for(self.device(), UDEV)?;
                Ok(())
            })
        })?;
        let array = self.array()?.ok_or_else(|| Error::failed(format!("{} is gone again", self.device())))?;
        // As mdadm writes it. Start and unprovision compare it, so as not to act on another array.
        state::set(state::StateScope::Persistent, UUID, &array.uuid)?;
        log::info(format!("to name the array on other nodes too: uuid = {}", array.uuid));
        Ok(Outcome::changed(format!("made {} of {}", self.device(), self.devs.join(" "))))
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        match self.members()? {
            Provisioned::No => return Ok(Outcome::unchanged(format!("{} does not exist", self.device()))),
            // Some devices are missing here, and may contain the array elsewhere.
            Provisioned::Unknown => {
                return Err(Error::failed(format!(
                    "the devices of {} are not all here: left as they are",
                    self.device()
                )));
            }
            _ => {}
        }
        if let Some(uuid) = self.known_uuid()? {
            self.must_belong(&uuid)?;
        }
        Command::new("/sbin/mdadm").arg("--zero-superblock").args(self.devs.clone()).check()?;
        // The last step: if the clearing is interrupted, the next one still compares the UUID.
        state::remove(state::StateScope::Persistent, UUID)?;
        Ok(Outcome::changed(format!("cleared {}", self.devs.join(" "))))
    }
}

impl SoftwareRaid {
    fn device(&self) -> String {
        format!("/dev/md/{}", self.name)
    }

    fn array(&self) -> Result<Option<ArrayState>> {
        match block::find(self.device())? {
            None => Ok(None),
            Some(_) => ArrayState::read(&self.device()).map(Some),
        }
    }

    /// The status, without what is provisioned.
    fn seen(&self) -> Result<Status> {
        if let Some(held) = HeldDevice::present()? {
            return self.running(&held);
        }
        let Some(array) = self.array()? else { return Ok(Status::down()) };
        Ok(match array.must_be(self.known_uuid()?.as_deref(), &self.device()) {
            Ok(()) => Status::down().warning(format!("{}: start takes it on", self.stranger())),
            // Another array under our name: it must not be used, and its owner may still need it.
            Err(error) => Status::down().degraded(error),
        })
    }

    /// The status with the array that this resource assembled.
    fn running(&self, held: &HeldDevice) -> Result<Status> {
        let status = held.status()?;
        if held.path != self.device() {
            return Ok(status.degraded(format!("{} is up: name applies at the next start", held.path)));
        }
        let Some(array) = self.array()? else { return Ok(status) };
        let status = match array.must_be(self.uuid.as_deref(), &held.path) {
            Ok(()) => status,
            Err(error) => status.degraded(format!("{error}: uuid applies at the next start")),
        };
        Ok(match array.fault() {
            Some(fault) => status.degraded(fault),
            None => array.work.iter().fold(status, Status::info),
        })
    }

    /// The array as it is held.
    fn as_held<T>(&self, uuid: &str, hold: impl FnOnce(&MadeDevice<'_>) -> Result<T>) -> Result<T> {
        let (path, id) = (self.device(), format!("md:{uuid}"));
        hold(&MadeDevice { path: &path, id: &id, label: &format!("the array {path}") })
    }

    fn stranger(&self) -> String {
        not_ours(&format!("{} is assembled already", self.device()))
    }

    /// The UUID of the array that the devices belong to.
    fn uuid_of_members(&self) -> Result<Option<String>> {
        for dev in &self.devs {
            let found = if block::find(dev)?.is_some() { block::probe(dev)? } else { None };
            if let Some(found) = found.filter(|found| found.kind == MEMBER && !found.uuid.is_empty()) {
                return Ok(Some(found.uuid));
            }
        }
        Ok(None)
    }

    /// The UUID of the keyword, or else the one that provision kept.
    fn known_uuid(&self) -> Result<Option<String>> {
        match &self.uuid {
            Some(uuid) => Ok(Some(uuid.clone())),
            None => Ok(state::get(state::StateScope::Persistent, UUID)?),
        }
    }

    /// Whether the devices belong to an array. Unknown if some of them are missing: they may still appear.
    fn members(&self) -> Result<Provisioned> {
        let (mut members, mut absent) = (0, 0);
        for dev in &self.devs {
            match block::find(dev)? {
                None => absent += 1,
                Some(_) => members += usize::from(block::probe(dev)?.is_some_and(|found| found.kind == MEMBER)),
            }
        }
        Ok(match members {
            _ if self.devs.is_empty() || absent > 0 => Provisioned::Unknown,
            0 => Provisioned::No,
            members if members < self.devs.len() => Provisioned::Mixed,
            _ => Provisioned::Yes,
        })
    }

    fn must_belong(&self, uuid: &str) -> Result<()> {
        for dev in &self.devs {
            if let Some(found) =
                block::probe(dev)?.filter(|found| found.kind == MEMBER && !same_uuid(&found.uuid, uuid))
            {
                return Err(Error::failed(format!(
                    "{dev} belongs to the array {}, not to {uuid}: left as it is",
                    found.uuid
                )));
            }
        }
        Ok(())
    }

    /// The arguments after `--create` and the device, in the order of the grant.
    fn creation(&self, uuid: &str, devices: usize) -> Vec<String> {
        // mdadm asks the user about a device that seems to be in use, and a driver has no terminal for the answer. The
        // driver has looked at what the devices hold before.
        let mut words = vec!["--run".to_owned()];
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        // Known before, so that an array whose creation is interrupted is recognised.
        option("--uuid", uuid.to_owned());
        option("--metadata", "1.2".to_owned());
        option("--level", self.level.clone());
        option("--raid-devices", devices.to_string());
        if self.spares > 0 {
            option("--spare-devices", self.spares.to_string());
        }
        if let Some(chunk) = self.chunk {
            // mdadm reads the chunk in KiB.
            option("--chunk", format!("{}K", chunk.as_bytes().div_ceil(1024)));
        }
        if let Some(bitmap) = &self.bitmap {
            option("--bitmap", bitmap.clone());
        }
        words.extend(self.devs.clone());
        words
    }

    fn mdadm(&self, mode: &[&str], rest: &[String]) -> Result<()> {
        Command::new("/sbin/mdadm").args(mode.iter().copied()).arg(self.device()).args(rest.to_vec()).check()?;
        Ok(())
    }
}

/// Fails if the device contains something, because `mdadm --create --run` overwrites it.
fn must_be_empty(dev: &str) -> Result<()> {
    block::wait_for(dev, UDEV)?;
    match block::probe(dev)? {
        None => Ok(()),
        Some(found) => Err(Error::failed(format!(
            "{dev} holds {}: it is not overwritten; if it is not needed, clear it with wipefs -a {dev}",
            found.kind
        ))),
    }
}

#[cfg(test)]
mod tests;
