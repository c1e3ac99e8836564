//! Where the content of a volume may go. The agent writes it with its own rights, and the configuration of the volume, which says where
//! that is, may be another user's.

use std::path::{Path, PathBuf};

use capability::CapabilityError;
use capability::holdings::Ledger;
use grant::op::WritePath;
use grant::{Access, GrantContext, GrantKeyword, GrantRequest, Grants, NoDeviceLedger, Policy};
use holding::Holding;
use kernel::files::SET_ID;
use kernel::mount::mountinfo;
use kernel::process::UserAccount;
use model::object::Object;
use model::status::State;
use model::{Group, ObjectPath, Rid};

use crate::Directories;
use crate::snapshot::Snapshot;
use crate::state::InstanceState;
use crate::status::InstanceStatus;

/// The namespace whose objects the site itself writes.
const ROOT: &str = "root";

/// The shallowest of the places that the file systems of a volume make, and the resource that makes it. One that is down has made
/// nothing, and a default of a third party was never read by those who wrote the configuration.
pub(super) fn mount_point(object: &Object, seen: &InstanceStatus) -> Option<(Rid, PathBuf)> {
    let is_there = |rid: &Rid| {
        let seen = seen.resources.iter().find(|seen| seen.rid == *rid);
        seen.is_some_and(|seen| !matches!(seen.state, State::Down | State::StdbyDown | State::Undef))
    };
    let file_systems = object.resources.iter();
    let file_systems = file_systems.filter(|resource| resource.rid.group() == Group::Fs && is_there(&resource.rid));
    let places = file_systems.flat_map(|resource| {
        let places = resource.keywords.iter().filter(|keyword| keyword.place && keyword.provenance.binds());
        let known = places.filter_map(|keyword| keyword.known.as_ref()).flatten();
        known.map(|place| (resource.rid.clone(), PathBuf::from(place)))
    });
    places.min_by_key(|(_, place)| (place.components().count(), place.clone()))
}

/// What the namespace of a volume lets the agent write for it.
#[derive(Debug)]
pub(super) enum ContentRights {
    /// Whatever its file systems hold: an operator of the namespace `root` has written where they are.
    Root,
    /// All of a file system that the host has mounted for the volume.
    Mounted,
    /// What the policy of the namespace allows.
    Policy { grants: Box<Grants>, namespace: String },
}

impl ContentRights {
    /// Those at the real path of the mount point. Blocks.
    pub(super) fn of(
        home: &Directories,
        volume: &ObjectPath,
        snapshot: &Snapshot,
        (rid, real): (&Rid, &Path),
    ) -> Result<ContentRights, CapabilityError> {
        if volume.namespace() == ROOT {
            return Ok(ContentRights::Root);
        }
        if is_mounted_for(home, volume, real)? {
            return Ok(ContentRights::Mounted);
        }
        let policy = snapshot.namespace.as_ref().map_err(|why| CapabilityError::Other(why.clone()))?;
        let invalid = |error: &dyn std::fmt::Display| CapabilityError::Invalid(error.to_string());
        let requests = ["files.write = {kw:place}", "files.write = {kw:place}/**"];
        let requests: Result<Vec<GrantRequest>, _> = requests.iter().map(|line| line.parse()).collect();
        let requests = requests.map_err(|error| invalid(&error))?;
        let values = [real.display().to_string()];
        let place = GrantKeyword::written("place", &values);
        let context = GrantContext {
            object: volume.clone(),
            rid: rid.clone(),
            node: snapshot.node.name.clone(),
            rundir: home.volatile(volume),
            statedir: InstanceState::of(home, volume).driver_state(rid),
            config: home.config(volume),
            peers: Vec::new(),
        };
        let bound = Grants::bind(&requests, &context, &[place], &NoDeviceLedger, &Policy::everything(), policy);
        let grants = Box::new(bound.map_err(|error| invalid(&error))?);
        Ok(ContentRights::Policy { grants, namespace: volume.namespace().to_string() })
    }

    /// Whether a file or a directory may be written at this real path.
    pub(super) fn may_write(&self, path: &Path) -> Result<(), CapabilityError> {
        let ContentRights::Policy { grants, namespace } = self else { return Ok(()) };
        grants.permit(WritePath { path: path.to_owned() }, Access::Mutate).map(drop).map_err(|denied| {
            let text = format!(
                "the content of a volume at {}: allow {} in etc/namespaces/{namespace}/policy",
                path.display(),
                denied.line
            );
            CapabilityError::Denied(text)
        })
    }

    /// Whether what is written may have this mode: outside of `root`, nothing runs as another user than the one who starts it.
    pub(super) fn may_have_mode(&self, mode: u32) -> Result<(), CapabilityError> {
        if matches!(self, ContentRights::Root) || mode & SET_ID == 0 {
            return Ok(());
        }
        let text = format!("the mode {mode:o}: a set-user-id file, which no namespace but root may have");
        Err(CapabilityError::Denied(text))
    }

    /// Whether what is written may be given to the group: outside of `root`, it must be one of its owner's own. Blocks.
    pub(super) fn may_have_group(&self, owner: u32, group: u32) -> Result<(), CapabilityError> {
        if matches!(self, ContentRights::Root) {
            return Ok(());
        }
        let is_own = UserAccount::owns_group(Some(&owner.to_string()), &group.to_string());
        match is_own.map_err(|error| CapabilityError::Other(error.to_string()))? {
            true => Ok(()),
            false => Err(CapabilityError::Denied(format!("the group {group}: the user {owner} is not in it"))),
        }
    }
}

/// Whether a mount that the host made for the volume is there. Blocks.
fn is_mounted_for(home: &Directories, volume: &ObjectPath, real: &Path) -> Result<bool, CapabilityError> {
    let held = Ledger::open(&home.holdings(volume)).records(|record| !record.is_undone());
    let mounts = mountinfo::mounts_at(real).map_err(|error| CapabilityError::Other(error.to_string()))?;
    let Some(top) = mounts.last() else { return Ok(false) };
    let made = held.iter().filter_map(|record| match &record.holding {
        Holding::Mount(mount) => mount.made.as_ref(),
        _ => None,
    });
    Ok(made.into_iter().any(|made| (made.id, made.device) == (top.id, top.device)))
}
