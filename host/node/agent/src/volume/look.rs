//! What a volume is at this moment, as the resource that uses it needs to know.

use capability::CapabilityError;
use capability::volume::{VolumeCall, VolumeReport};
use driver::{LogSeverity, ReportMessage};
use exec::blocking;
use model::status::State;
use model::{Group, ObjectPath};

use super::place::mount_point;
use super::users;
use crate::action::ActError;
use crate::agent::Agent;
use crate::object::ObjectError;
use crate::snapshot::Snapshot;
use crate::status::InstanceStatus;

/// Looks at the volume, by asking the drivers of its resources. None if no object has that name.
pub(super) async fn look(agent: &Agent, call: &VolumeCall) -> Result<Option<VolumeReport>, CapabilityError> {
    let volume = call.volume()?;
    let Some((snapshot, seen)) = status(agent, &volume).await? else { return Ok(None) };
    let object = snapshot.object().map_err(|error| CapabilityError::Other(error.to_string()))?;
    let (home, asked, path) = (agent.home().clone(), call.clone(), volume.clone());
    let (is_used, users) = blocking(move || users::seen(&home, &path, &asked)).await;
    // With a volume that is undef, nothing is named either: what stands on it would be
    // started on a place that may be bare.
    let is_there = !matches!(seen.sums.avail, State::Down | State::StdbyDown | State::Undef);
    Ok(Some(VolumeReport {
        state: seen.sums.avail,
        provisioned: seen.sums.provisioned,
        messages: messages(&volume, &seen),
        mount_point: mount_point(object, &seen).map(|(_, place)| place).filter(|_| is_there),
        devices: if is_there { devices(&snapshot, &seen) } else { Vec::new() },
        is_used,
        users,
    }))
}

/// The volume and its status. None if no object has that name.
pub(super) async fn status(
    agent: &Agent,
    volume: &ObjectPath,
) -> Result<Option<(Snapshot, InstanceStatus)>, CapabilityError> {
    let failed = |error: ActError| CapabilityError::Other(format!("{volume}: {}", crate::chain(&error)));
    let snapshot = match Snapshot::take(agent, volume).await {
        Ok(snapshot) => snapshot,
        Err(ObjectError::Missing(_)) => return Ok(None),
        Err(error) => return Err(failed(error.into())),
    };
    let seen = agent.status_of(&snapshot).await.map_err(failed)?;
    Ok(Some((snapshot, seen)))
}

/// What the resources of the volume complain of.
fn messages(volume: &ObjectPath, seen: &InstanceStatus) -> Vec<ReportMessage> {
    let of = seen.resources.iter().flat_map(|resource| {
        let worth_telling = resource.messages.iter().filter(|message| message.level >= LogSeverity::Warn);
        worth_telling.map(|message| ReportMessage {
            level: message.level,
            text: format!("{volume} {}: {}", resource.rid, message.text),
        })
    });
    of.collect()
}

/// The devices of the disks that `devices_from` names, or of the last disk that has any.
fn devices(snapshot: &Snapshot, seen: &InstanceStatus) -> Vec<String> {
    let named = snapshot.configuration.document.get(config::DEFAULT, "devices_from").unwrap_or_default();
    let disks = || seen.resources.iter().filter(|resource| resource.rid.group() == Group::Disk);
    if named.split_whitespace().next().is_some() {
        let named = named.split_whitespace();
        return named
            .flat_map(|rid| disks().filter(move |disk| disk.rid.to_string() == rid))
            .flat_map(|disk| disk.devices())
            .collect();
    }
    // As pools number them, a disk stands on those before it: the last one is what is used.
    disks().rev().map(|disk| disk.devices()).find(|devices| !devices.is_empty()).unwrap_or_default()
}
