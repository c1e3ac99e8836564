//! A file system on a block device. It is checked before the mount, and created if the device is empty.

use std::time::Duration;

use hostler_sdk::block::{self, Device};
use hostler_sdk::holdings::Holding;
use hostler_sdk::mount;
use hostler_sdk::state::{self, StateScope};
use hostler_sdk::{CapabilityError, Context, Error, Keywords, Outcome, Problem, Provisioned, Result, Status};

use super::kind::LABEL;
use super::{FilesystemKind, FilesystemMount, MountPoint, held_mount};
use crate::point::is_read_only;

/// How long udev may take to create the link of a device that was just attached.
const UDEV: Duration = Duration::from_secs(10);

/// The key under which the host keeps how many errors of the disk the file system had counted when it was mounted.
const ERRORS: &str = "errors";

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
        match held_mount()? {
            Some(held) => self.status_of(&held),
            None => self.status_below(),
        }
    }

    /// The status of the mount that is there. Its device is the one that it was mounted from, whatever `dev` leads to by now.
    fn status_of(&self, held: &Holding) -> Result<Status> {
        let device = held.text("source");
        let mut status = self.mounted(None).status_of(held)?;
        // Only a path is looked up: a label may be written on many devices, and finding it means reading them.
        // What an edit leads to, the status of the mount says.
        let is_certain = !self.is_content() && !self.kind.several && !self.mounted(None).is_edited("dev")?;
        if let Some(now) = self.known_device().ok().flatten().filter(|now| is_certain && now.path != device) {
            let text =
                format!("{device} is mounted, and {} leads to {}: a restart takes that", self.volume.dev, now.path);
            status = status.degraded(text);
        }
        let errors = self.new_errors()?;
        if errors > 0 {
            let text =
                format!("{errors} errors of the disk since it was mounted: see dmesg(1), then stop and start it");
            status = status.degraded(text);
        }
        Ok(status.label(self.label()).provisioned(true).uses("device", device))
    }

    /// The status while nothing of this resource is mounted.
    fn status_below(&self) -> Result<Status> {
        let device = match self.known_device() {
            Ok(device) => device,
            // Two devices have the label, or its syntax is wrong. Nothing is mounted all the same.
            Err(CapabilityError::Invalid(reason)) => {
                return Ok(self.mounted(None).status()?.warning(reason).label(self.label()));
            }
            Err(error) => return Err(error.into()),
        };
        let status = self.formatted(device.as_ref(), self.mounted(device.as_ref()).status()?.label(self.label()));
        Ok(match &device {
            Some(device) => status.uses("device", &device.path),
            None => status,
        })
    }

    /// How many errors were counted since the mount, if the file system counts them.
    fn new_errors(&self) -> Result<u64> {
        let Some(before) = state::get(StateScope::Boot, ERRORS)?.and_then(|text| text.parse().ok()) else {
            return Ok(0);
        };
        Ok(mount::errors_of(&self.volume.at.mnt)?.unwrap_or(0).saturating_sub(before))
    }

    /// Whether `dev` names a device by what is on it.
    fn is_content(&self) -> bool {
        !self.volume.dev.starts_with('/')
    }

    /// The device, if the grants allow to look at it. They are bound to the devices that other resources expose; once such a
    /// resource is down, the grant is gone.
    fn known_device(&self) -> std::result::Result<Option<Device>, CapabilityError> {
        match self.is_content() {
            false => block::find(&self.volume.dev).or_else(|error| match error {
                CapabilityError::Denied(_) => Ok(None),
                error => Err(error),
            }),
            true => block::find(&self.volume.dev),
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

    /// Checks the file system and mounts it. A mounted file system is not checked: e2fsck would damage it.
    pub fn start(&self, context: &Context) -> Result<Outcome> {
        if context.adopt() {
            // The grants of `dev` then hold for the device that the stranger was mounted from, if it is that one.
            let _ = self.known_device();
        }
        if let Some(outcome) = self.mounted(None).found(context)? {
            return Ok(outcome);
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
        let started = self.mounted(Some(&device)).mount()?;
        // ext4 counts its errors in the superblock, over all mounts: only those since this one are told.
        match mount::errors_of(&self.volume.at.mnt)? {
            Some(errors) => state::set(StateScope::Boot, ERRORS, &errors.to_string())?,
            None => state::remove(StateScope::Boot, ERRORS)?,
        }
        Ok(started)
    }

    /// Unmounts the file system.
    pub fn stop(&self) -> Result<Outcome> {
        self.mounted(None).stop()
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
        FilesystemMount {
            at: &self.volume.at,
            fstype: self.kind.fstype,
            source: &self.volume.dev,
            device: device.map(|device| device.path.clone()),
            options: self.options.clone(),
        }
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
