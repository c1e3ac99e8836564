//! `disk.loop`: a loop device backed by a file.
//!
//! Up: a loop device is attached to `file`. Down: none is attached. Provision creates a sparse file of `size`; unprovision
//! deletes it. See losetup(8), loop(4).

use hostler_sdk::prelude::*;

/// A loop device backed by a file.
///
/// Stop detaches the device; the file and its content stay. `provision` creates the file if it does not exist, and leaves an
/// existing file as it is.
#[derive(Keywords)]
struct LoopDevice {
    /// The file behind the device.
    #[keyword(example = "/srv/{fqdn}/{rid}.img")]
    file: PathBuf,
    /// The size of a new file.
    #[keyword(provisioning, default = "1g", example = "512m")]
    size: Size,
}

#[driver]
impl Driver for LoopDevice {
    const NAME: &str = "disk.loop";
    const GRANTS: &[&str] = &["block.loop = {kw:file}", "files.write = {kw:file}"];

    fn status(&self, _: &Context) -> Result<Status> {
        let status = match block::loop_of(&self.file)? {
            Some(device) => Status::up().exposes("device", device.path),
            None => Status::down(),
        };
        Ok(status.label(self.file.display()).provisioned(files::exists(&self.file)?))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        if let Some(device) = block::loop_of(&self.file)? {
            return Ok(Outcome::unchanged(format!("{} is already up", device.path)));
        }
        let device = block::attach_loop(&self.file, false)?;
        Ok(Outcome::changed(format!("{} is attached to {}", device.path, self.file.display())))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        if !block::detach_loop(&self.file)? {
            return Ok(Outcome::unchanged(format!("no device is attached to {}", self.file.display())));
        }
        Ok(Outcome::changed(format!("detached the loop device of {}", self.file.display())))
    }

    fn provision(&self, _: &Context) -> Result<Outcome> {
        if files::exists(&self.file)? {
            return Ok(Outcome::unchanged(format!("{} already exists", self.file.display())));
        }
        files::allocate(&self.file, self.size)?;
        Ok(Outcome::changed(format!("made {} of {}", self.file.display(), self.size)))
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        if !files::remove(&self.file)? {
            return Ok(Outcome::unchanged(format!("{} does not exist", self.file.display())));
        }
        Ok(Outcome::changed(format!("removed {}", self.file.display())))
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, MIB, given, stop_undoes_any_failed_start};

    use super::*;

    fn image(host: &Host) -> Case<LoopDevice> {
        given(LoopDevice { file: "/srv/a.img".into(), size: Size::mib(64) }).on(host)
    }

    #[test]
    fn start_attaches_once_and_says_so_the_second_time() {
        let host = Host::new().file("/srv/a.img", 64 * MIB);
        image(&host)
            .start()
            .is_changed("/dev/loop0 is attached to /srv/a.img")
            .start()
            .is_unchanged("/dev/loop0 is already up")
            .status()
            .is(State::Up)
            .labelled("/srv/a.img")
            .exposes("device", "/dev/loop0");
    }

    #[test]
    fn stop_detaches_and_does_not_mind_what_is_missing() {
        let host = Host::new().file("/srv/a.img", 64 * MIB);
        image(&host)
            .start()
            .stop()
            .is_changed("detached the loop device of /srv/a.img")
            .stop()
            .is_unchanged("no device is attached to /srv/a.img")
            .status()
            .is(State::Down);
    }

    #[test]
    fn stop_undoes_a_start_that_failed_half_way() {
        stop_undoes_any_failed_start(|| image(&Host::new().file("/srv/a.img", 64 * MIB)));
    }

    #[test]
    fn a_device_in_use_is_worth_another_try() {
        let host = Host::new().file("/srv/a.img", 64 * MIB).busy("/srv/a.img");
        let busy = Error::retryable("detach /dev/loop0: device or resource busy");
        image(&host).start().stop().fails(&busy).status().is(State::Up);
    }

    #[test]
    fn start_without_the_file_fails_and_names_it() {
        image(&Host::new()).start().fails_with("/srv/a.img: not found");
    }

    #[test]
    fn provision_leaves_a_file_that_exists_as_it_is() {
        let host = Host::new().text_file("/srv/a.img", "precious");
        image(&host).provision().is_unchanged("/srv/a.img already exists");
        assert_eq!(host.content("/srv/a.img").as_deref(), Some("precious"));
    }

    #[test]
    fn unprovision_removes_what_provision_made() {
        let host = Host::new().directory("/srv");
        image(&host)
            .provision()
            .is_changed("made /srv/a.img of 64m")
            .status()
            .is_provisioned(true)
            .unprovision()
            .is_changed("removed /srv/a.img")
            .status()
            .is_provisioned(false)
            .unprovision()
            .is_unchanged("/srv/a.img does not exist");
    }

    #[test]
    fn a_denial_names_the_missing_grant() {
        let line = "block.loop = /srv/a.img".to_owned();
        let host = Host::new()
            .file("/srv/a.img", 64 * MIB)
            .failing("block.attach-loop", CapabilityError::Denied(line.clone()));
        image(&host).start().fails(&Error::NeedsGrant(line));
    }
}
