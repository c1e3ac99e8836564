//! The attachment of disks: which instance has a disk, and when it may be taken from there.

use std::time::Duration;

use hostler_family_gce::{ComputeClient, ComputeError, ComputeResult, InstanceRef, check_name, failed, name_of};
use hostler_sdk::block;
use hostler_sdk::state::{self, StateScope};
use hostler_sdk::{Context, Error, Result, Status, clock, holdings, log};
use serde_json::{Value, json};

use crate::device;

/// The kind of holding: a disk that is attached here, whose id is the disk's name.
const ATTACHMENT: &str = "attachment";

/// How long to wait for a device that is still in use. udev may be probing it, and a process that has just created a mount
/// namespace has a copy of each mount until it drops the copies.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);

/// The instance that is this node, as the API describes it.
pub(crate) struct OwnInstance<'a> {
    pub(crate) client: ComputeClient<'a>,
    disks: Vec<AttachedDisk>,
}

/// A disk that is attached to an instance.
#[derive(Debug, Clone)]
pub(crate) struct AttachedDisk {
    pub(crate) disk: String,
    pub(crate) device_name: String,
}

impl AttachedDisk {
    fn of(found: &Value) -> AttachedDisk {
        let device_name = found["deviceName"].as_str().unwrap_or_default().to_owned();
        AttachedDisk { disk: name_of(&found["source"]).to_owned(), device_name }
    }

    /// Whether a resource with this mark attached it.
    pub(crate) fn is_marked(&self, mark: &str) -> bool {
        let number = self.device_name.strip_prefix(mark);
        number.is_some_and(|number| !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit()))
    }

    /// A description of what keeps its device in use.
    fn user(&self, context: &Context) -> Result<Option<String>> {
        let device = device(&self.device_name);
        // udev may have lost the link while the kernel still has the device, possibly mounted. Only force goes on then.
        if block::find(&device)?.is_none()
            && state::get(StateScope::Boot, &self.device_name)?.is_some()
            && !context.force()
        {
            let text = "was there and is gone, so it cannot be determined whether it is in use";
            return Ok(Some(format!("{device} {text}: bring it back with udevadm trigger, or detach it with --force")));
        }
        let mut user = None;
        clock::wait_until(PATIENCE, PAUSE, || {
            user = block::user_of(&device)?;
            Ok(user.is_none())
        })?;
        Ok(user)
    }

    /// The instance that a disk is attached to, if it is attached.
    pub(crate) fn elsewhere(disk: &Value) -> Option<InstanceRef> {
        // A disk that can be written has one user. Only disks that are read may have several.
        InstanceRef::of(disk["users"][0].as_str()?)
    }
}

impl<'a> OwnInstance<'a> {
    /// Asks the API for the instance.
    pub(crate) fn look(client: ComputeClient<'a>) -> ComputeResult<OwnInstance<'a>> {
        let path = client.own_path()?;
        let Some(found) = client.get(&path)? else {
            let text = format!(
                "there is no instance {path} in {} (see gce_instance, gce_zone, gce_project)",
                client.project()?
            );
            return Err(ComputeError::NotFound(text));
        };
        let disks = found["disks"].as_array().map(|disks| disks.iter().map(AttachedDisk::of).collect());
        Ok(OwnInstance { client, disks: disks.unwrap_or_default() })
    }

    /// The attachment of a disk to this instance, if it is attached.
    pub(crate) fn attached(&self, name: &str) -> Option<&AttachedDisk> {
        self.disks.iter().find(|attached| attached.disk == name)
    }

    /// The disks that a resource with this mark attached.
    pub(crate) fn own(&self, mark: &str) -> impl Iterator<Item = &AttachedDisk> {
        self.disks.iter().filter(move |disk| disk.is_marked(mark))
    }

    /// The path of a disk within the project.
    pub(crate) fn disk_path(&self, name: &str) -> Result<String> {
        disk_path(&self.client, name)
    }

    /// Attaches a disk to this instance. False if it is already attached.
    pub(crate) fn attach(&self, name: &str, device_name: &str, context: &Context) -> Result<bool> {
        match self.attached(name) {
            Some(found) if found.device_name == device_name => {
                hold(name, device_name)?;
                return Ok(false);
            }
            Some(found) => {
                return Err(Error::failed(format!(
                    "{name} is attached as {}, not as {device_name}: detach it first (om … stop does, if this resource attached it)",
                    found.device_name
                )));
            }
            None => {}
        }
        let path = self.disk_path(name)?;
        let doing = || format!("cannot attach {name}");
        let disk = self.client.get(&path).map_err(failed(doing()))?;
        let disk =
            disk.ok_or_else(|| Error::failed(format!("{name} is not allocated in {path}: provision it first")))?;
        // The API would accept the request and fail later, with a less helpful message.
        if disk["status"] != "READY" {
            let status = disk["status"].as_str().unwrap_or("in an unknown state");
            return Err(Error::retryable(format!("{name} is {status}, not READY: try again when it is")));
        }
        if let Some(other) = AttachedDisk::elsewhere(&disk) {
            self.take(name, &other, &disk, context)?;
        }
        let source = format!("projects/{}/{path}", self.client.project().map_err(failed(doing()))?);
        let body = json!({"source": source, "deviceName": device_name, "mode": "READ_WRITE", "autoDelete": false});
        let verb = format!("{}/attachDisk", self.client.own_path().map_err(failed(doing()))?);
        // Before the request, whose end may stay unknown.
        hold(name, device_name)?;
        let attached = self.client.change("POST", &verb, "", Some(&body), &format!("attaching {name}"));
        if attached.is_err() && self.is_free(&path) {
            holdings::withdraw(ATTACHMENT, name)?;
        }
        attached.map_err(failed(doing()))?;
        Ok(true)
    }

    /// Whether the disk is surely attached to no instance.
    fn is_free(&self, path: &str) -> bool {
        let disk = self.client.get(path).ok().flatten();
        disk.is_some_and(|disk| AttachedDisk::elsewhere(&disk).is_none())
    }

    /// Adds to a status which disks that were attached here are not any more: another node may take one, and only Google knows.
    pub(crate) fn tell_gone(&self, status: Status) -> Result<Status> {
        let held = holdings::list()?.into_iter().filter(|held| held.kind == ATTACHMENT);
        let gone = held.filter(|held| self.attached(&held.id).is_none());
        Ok(gone.fold(status, |status, held| status.gone(ATTACHMENT, &held.id)))
    }

    /// Detaches a disk from another instance, if that is safe.
    fn take(&self, name: &str, other: &InstanceRef, disk: &Value, context: &Context) -> Result<()> {
        let doing = || format!("cannot take {name} from {other}");
        let Some(found) = self.client.get(&other.path()).map_err(failed(doing()))? else { return Ok(()) };
        let why = match found["status"].as_str().unwrap_or_default() {
            "TERMINATED" | "STOPPED" => "which does not run".to_owned(),
            _ if is_disabled_on(context, &other.name) => "where the configuration disables this resource".to_owned(),
            _ if context.force() => "by force".to_owned(),
            status => {
                return Err(Error::failed(format!(
                    "{name} is attached to {other}, which is {status}: stop the service there, or disable this resource there \
                     (disable@{other} = true), or take it with --force if nothing there uses it"
                )));
            }
        };
        let disks = found["disks"].as_array().cloned().unwrap_or_default();
        let attached = disks.iter().find(|attached| attached["source"] == disk["selfLink"]);
        if let Some(attached) = attached.map(AttachedDisk::of) {
            detach(&self.client, &other.path(), &attached).map_err(failed(doing()))?;
            log::info(format!("{name} is taken from {other}, {why}"));
        }
        Ok(())
    }

    /// Detaches a disk from this instance. False if it is not attached. A disk in use stays attached.
    pub(crate) fn detach(&self, name: &str, context: &Context) -> Result<bool> {
        let Some(attached) = self.attached(name) else { return Ok(false) };
        if let Some(user) = attached.user(context)? {
            return Err(Error::retryable(format!("cannot detach {name}: {user}")));
        }
        let path = self.client.own_path().map_err(failed(format!("cannot detach {name}")))?;
        detach(&self.client, &path, attached).map_err(failed(format!("cannot detach {name}")))?;
        // An error is harmless: the value is only read while a disk is attached under that name.
        let _ = state::remove(StateScope::Boot, &attached.device_name);
        holdings::withdraw(ATTACHMENT, name)?;
        Ok(true)
    }
}

/// Declares that the disk is attached, unless that is declared already. It outlasts a boot, as an attachment does.
fn hold(name: &str, device_name: &str) -> Result<()> {
    let label = format!("the disk {name}, attached as {device_name}");
    let is_it = |held: &holdings::Holding| held.kind == ATTACHMENT && held.id == name && held.label == label;
    if !holdings::list()?.iter().any(is_it) {
        holdings::declare(StateScope::Persistent, ATTACHMENT, name, &label, &[])?;
    }
    Ok(())
}

/// Remembers that the device of an attached disk appeared. A device that never appeared cannot be in use.
pub(crate) fn remember(device_name: &str) -> Result<()> {
    Ok(state::set(StateScope::Boot, device_name, "seen")?)
}

fn detach(client: &ComputeClient<'_>, instance: &str, attached: &AttachedDisk) -> ComputeResult<()> {
    let query = format!("deviceName={}", attached.device_name);
    client.change("POST", &format!("{instance}/detachDisk"), &query, None, &format!("detaching {}", attached.disk))
}

/// Whether the configuration disables this resource on the peer with this instance.
fn is_disabled_on(context: &Context, instance: &str) -> bool {
    context.disabled_nodes().any(|node| node.split('.').next() == Some(instance))
}

pub(crate) fn disk_path(client: &ComputeClient<'_>, name: &str) -> Result<String> {
    check_name("names", name)?;
    Ok(format!("zones/{}/disks/{name}", client.zone()?))
}
