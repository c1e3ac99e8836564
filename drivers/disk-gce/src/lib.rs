//! `disk.gce`: disks of Google's cloud, attached to this node's instance.
//!
//! Up: every disk of `names` is attached to this node's instance under the name that the resource gives it, and its device
//! exists. Down: none is attached here under such a name. Start attaches the disks and waits for the devices; stop detaches those that
//! start attached, whatever `names` says by then, and that are not in use. A disk that was attached under another name is left alone.
//! Provision creates the disks that do not exist and grows those that are smaller than `size`; unprovision deletes them.
//!
//! A disk that is attached to two instances loses its data. So start takes a disk from another instance only if that instance
//! no longer runs, if the configuration disables this resource on that node, or if it is forced. See `attachment.rs`, and
//! <https://cloud.google.com/compute/docs/disks>.

mod allocation;
mod attachment;

use hostler_family_gce::gce_grants;
use hostler_family_gce::{CloudKeywords, check_name};
use hostler_sdk::prelude::*;

use crate::attachment::{AttachedDisk, OwnInstance};

/// Disks of Google's cloud, attached to this node's instance.
///
/// Disk number n of the resource `disk#<index>` of the service `<name>` is attached as `<name>.disk.<index>.<n>`, counted from
/// 0. Its device is `/dev/disk/by-id/google-<name>.disk.<index>.<n>` on every node. In a namespace other than root, the name
/// begins with the namespace and a dot.
///
/// A disk that is attached to another instance is taken from it only if that instance is gone or does not run, if
/// `disable@<node>` disables the resource there, or with `--force`.
#[derive(Keywords)]
struct CloudDisks {
    /// The names of the disks.
    #[keyword(example = "spdsvc01-pod1")]
    names: Vec<String>,
    /// The size of new disks, rounded up to whole GB. Existing disks that are smaller are grown to it; no disk is ever made
    /// smaller. Not needed with an image or a snapshot.
    #[keyword(provisioning, example = "17g")]
    size: Option<Size>,
    /// The type of new disks. The default is Google's: pd-standard.
    #[keyword(provisioning, example = "pd-ssd")]
    disk_type: Option<String>,
    /// The image for new disks: its name, or `family/` followed by the name of an image family.
    #[keyword(provisioning, example = "family/debian-12")]
    image: Option<String>,
    /// The project of the image. The default is the disks' project.
    #[keyword(provisioning, example = "debian-cloud")]
    image_project: Option<String>,
    /// The snapshot for new disks, instead of an image.
    #[keyword(provisioning, alias = "snapshot", example = "pod1-before-upgrade")]
    source_snapshot: Option<String>,
    /// A description of the disks.
    #[keyword(provisioning, example = "Data of pod 1")]
    description: Option<String>,
    /// How long start waits for the device of a disk that it attached.
    #[keyword(default = "30s")]
    device_timeout: Duration,
    #[keyword(flatten)]
    cloud: CloudKeywords,
}

#[driver]
impl Driver for CloudDisks {
    const NAME: &str = "disk.gce";
    const GRANTS: &[&str] = gce_grants!["block.read = /dev/disk/by-id/**"];

    /// An attachment survives a reboot.
    const PERSISTENT: bool = true;

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let bad = self.names.iter().filter_map(|name| check_name("names", name).err());
        let mut problems: Vec<Problem> = bad.map(|error| problem("names", error)).collect();
        if self.names.is_empty() {
            problems.push(problem("names", "expected the names of one or more disks"));
        }
        Ok(problems)
    }

    fn status(&self, context: &Context) -> Result<Status> {
        let label = format!("gce volumes {}", self.names.join(" "));
        match self.look(context) {
            Ok(status) => Ok(status.label(label)),
            Err(Error::NeedsGrant(line)) => Err(Error::NeedsGrant(line)),
            Err(error) => Ok(Status::undefined(error).label(label)),
        }
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let instance = self.instance(context)?;
        let attached = self.each("attached ", " ", |number, name| {
            let changed = instance.attach(name, &device_name(context, number), context)?;
            Ok(changed.then(|| name.to_owned()))
        })?;
        for (number, name) in self.names.iter().enumerate() {
            let device_name = device_name(context, number);
            let there = self.wait_for(name, &device(&device_name));
            // Log the disks that were attached, because an error has no list of changes.
            there.inspect_err(|_| attached.iter().for_each(log::info))?;
            attachment::remember(&device_name)?;
        }
        Ok(self.outcome(attached, "already attached"))
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        let instance = self.instance(context)?;
        let (mut detached, mut failure) = (Vec::new(), None);
        for disk in instance.own(&mark(context)) {
            match instance.detach(&disk.disk, context) {
                Ok(_) => detached.push(disk.disk.clone()),
                // Go on with the other disks, and report the first error at the end.
                Err(error) if failure.is_none() => failure = Some(error),
                Err(error) => log::error(error),
            }
        }
        let done = (!detached.is_empty()).then(|| format!("detached {}", detached.join(" ")));
        match failure {
            Some(error) => {
                done.iter().for_each(log::info);
                Err(error)
            }
            None => Ok(self.outcome(done, "not attached here")),
        }
    }

    fn provision(&self, context: &Context) -> Result<Outcome> {
        let client = self.cloud.client(context);
        let allocated = self.each("", ", ", |_, name| self.allocate(&client, name))?;
        Ok(self.outcome(allocated, "allocated already"))
    }

    fn unprovision(&self, context: &Context) -> Result<Outcome> {
        let client = self.cloud.client(context);
        let deleted = self.each("deleted ", " ", |_, name| {
            let changed = self.delete(&client, name, context)?;
            Ok(changed.then(|| name.to_owned()))
        })?;
        Ok(self.outcome(deleted, "not allocated"))
    }
}

impl CloudDisks {
    /// The names of the disks. An error if there is none.
    fn names(&self) -> Result<&[String]> {
        match &self.names[..] {
            [] => Err(Error::invalid_config("names is not set: expected the names of one or more disks")),
            names => Ok(names),
        }
    }

    /// Calls `act` for each disk. Returns what was done, or None. If one fails, the changes before it are logged.
    fn each(
        &self,
        head: &str,
        comma: &str,
        mut act: impl FnMut(usize, &str) -> Result<Option<String>>,
    ) -> Result<Option<String>> {
        let mut done = Vec::new();
        let text = |done: &[String]| (!done.is_empty()).then(|| format!("{head}{}", done.join(comma)));
        for (number, name) in self.names()?.iter().enumerate() {
            let acted = act(number, name).inspect_err(|_| text(&done).iter().for_each(log::info))?;
            done.extend(acted);
        }
        Ok(text(&done))
    }

    /// The outcome for what was done, or for nothing to do.
    fn outcome(&self, done: Option<String>, otherwise: &str) -> Outcome {
        match done {
            Some(text) => Outcome::changed(text),
            None => Outcome::unchanged(self.all(otherwise)),
        }
    }

    /// A sentence about all disks: `a is already attached`, `a b are already attached`.
    fn all(&self, what: &str) -> String {
        let verb = if self.names.len() == 1 { "is" } else { "are" };
        format!("{} {verb} {what}", self.names.join(" "))
    }

    fn instance<'a>(&'a self, context: &'a Context) -> Result<OwnInstance<'a>> {
        Ok(OwnInstance::look(self.cloud.client(context))?)
    }

    fn look(&self, context: &Context) -> Result<Status> {
        let instance = self.instance(context)?;
        let mut strangers = Vec::new();
        let (mut faults, mut elsewhere, mut missing, mut devices) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (number, name) in self.names()?.iter().enumerate() {
            let device_name = device_name(context, number);
            match instance.attached(name) {
                Some(found) if !found.is_marked(&mark(context)) => {
                    strangers.push(format!("{name} is attached as {}, and not by this resource", found.device_name));
                }
                // A disk under another device name was attached by other means: its device is not the one that other resources expect.
                Some(found) if found.device_name != device_name => {
                    faults.push(format!("{name} is attached as {}, not as {device_name}", found.device_name));
                }
                Some(_) => {
                    let device = device(&device_name);
                    if block::find(&device)?.is_none() {
                        faults.push(format!("{name} is attached, but there is no {device}"));
                    }
                    devices.push(device);
                }
                None => match instance.client.get(&instance.disk_path(name)?).map_err(Error::from)? {
                    None => missing.push(name.as_str()),
                    Some(disk) => {
                        elsewhere.extend(AttachedDisk::elsewhere(&disk).map(|by| format!("{name} is attached to {by}")))
                    }
                },
            }
        }
        let own: Vec<&AttachedDisk> = instance.own(&mark(context)).collect();
        let (attached, others): (Vec<&AttachedDisk>, _) =
            own.into_iter().partition(|own| self.names.contains(&own.disk));
        faults
            .extend(others.iter().map(|other| format!("{} is attached: names applies at the next start", other.disk)));
        let (is_up, attached) = (!attached.is_empty() || !others.is_empty(), attached.len());
        let mut status = if is_up { Status::up() } else { Status::down() };
        // Attached, but not in full: part of a striped or mirrored volume could be missing.
        if (1..self.names.len()).contains(&attached) {
            faults.push(format!("{attached} of {} disks are attached", self.names.len()));
        }
        status = faults.into_iter().fold(status, Status::degraded);
        status = strangers.into_iter().fold(status, Status::warning);
        status = elsewhere.into_iter().fold(status, Status::info);
        status = devices.iter().fold(status, |status, device| status.exposes("device", device));
        if !missing.is_empty() {
            status = status.info(format!("not allocated: {}", missing.join(" ")));
        }
        Ok(instance.tell_gone(status)?.provisioned_as(match missing.len() {
            0 => Provisioned::Yes,
            count if count == self.names.len() => Provisioned::No,
            _ => Provisioned::Mixed,
        }))
    }

    fn wait_for(&self, name: &str, device: &str) -> Result<()> {
        match block::wait_for(device, self.device_timeout) {
            Ok(_) => Ok(()),
            Err(CapabilityError::TimedOut) => Err(Error::retryable(format!(
                "{name} is attached, but {device} did not appear within {}s: does udev run, with Google's rules \
                 (package google-guest-configs)?",
                self.device_timeout.as_secs_f32()
            ))),
            Err(error) => Err(error.into()),
        }
    }
}

/// The device name under which a disk is attached.
fn device_name(context: &Context, number: usize) -> String {
    format!("{}{number}", mark(context))
}

/// How the device names of this resource begin: by that, its disks are known whatever `names` says.
fn mark(context: &Context) -> String {
    let service = match context.object.split('/').collect::<Vec<_>>()[..] {
        [namespace, _, name] => format!("{namespace}.{name}"),
        _ => context.object.clone(),
    };
    // An index of its own for each disk, so that the names are the same on every node.
    let index = context.rid.split_once('#').map_or("", |(_, index)| index);
    format!("{service}.disk.{index}.")
}

/// The device that Google's udev rules create for that name.
fn device(device_name: &str) -> String {
    format!("/dev/disk/by-id/google-{device_name}")
}

fn problem(keyword: &str, text: impl ToString) -> Problem {
    Problem { keyword: keyword.to_owned(), text: text.to_string() }
}

#[cfg(test)]
mod tests;
