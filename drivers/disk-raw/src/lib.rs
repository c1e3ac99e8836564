//! `disk.raw`: existing block devices, exposed so that other resources can use them.
//!
//! Not applicable: `devs` exist, whether the service runs or not; status warns about a wrong owner or mode. Down: none exists.
//! Start corrects owner and mode, which udev resets at the next boot; stop does nothing.

use hostler_family_ownership::PathOwnership;
use hostler_sdk::files::FileKind;
use hostler_sdk::prelude::*;

/// Existing block devices, with their owner and mode.
#[derive(Keywords)]
struct RawDevices {
    /// The devices.
    #[keyword(example = "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4")]
    devs: Vec<String>,
    /// Their owner and their mode.
    #[keyword(flatten)]
    ownership: PathOwnership,
}

#[driver]
impl Driver for RawDevices {
    const NAME: &str = "disk.raw";
    const GRANTS: &[&str] = &["block.read = {kw:devs}", "files.write(group={kw:group}) = {kw:devs}"];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let empty = Problem::new("devs", "expected at least one device");
        Ok(if self.devs.is_empty() { vec![empty] } else { Vec::new() })
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let mut found = Vec::new();
        let mut faults = Vec::new();
        for dev in &self.devs {
            match block::find(dev)? {
                None => faults.push(format!("{dev} does not exist")),
                Some(device) => {
                    faults.extend(self.differences(dev)?);
                    found.push(device.path);
                }
            }
        }
        let status = match found.is_empty() {
            true => faults.into_iter().fold(Status::down(), Status::info),
            false => faults.into_iter().fold(Status::not_applicable(), Status::warning),
        };
        let status = found.into_iter().fold(status, |status, device| status.exposes("device", device));
        Ok(status.label(self.devs.join(" ")))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        let mut corrected = Vec::new();
        for dev in &self.devs {
            if block::find(dev)?.is_none() {
                // udev may be about to make it.
                return Err(Error::retryable(format!("{dev} does not exist")));
            }
            // The attributes of a link itself are not those of the device, so they cannot show that nothing has to be done.
            if !self.differences(dev)?.is_empty() || self.ownership.is_wanted() && is_link(dev)? {
                self.ownership.apply(dev)?;
                corrected.push(dev.as_str());
            }
        }
        Ok(match corrected.is_empty() {
            true => Outcome::unchanged(format!("{} exist already", self.devs.join(" "))),
            false => Outcome::changed(format!("set owner and mode of {}", corrected.join(" "))),
        })
    }
}

impl RawDevices {
    /// The differences from the keywords. The attributes of a link's target cannot be read, so start always sets them.
    fn differences(&self, dev: &str) -> Result<Vec<String>> {
        let device = files::stat(dev)?.filter(|stat| stat.kind == FileKind::Block);
        let differences = device.map(|stat| self.ownership.differences(&stat)).unwrap_or_default();
        Ok(differences.into_iter().map(|difference| format!("{dev}: {difference}")).collect())
    }
}

fn is_link(dev: &str) -> Result<bool> {
    Ok(files::stat(dev)?.is_some_and(|stat| stat.kind == FileKind::Symlink))
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, MIB, given};

    use super::*;

    fn raw(host: &Host, ownership: PathOwnership) -> Case<RawDevices> {
        given(RawDevices { devs: vec!["/dev/sdb".to_owned(), "/dev/sdc".to_owned()], ownership }).on(host)
    }

    #[test]
    fn it_is_up_when_all_devices_are_there() {
        let none = Host::new();
        let one = Host::new().device("/dev/sdb", MIB);
        let both = Host::new().device("/dev/sdb", MIB).device("/dev/sdc", MIB);
        raw(&none, PathOwnership::default()).status().is(State::Down).mentions("/dev/sdb does not exist");
        raw(&one, PathOwnership::default()).status().is(State::NotApplicable).mentions("/dev/sdc does not exist");
        raw(&both, PathOwnership::default())
            .status()
            .is(State::NotApplicable)
            .labelled("/dev/sdb /dev/sdc")
            .exposes("device", "/dev/sdb")
            .exposes("device", "/dev/sdc");
    }

    #[test]
    fn start_sets_owner_and_mode_once() {
        let host = Host::new().device("/dev/sdb", MIB).device("/dev/sdc", MIB);
        let ownership = PathOwnership { user: Some("oracle".to_owned()), group: None, perm: Some(Mode(0o640)) };
        raw(&host, ownership)
            .status()
            .is(State::NotApplicable)
            .mentions("/dev/sdb: owner root, not oracle")
            .start()
            .is_changed("set owner and mode of /dev/sdb /dev/sdc")
            .start()
            .is_unchanged("/dev/sdb /dev/sdc exist already")
            .status()
            .is(State::NotApplicable)
            .stop()
            .is_unchanged("");
        assert_eq!(host.owner("/dev/sdc").as_deref(), Some("0640 oracle:root"));
    }

    #[test]
    fn start_names_the_device_that_is_not_there() {
        raw(&Host::new().device("/dev/sdb", MIB), PathOwnership::default())
            .start()
            .fails_with("/dev/sdc does not exist");
    }
}
