//! A file system on a block device. It is checked before the mount, and created if the device is empty.

use std::time::Duration;

use hostler_sdk::block::{self, Device};
use hostler_sdk::mount::MountEntry;
use hostler_sdk::state::{self, StateScope};
use hostler_sdk::{CapabilityError, Error, Keywords, Outcome, Problem, Provisioned, Result, Status};

use super::kind::LABEL;
use super::{FilesystemKind, FilesystemMount, MountPoint};
use crate::point::is_read_only;

/// How long udev may take to create the link of a device that was just attached.
const UDEV: Duration = Duration::from_secs(10);

/// The key under which the host keeps the device that was mounted last. At the time of a stop, the label may belong to another
/// device, or the link of the path may be gone; the device that was mounted must be unmounted anyway.
const MOUNTED: &str = "mounted";

/// The keywords of a file system on a block device.
#[derive(Debug, Clone, Keywords)]
pub struct VolumeKeywords {
    /// The block device: a path, or `LABEL=x` or `UUID=x` of the file system on it.
    #[keyword(example = "{disk#1.exposed_devs[0]}")]
    pub dev: String,
    /// The mount point.
    #[keyword(flatten)]
    pub at: MountPoint,
    /// Options for mkfs, each with a value: `-m 1`.
    #[keyword(provisioning, kind = "words", example = "-m 1")]
    pub mkfs_opt: Vec<String>,
    /// The device on which `provision` creates the file system if `dev` is a label that no device has yet. The default is the
    /// first device of the disk with the same index: that of `disk#01` for `fs#01`.
    #[keyword(provisioning, default = "{disk.exposed_devs[0]}", example = "{disk#1.exposed_devs[0]}")]
    pub mkfs_dev: Option<String>,
}

impl VolumeKeywords {
    /// For tests: `dev` at `mnt`, with the defaults of all other keywords.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn fake(dev: &str, mnt: &str) -> VolumeKeywords {
        VolumeKeywords { dev: dev.to_owned(), at: MountPoint::fake(mnt), mkfs_opt: Vec::new(), mkfs_dev: None }
    }

    /// The file system of this kind, with the options of `mnt_opt`.
    pub fn of(&self, kind: &'static FilesystemKind) -> VolumeFilesystem<'_> {
        VolumeFilesystem { volume: self, kind, options: self.at.options() }
    }
}

/// A file system of a kind on a device: one function for each verb of the resource.
pub struct VolumeFilesystem<'a> {
    volume: &'a VolumeKeywords,
    kind: &'static FilesystemKind,
    options: Vec<String>,
}

impl VolumeFilesystem<'_> {
    /// Replaces the options of `mnt_opt`.
    #[must_use]
    pub fn options(mut self, options: Vec<String>) -> Self {
        self.options = options;
        self
    }

    /// The problems of the keywords beyond their types.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = self.volume.at.problems();
        problems.extend(self.mkfs_options().err().map(|text| Problem::new("mkfs_opt", text)));
        let label = label_of(&self.volume.dev).filter(|label| label.len() > self.kind.label);
        problems.extend(label.map(|label| {
            let (longest, fstype) = (self.kind.label, self.kind.fstype);
            let text = format!("the label {label} has {} bytes: {fstype} stores {longest} at most", label.len());
            Problem::new("dev", text)
        }));
        problems
    }

    /// The options of `mkfs_opt`, and the label if `dev` is one.
    fn mkfs_options(&self) -> std::result::Result<Vec<String>, String> {
        let VolumeKeywords { dev, mkfs_opt, .. } = self.volume;
        let mut options = self.kind.arrange(mkfs_opt)?;
        let Some(label) = label_of(dev) else { return Ok(options) };
        match options.iter().position(|option| option == LABEL).and_then(|at| options.get(at + 1)) {
            // Without this, an option of mkfs_opt could give the device a label by which start would not find it.
            Some(other) if other != label => return Err(format!("{LABEL} {other} is not the label of dev = {dev}")),
            Some(_) => {}
            None => options.extend([LABEL.to_owned(), label.to_owned()]),
        }
        self.kind.arrange(&options)
    }

    /// The status: up if the device is mounted, provisioned if it contains such a file system.
    pub fn status(&self) -> Result<Status> {
        let device = match self.known_device() {
            Ok(device) => device,
            // A label with a bad syntax is a mistake of the configuration: the state is unknown, and the reason is shown.
            Err(CapabilityError::Invalid(reason)) => return Ok(Status::undefined(reason).label(self.label())),
            Err(error) => return Err(error.into()),
        };
        let mounted = self.mounted(device.as_ref());
        if let Some(other) = mounted.stranger()?
            && self.may_be_ours(&other, device.as_ref())
        {
            let text =
                format!("{}: it cannot be determined now whether that is {}", mounted.taken(&other), self.volume.dev);
            return Ok(Status::undefined(text).label(self.label()));
        }
        let status = mounted.status()?.label(self.label());
        let status = match mounted.is_mounted()? {
            true => status.provisioned(true),
            false => self.formatted(device.as_ref(), status),
        };
        Ok(match &device {
            Some(device) => status.uses("device", &device.path),
            None => status,
        })
    }

    /// Whether the device that is mounted there may have been `dev` at the time of the mount. A path that still exists names the
    /// same device as then; a label may have moved to another device.
    fn may_be_ours(&self, other: &MountEntry, device: Option<&Device>) -> bool {
        let is_certain = device.is_some() && self.volume.dev.starts_with('/');
        other.fstype == self.kind.fstype && !is_certain
    }

    /// The device, if the grants allow to look at it. They are bound to the devices that other resources expose; once such a
    /// resource is down, the grant is gone. Then a mount is recognised by the device's name alone.
    fn known_device(&self) -> std::result::Result<Option<Device>, CapabilityError> {
        match block::find(&self.volume.dev) {
            Err(CapabilityError::Denied(_)) if self.volume.dev.starts_with('/') => Ok(None),
            answer => answer,
        }
    }

    fn label(&self) -> String {
        format!("{}@{}", self.volume.dev, self.volume.at.mnt.display())
    }

    fn formatted(&self, device: Option<&Device>, status: Status) -> Status {
        if device.is_none() {
            return status.provisioned_as(Provisioned::Unknown);
        }
        match block::probe(device.map_or(&self.volume.dev, |device| &device.path)) {
            // The kernel knows ext2, ext3 and ext4 under one type, so other signatures than the own one may be mountable.
            Ok(Some(found)) if self.kind.signatures.contains(&found.kind.as_str()) => status.provisioned(true),
            Ok(Some(found)) => {
                let text = format!("{} holds {}, not {}", self.volume.dev, found.kind, self.kind.fstype);
                status.provisioned(false).warning(text)
            }
            Ok(None) => status.provisioned(false),
            // A failed probe says nothing about the content.
            Err(error) => status.provisioned_as(Provisioned::Unknown).info(error),
        }
    }

    /// Checks the file system and mounts it.
    pub fn start(&self) -> Result<Outcome> {
        let device = block::find(&self.volume.dev)?;
        let mounted = self.remembered(device.as_ref());
        // A mounted file system is not checked: e2fsck would damage it.
        if mounted.is_mounted()? {
            return mounted.start();
        }
        // Looked up once: the check and the mount get this very device.
        let device = awaited(&self.volume.dev)?;
        match (is_read_only(&self.options), device.read_only) {
            (true, _) => {}
            (false, true) => {
                let text =
                    format!("{} is read-only: with mnt_opt = ro it can be mounted all the same", self.volume.dev);
                return Err(Error::failed(text));
            }
            (false, false) => self.kind.check(&device)?,
        }
        // Recorded before the mount, so that a stop after an interrupted start finds it.
        state::set(StateScope::Boot, MOUNTED, &device.path)?;
        self.mounted(Some(&device)).start()
    }

    /// Unmounts the file system.
    pub fn stop(&self) -> Result<Outcome> {
        let device = self.known_device()?;
        let stopped = self.remembered(device.as_ref()).stop()?;
        // An error is harmless: the value is only compared with what is mounted at this mount point.
        let _ = state::remove(StateScope::Boot, MOUNTED);
        Ok(stopped)
    }

    /// Creates the file system on an empty device. A device that contains something is never overwritten.
    pub fn provision(&self) -> Result<Outcome> {
        let dev = self.to_provision()?;
        let device = awaited(dev)?;
        match block::probe(&device.path)? {
            None => {
                if let Some(problem) = self.validate().into_iter().next() {
                    return Err(Error::invalid_config(format!("{}: {}", problem.keyword, problem.text)));
                }
                let options = self.mkfs_options().map_err(|why| Error::invalid_config(format!("mkfs_opt: {why}")))?;
                self.kind.make(&device.path, options)
            }
            // mkfs_dev is only a fallback: content on it means that the label was lost or that it is another resource's.
            Some(found) if *dev != self.volume.dev => Err(Error::failed(format!(
                "no device is {}, and {dev}, which would become it, holds {} already (label {:?}): it is not overwritten",
                self.volume.dev, found.kind, found.label
            ))),
            Some(found) if self.kind.signatures.contains(&found.kind.as_str()) => {
                Ok(Outcome::unchanged(format!("{dev} already holds {}", found.kind)))
            }
            Some(found) => Err(Error::failed(format!(
                "{dev} holds {}: it is not overwritten; if it is not needed, clear it with wipefs -a {dev}",
                found.kind
            ))),
        }
    }

    /// The device to create the file system on: the one that `dev` names or, if no device has that label yet, `mkfs_dev`.
    fn to_provision(&self) -> Result<&String> {
        let VolumeKeywords { dev, mkfs_dev, .. } = self.volume;
        if dev.starts_with('/') || block::find(dev)?.is_some() {
            return Ok(dev);
        }
        // A UUID cannot be given to a file system that is made here, unlike a label.
        if label_of(dev).is_none() {
            return Err(Error::failed(format!("no device is {dev}, and a file system is not made to be it")));
        }
        mkfs_dev.as_ref().ok_or_else(|| {
            let text = "there is none to make it on: no disk with the same index exposes one, and mkfs_dev names none";
            Error::failed(format!("no device is {dev}, and {text}"))
        })
    }

    /// Leaves the data as it is: only the resource that created the device destroys it.
    pub fn unprovision(&self) -> Result<Outcome> {
        let VolumeKeywords { dev, .. } = self.volume;
        Ok(Outcome::unchanged(format!("the {} on {dev} is left as it is", self.kind.fstype)))
    }

    fn mounted(&self, device: Option<&Device>) -> FilesystemMount<'_> {
        // The kernel lists a mounted device under its own name, whatever link was mounted.
        let shown = device.map_or_else(|| self.volume.dev.clone(), |device| device.path.clone());
        FilesystemMount {
            at: &self.volume.at,
            fstype: self.kind.fstype,
            source: &self.volume.dev,
            device: device.map(|device| device.path.clone()),
            options: self.options.clone(),
            is_ours: Box::new(move |entry| Ok(entry.source == shown)),
        }
    }

    /// The same, but it also recognises the device that `dev` named when it was mounted.
    fn remembered(&self, device: Option<&Device>) -> FilesystemMount<'_> {
        let now = self.mounted(device);
        let is_now = now.is_ours;
        let is_ours = move |entry: &MountEntry| {
            Ok(is_now(entry)? || state::get(StateScope::Boot, MOUNTED)?.is_some_and(|device| device == entry.source))
        };
        FilesystemMount { is_ours: Box::new(is_ours), ..now }
    }
}

/// The label in `LABEL=x`.
fn label_of(dev: &str) -> Option<&str> {
    dev.strip_prefix("LABEL=").map(|label| label.trim_matches('"'))
}

/// Waits for a device that udev may be about to create.
fn awaited(dev: &str) -> Result<Device> {
    match block::wait_for(dev, UDEV) {
        Err(CapabilityError::TimedOut) => Err(Error::retryable(format!("{dev} does not exist"))),
        answer => Ok(answer?),
    }
}
