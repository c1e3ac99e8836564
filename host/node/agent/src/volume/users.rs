//! Which resources of this node use a volume: a file for each, in a directory that a reboot empties and no driver may write.

use std::path::PathBuf;
use std::time::Duration;

use capability::CapabilityError;
use capability::volume::VolumeCall;
use exec::blocking;
use holding::Holding;
use model::{ObjectKind, ObjectPath, Rid};
use plan::Action;

use crate::action::{ActError, ActionRequest, RequestOrigin};
use crate::agent::Agent;
use crate::file::durable;
use crate::file::lock::FileLock;
use crate::state::InstanceState;
use crate::{Directories, holdings};

/// The kind of holding by which a driver declares that it uses a volume.
const VOLUME: &str = "volume";

/// The users of a volume, under their lock.
pub(super) struct VolumeUsers {
    directory: PathBuf,
    own: String,
    _lock: FileLock,
}

impl VolumeUsers {
    /// Waits until no other resource changes or rests on the list.
    pub(super) async fn lock(
        home: &Directories,
        volume: &ObjectPath,
        call: &VolumeCall,
    ) -> Result<VolumeUsers, CapabilityError> {
        let directory = directory_of(home, volume);
        let lock = directory.with_extension("lock");
        let (made, place) = (directory.clone(), volume.clone());
        let making = blocking(move || {
            kernel::files::make_directory(&made, 0o755)
                .map_err(|error| CapabilityError::Other(format!("{place}: {error}")))
        });
        making.await?;
        // A moment is left of the driver's time, for the answer that says who holds the lock.
        let wait = call.remaining.saturating_sub(Duration::from_millis(100));
        let lock = FileLock::take(&lock, &call.asker(), wait).await;
        let lock = lock.map_err(|error| CapabilityError::Other(format!("{volume}: {error}")))?;
        Ok(VolumeUsers { directory, own: file_name(&call.subject.object, &call.subject.rid), _lock: lock })
    }

    /// The other users, in words.
    pub(super) fn others(&self) -> Vec<String> {
        listed(&self.directory).into_iter().filter(|name| *name != self.own).map(|name| in_words(&name)).collect()
    }

    /// Notes that the resource uses the volume.
    pub(super) fn add(&self) -> Result<(), CapabilityError> {
        durable::note(&self.directory.join(&self.own), b"")
            .map_err(|error| CapabilityError::Other(crate::chain(&error)))
    }

    /// Notes that it does not any more.
    pub(super) fn remove(&self) {
        let _ = std::fs::remove_file(self.directory.join(&self.own));
    }
}

/// Whether the resource that asks uses the volume, and who else does. Blocks.
pub(super) fn seen(home: &Directories, volume: &ObjectPath, call: &VolumeCall) -> (bool, Vec<String>) {
    let own = file_name(&call.subject.object, &call.subject.rid);
    let all = listed(&directory_of(home, volume));
    let is_used = all.contains(&own);
    (is_used, all.into_iter().filter(|name| *name != own).map(|name| in_words(&name)).collect())
}

/// Whether this resource uses the volume. Blocks.
pub(super) fn uses(home: &Directories, volume: &ObjectPath, object: &ObjectPath, rid: &Rid) -> bool {
    directory_of(home, volume).join(file_name(object, rid)).exists()
}

/// Refuses to take a volume down by hand while services use it.
pub(crate) fn refuse_if_used(agent: &Agent, object: &ObjectPath, request: &ActionRequest) -> Result<(), ActError> {
    let takes_down = matches!(request.action, Action::Stop | Action::Restart | Action::Unprovision);
    let is_asked_by_hand = request.origin != RequestOrigin::Service && !request.force && request.filter.is_empty();
    if object.kind() != ObjectKind::Vol || !takes_down || !is_asked_by_hand {
        return Ok(());
    }
    let users: Vec<String> = listed(&directory_of(agent.home(), object)).iter().map(|name| in_words(name)).collect();
    match users.is_empty() {
        true => Ok(()),
        false => Err(ActError::InUse { object: object.clone(), users: users.join(", ") }),
    }
}

/// Forgets the users of a volume that was taken down all the same. Blocks.
pub(crate) fn give_up_users(home: &Directories, volume: &ObjectPath) {
    let directory = directory_of(home, volume);
    for name in listed(&directory) {
        let _ = std::fs::remove_file(directory.join(name));
    }
}

/// Forgets that a resource uses volumes: an operator gave up what it holds. Blocks.
pub(crate) fn give_up_use(home: &Directories, object: &ObjectPath, rid: &Rid) {
    for volume in volumes_of(home, object) {
        let _ = std::fs::remove_file(directory_of(home, &volume).join(file_name(object, rid)));
    }
}

/// The volumes that the resources of an object use on this node, as their drivers declared. Blocks.
pub(crate) fn volumes_of(home: &Directories, object: &ObjectPath) -> Vec<ObjectPath> {
    if object.kind() != ObjectKind::Svc {
        return Vec::new();
    }
    let declared = holdings::declared(&InstanceState::of(home, object), |rid| rid.starts_with("volume#"));
    let volume = |holding: Holding| match holding {
        Holding::Declared(declared) if declared.kind == VOLUME => {
            ObjectPath::new(object.namespace(), ObjectKind::Vol, &declared.id).ok()
        }
        _ => None,
    };
    let mut volumes: Vec<ObjectPath> = declared.into_iter().filter_map(|record| volume(record.holding)).collect();
    volumes.sort();
    volumes.dedup();
    volumes
}

fn directory_of(home: &Directories, volume: &ObjectPath) -> PathBuf {
    home.volume_users(volume).join("users")
}

/// The users are services of the volume's own namespace, whose names hold no `@`.
fn file_name(object: &ObjectPath, rid: &Rid) -> String {
    format!("{}@{rid}", object.name())
}

fn in_words(name: &str) -> String {
    name.replacen('@', " ", 1)
}

fn listed(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.contains('@') && !name.starts_with('.'))
        .collect();
    names.sort();
    names
}
