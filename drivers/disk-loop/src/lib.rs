//! `disk.loop`: a loop device backed by a file.
//!
//! Up: this resource attached a loop device, and it still shows that file, whatever the file is called by now. Down: it did not, or
//! the device is detached. A device that something else attached to `file` is a stranger: it counts as down, and is left alone
//! unless `start --local --adopt` takes it on. Provision creates a sparse file of `size`; unprovision deletes it. See losetup(8), loop(4).

use hostler_sdk::holdings::{Force, Holding};
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
        let exists = files::exists(&self.file)?;
        let status = match holdings::present("loop")?.pop() {
            Some(held) => self.attached(&held),
            None => match self.stranger()? {
                Some(stranger) => Status::down().warning(stranger),
                None => Status::down(),
            }
            .provisioned(exists),
        };
        Ok(status.label(self.file.display()))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        if let Some(held) = holdings::present("loop")?.pop() {
            return Ok(Outcome::unchanged(format!("{} is already up", held.text("device"))));
        }
        match block::loop_of(&self.file)? {
            Some(device) if context.adopt() => {
                let adopted = holdings::adopt("loop", &device.path)?;
                Ok(Outcome::unchanged(format!("took on {}", adopted.label)))
            }
            Some(device) => {
                Err(Error::failed(format!("{}: start --local --adopt takes it on", self.not_ours(&device))))
            }
            None => {
                let device = block::attach_loop(&self.file, false)?;
                Ok(Outcome::changed(format!("{} is attached to {}", device.path, self.file.display())))
            }
        }
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let mut detached = Vec::new();
        for held in holdings::present("loop")?.iter().rev() {
            holdings::release(held, Force::None)?;
            detached.push(held.label.clone());
        }
        if detached.is_empty() {
            self.stranger()?.iter().for_each(log::info);
            return Ok(Outcome::unchanged(format!("no device is attached to {}", self.file.display())));
        }
        Ok(Outcome::changed(format!("detached {}", detached.join(", "))))
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

impl LoopDevice {
    /// The status with the device that this resource attached. Its file may have moved, or the keyword may have changed.
    fn attached(&self, held: &Holding) -> Status {
        let status = Status::up().exposes("device", held.text("device")).provisioned(true);
        match held.attribute("file-now").unwrap_or(held.text("file")) {
            now if self.file == Path::new(now) => status,
            // The kernel's words for a file that no directory names any more.
            now if now.ends_with(" (deleted)") => {
                let (device, file) = (held.text("device"), now.trim_end_matches(" (deleted)"));
                status.degraded(format!("{device} is on a file that was removed or replaced: it was {file}"))
            }
            now if self.file == Path::new(held.text("file")) => {
                status.degraded(format!("{} is on {now}, where the file was moved", held.text("device")))
            }
            now => status.degraded(format!("{} is on {now}: file applies at the next start", held.text("device"))),
        }
    }

    /// A sentence about a device that something else attached to the file, if there is one.
    fn stranger(&self) -> Result<Option<String>> {
        Ok(block::loop_of(&self.file)?.map(|device| self.not_ours(&device)))
    }

    fn not_ours(&self, device: &block::Device) -> String {
        format!("{} is attached to {}, but not by this resource", device.path, self.file.display())
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
            .is_changed("detached /dev/loop0 on /srv/a.img")
            .stop()
            .is_unchanged("no device is attached to /srv/a.img")
            .status()
            .is(State::Down);
    }

    #[test]
    fn a_file_that_moved_is_told_and_its_device_is_detached_all_the_same() {
        let host = Host::new().file("/srv/a.img", 64 * MIB);
        image(&host)
            .start()
            .then(|host| host.rename("/srv/a.img", "/srv/b.img"))
            .status()
            .is(State::Warn)
            .mentions("/dev/loop0 is on /srv/b.img, where the file was moved")
            .stop()
            .is_changed("detached /dev/loop0 on /srv/a.img")
            .status()
            .is(State::Down);
        assert_eq!(host.holdings_of("disk#1"), [""; 0]);
    }

    #[test]
    fn a_device_of_another_file_keyword_stays_up_until_the_stop() {
        let host = Host::new().file("/srv/a.img", 64 * MIB).file("/srv/b.img", 64 * MIB);
        image(&host).start();
        let edited = LoopDevice { file: "/srv/b.img".into(), size: Size::mib(64) };
        given(edited).on(&host).status().is(State::Warn).mentions("file applies at the next start").stop();
        image(&host).status().is(State::Down);
    }

    #[test]
    fn a_device_that_something_else_attached_is_neither_up_nor_detached_nor_taken_over() {
        let host = Host::new().file("/srv/a.img", 64 * MIB);
        let other =
            || given(LoopDevice { file: "/srv/a.img".into(), size: Size::mib(64) }).with(Context::fake("disk#2"));
        other().on(&host).start();
        let text = "/dev/loop0 is attached to /srv/a.img, but not by this resource";
        image(&host)
            .status()
            .is(State::Down)
            .mentions(text)
            .start()
            .fails_with("start --local --adopt takes it on")
            .stop()
            .is_unchanged("no device is attached to /srv/a.img");
        other().on(&host).status().is(State::Up);
        let adopting = Context::fake("disk#1").with("adopt", "true");
        let taken = given(LoopDevice { file: "/srv/a.img".into(), size: Size::mib(64) }).with(adopting).on(&host);
        taken.start().fails_with("is held by disk#2 of web: stop that one first").status().is(State::Down);
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
