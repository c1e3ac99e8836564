//! `disk.lv`: an LVM logical volume.
//!
//! Up: this resource activated the volume, and its device `/dev/VG/NAME` exists. Down: it does not. LVM may have activated it at boot,
//! or `disk.vg` with its group: then start takes it on, and says so. Stop deactivates the volume that start activated, by its UUID,
//! whatever the keywords say by then. Provision creates it with `size`, and wipes the signatures that an earlier volume left at the same place on the disk. Unprovision removes it. The
//! volume group must exist, or is created by a resource `disk.vg`. See lvcreate(8), lvchange(8).

use hostler_family_device::{HeldDevice, MadeDevice, not_ours};
use hostler_family_lvm::{self as lvm, VolumeExtent, column};
use hostler_family_options as options;
use hostler_sdk::prelude::*;

/// An LVM logical volume.
///
/// It is activated and deactivated independently of the other volumes of its group. A change of `size` does not resize an
/// existing volume.
#[derive(Keywords)]
struct LogicalVolume {
    /// The name of the volume.
    #[keyword(example = "web")]
    name: String,
    /// The volume group of the volume.
    #[keyword(example = "data")]
    vg: String,
    /// The size of a new volume, in binary units, or as a share: %FREE, %VG, %PVS, %ORIGIN.
    #[keyword(provisioning, example = "100%FREE")]
    size: Option<String>,
    /// Options of lvcreate, each with a value: --alloc, --contiguous, --mirrors, --readahead, --stripes, --stripesize, --type.
    #[keyword(provisioning, kind = "words", example = "--type raid1 --mirrors 1")]
    create_options: Vec<String>,
}

/// The options that `create_options` may contain, in the order of the grant. --config is excluded, because it can run programs.
const OPTIONS: [&str; 7] =
    ["--alloc *", "--contiguous *", "--mirrors *", "--readahead *", "--stripes *", "--stripesize *", "--type *"];

/// How long udev may take to create the device.
const UDEV: Duration = Duration::from_secs(10);

#[driver]
impl Driver for LogicalVolume {
    const NAME: &str = "disk.lv";
    const GRANTS: &[&str] = &[
        "exec(read) = /sbin/vgs --readonly --reportformat json -o vg_name,vg_uuid,lv_name,lv_uuid",
        "block.read = /dev/{kw:vg}/{kw:name}",
        // LVM locks its memory and raises its priority while devices are suspended, hence the capabilities beside cap_sys_admin.
        "exec(caps=cap_sys_admin+cap_sys_nice+cap_ipc_lock) = /sbin/lvchange -ay -- /dev/{kw:vg}/{kw:name}",
        "exec(caps=cap_sys_admin+cap_sys_nice+cap_ipc_lock) = /sbin/lvchange -an -- /dev/{kw:vg}/{kw:name}",
        // If another program has renamed the volume or its group.
        "block.undo = dm:LVM-*",
        "exec(caps=cap_sys_admin+cap_sys_nice+cap_ipc_lock) = /sbin/lvcreate -y -W y -n {kw:name} [-L *] [-l *] [--alloc *] [--contiguous *] \
         [--mirrors *] [--readahead *] [--stripes *] [--stripesize *] [--type *] -- {kw:vg}",
        "exec(caps=cap_sys_admin+cap_sys_nice+cap_ipc_lock) = /sbin/lvremove -- /dev/{kw:vg}/{kw:name}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut problem = |keyword: &str, text| problems.push(Problem::new(keyword, text));
        for (keyword, name) in [("name", &self.name), ("vg", &self.vg)] {
            if let Some(text) = lvm::fault_of_name(name) {
                problem(keyword, text);
            }
        }
        if let Err(text) = self.extent() {
            problem("size", text);
        }
        if let Err(text) = options::arrange(&OPTIONS, &self.create_options) {
            problem("create_options", text);
        }
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let label = format!("{}/{}", self.vg, self.name);
        if let Some(held) = HeldDevice::present()? {
            let status = held.status()?.label(label).provisioned(true);
            return Ok(match Path::new(&held.path) == self.device() {
                true => status,
                false => status.degraded(format!("{} is up: name and vg apply at the next start", held.path)),
            });
        }
        if block::find(self.device())?.is_some() {
            let stranger = format!("{}: start takes it on", self.stranger());
            return Ok(Status::down().warning(stranger).label(label).provisioned(true));
        }
        Ok(match self.volumes().map(|volumes| volumes.has()) {
            // The disks of the group may be on the node where it is up, or not attached yet.
            Ok(None) => Status::down().label(label).provisioned_as(Provisioned::Unknown),
            Ok(Some(exists)) => Status::down().label(label).provisioned(exists),
            Err(Error::Failed(why)) => Status::undefined(why).label(label),
            Err(error) => return Err(error),
        })
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        if let Some(held) = HeldDevice::present()? {
            return Ok(Outcome::unchanged(format!("{} is already up", held.path)));
        }
        let device = self.device();
        if block::find(&device)?.is_some() {
            self.take_on()?;
            return Ok(Outcome::unchanged(format!("took on {}, which was active already", device.display())));
        }
        let activate = || {
            self.lvm("/sbin/lvchange", &["-ay"])?;
            // lvchange does not wait for udev, which creates the device that the next resource needs.
            block::wait_for(&device, UDEV)?;
            Ok(())
        };
        match self.volumes()?.id {
            Some(id) => self.as_held(&id, |made| made.make(activate))?,
            // There is nothing to activate, and lvchange says so.
            None => activate()?,
        }
        Ok(Outcome::changed(format!("{} is up", device.display())))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let Some(held) = HeldDevice::present()? else {
            if block::find(self.device())?.is_some() {
                log::info(format!("{}: it stays", self.stranger()));
            }
            return Ok(Outcome::unchanged(format!("{} is already down", self.device().display())));
        };
        held.stop(|path| Command::new("/sbin/lvchange").args(["-an", "--", path]).check().map(drop))
    }

    fn provision(&self, _: &Context) -> Result<Outcome> {
        if self.exists()? {
            return Ok(Outcome::unchanged(format!("{}/{} already exists", self.vg, self.name)));
        }
        let invalid = |keyword: &'static str| move |text| Error::invalid_config(format!("{keyword}: {text}"));
        let extent = self.extent().map_err(invalid("size"))?;
        let Some(extent) = extent else {
            return Err(Error::invalid_config(format!("size is not set: {}/{} cannot be created", self.vg, self.name)));
        };
        let options = options::arrange(&OPTIONS, &self.create_options).map_err(invalid("create_options"))?;
        // `-y -W y` wipes the signatures of a removed volume, which could be mistaken for content of the new one.
        let make = Command::new("/sbin/lvcreate").args(["-y", "-W", "y", "-n"]).arg(&self.name).args(extent.option());
        make.args(options).arg("--").arg(&self.vg).check()?;
        // lvcreate has activated it, too.
        self.take_on()?;
        Ok(Outcome::changed(format!("made {}/{} of {}", self.vg, self.name, self.size.as_deref().unwrap_or_default())))
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        if !self.exists()? {
            return Ok(Outcome::unchanged(format!("{}/{} does not exist", self.vg, self.name)));
        }
        // lvremove asks before it removes an active volume. Its standard input is empty, so it refuses then.
        self.lvm("/sbin/lvremove", &[])?;
        Ok(Outcome::changed(format!("removed {}/{}", self.vg, self.name)))
    }
}

/// What LVM says of the group of a volume.
struct GroupLook {
    /// Whether this node has disks of such a group.
    is_here: bool,
    /// The id of the volume, active or not, if the group contains it.
    id: Option<String>,
}

impl GroupLook {
    /// Whether the group contains the volume. None if the group is not here.
    fn has(&self) -> Option<bool> {
        self.is_here.then_some(self.id.is_some())
    }
}

impl LogicalVolume {
    fn device(&self) -> PathBuf {
        lvm::device_of(&self.vg, &self.name)
    }

    fn lvm(&self, program: &str, options: &[&str]) -> Result<()> {
        let command = Command::new(program).args(options.iter().copied()).arg("--");
        command.arg(self.device().display().to_string()).check()?;
        Ok(())
    }

    fn stranger(&self) -> String {
        not_ours(&format!("{} is active already", self.device().display()))
    }

    /// Records the volume, which is active, as held.
    fn take_on(&self) -> Result<()> {
        let absent = || Error::failed(format!("{} is active, and LVM does not know it", self.device().display()));
        let id = self.volumes()?.id.ok_or_else(absent)?;
        self.as_held(&id, |made| made.take_on())
    }

    /// The volume as it is held.
    fn as_held<T>(&self, id: &str, hold: impl FnOnce(&MadeDevice<'_>) -> Result<T>) -> Result<T> {
        let (path, label) = (self.device().display().to_string(), format!("the volume {}/{}", self.vg, self.name));
        hold(&MadeDevice { path: &path, id, label: &label })
    }

    /// What LVM says of the group.
    fn volumes(&self) -> Result<GroupLook> {
        let rows = lvm::report("/sbin/vgs", "vg_name,vg_uuid,lv_name,lv_uuid")?;
        let mut of_group = rows.iter().filter(|row| column(row, "vg_name") == self.vg).peekable();
        let is_here = of_group.peek().is_some();
        let own = of_group.find(|row| column(row, "lv_name") == self.name);
        let id = own.map(|row| lvm::held_id(column(row, "vg_uuid"), Some(column(row, "lv_uuid"))));
        Ok(GroupLook { is_here, id })
    }

    fn exists(&self) -> Result<bool> {
        Ok(self.volumes()?.id.is_some())
    }

    fn extent(&self) -> std::result::Result<Option<VolumeExtent<'_>>, String> {
        let Some(size) = &self.size else { return Ok(None) };
        let unclear =
            || format!("{size:?} is not a size: expected a number and a unit such as 20g, or a share such as 100%FREE");
        VolumeExtent::parse(size).map(Some).ok_or_else(unclear)
    }
}

#[cfg(test)]
mod tests {
    use hostler_family_lvm::fake::FakeLvm;
    use hostler_sdk::fake::{Case, Host, given, stop_undoes_any_failed_start};

    use super::*;

    fn volume(size: Option<&str>, options: &[&str]) -> LogicalVolume {
        LogicalVolume {
            name: "web".to_owned(),
            vg: "data".to_owned(),
            size: size.map(str::to_owned),
            create_options: options.iter().map(|&option| option.to_owned()).collect(),
        }
    }

    fn lv(lvm: &FakeLvm) -> Case<LogicalVolume> {
        given(volume(Some("64m"), &[])).on(&lvm.on(Host::new()))
    }

    #[test]
    fn the_grant_is_that_of_the_options() {
        let line = format!(
            "exec(caps=cap_sys_admin+cap_sys_nice+cap_ipc_lock) = /sbin/lvcreate -y -W y -n {{kw:name}} [-L *] [-l *] {} -- {{kw:vg}}",
            options::grant(&OPTIONS)
        );
        assert!(LogicalVolume::GRANTS.contains(&line.as_str()), "{line}");
    }

    #[test]
    fn it_is_activated_and_deactivated_once() {
        lv(&FakeLvm::new().group("data", &[], &["web"]))
            .status()
            .is(State::Down)
            .is_provisioned(true)
            .start()
            .is_changed("/dev/data/web is up")
            .start()
            .is_unchanged("/dev/data/web is already up")
            .status()
            .is(State::Up)
            .labelled("data/web")
            .exposes("device", "/dev/data/web")
            .stop()
            .is_changed("/dev/data/web is down")
            .stop()
            .is_unchanged("/dev/data/web is already down")
            .status()
            .is(State::Down);
    }

    #[test]
    fn stop_undoes_a_start_that_failed_half_way() {
        stop_undoes_any_failed_start(|| lv(&FakeLvm::new().group("data", &[], &["web"])));
    }

    #[test]
    fn what_start_activated_is_deactivated_whatever_the_keywords_say_by_then() {
        let host = FakeLvm::new().group("data", &[], &["web", "db"]).on(Host::new());
        given(volume(None, &[])).on(&host).start();
        let renamed = LogicalVolume { name: "db".to_owned(), ..volume(None, &[]) };
        given(renamed)
            .on(&host)
            .status()
            .is(State::Warn)
            .mentions("/dev/data/web is up: name and vg apply at the next start")
            .stop()
            .is_changed("/dev/data/web is down")
            .status()
            .is(State::Down);
        assert!(!host.has_file("/dev/data/web"));
    }

    #[test]
    fn a_volume_that_is_active_already_is_taken_on_by_a_start_and_left_alone_by_a_stop() {
        let host = FakeLvm::new().group("data", &[], &["web"]).on(Host::new().device("/dev/data/web", 1));
        host.identify("/dev/data/web", "dm:LVM-udatauweb");
        given(volume(None, &[]))
            .on(&host)
            .status()
            .is(State::Down)
            .mentions("/dev/data/web is active already, but not by this resource: start takes it on")
            .stop()
            .is_unchanged("/dev/data/web is already down")
            .start()
            .is_unchanged("took on /dev/data/web, which was active already")
            .status()
            .is(State::Up)
            .stop()
            .is_changed("/dev/data/web is down");
    }

    #[test]
    fn a_volume_in_use_stays_up() {
        let host = FakeLvm::new().group("data", &[], &["web"]).on(Host::new().busy("/dev/data/web"));
        given(volume(None, &[])).on(&host).start().stop().fails_with("data/web in use").status().is(State::Up);
    }

    #[test]
    fn a_missing_disk_is_down_and_start_names_it() {
        lv(&FakeLvm::new().group("data", &[], &["db"]))
            .status()
            .is(State::Down)
            .is_provisioned(false)
            .start()
            .fails_with("Failed to find logical volume \"data/web\"");
        given(volume(None, &[])).on(&Host::new()).status().is(State::Undefined).mentions("/sbin/vgs is not installed");
    }

    #[test]
    fn a_volume_is_unknown_where_its_group_is_missing() {
        lv(&FakeLvm::new())
            .status()
            .is(State::Down)
            .is_provisioned_as(Provisioned::Unknown)
            .start()
            .fails_with("Failed to find");
    }

    #[test]
    fn provision_makes_it_once_and_unprovision_removes_it() {
        let lvm = FakeLvm::new().group("data", &[], &["db"]);
        lv(&lvm)
            .provision()
            .is_changed("made data/web of 64m")
            .provision()
            .is_unchanged("data/web already exists")
            .status()
            .is_provisioned(true)
            .unprovision()
            .fails_with("active logical volume")
            .stop()
            .unprovision()
            .is_changed("removed data/web")
            .unprovision()
            .is_unchanged("data/web does not exist");
        assert_eq!(lvm.volumes("data").unwrap(), ["db"]);
    }

    #[test]
    fn size_and_options_are_handed_on() {
        for (size, options, expected) in [
            ("20g", &[][..], "-L 20g --"),
            ("100%FREE", &["--type", "raid1", "--mirrors", "1"], "-l 100%FREE --mirrors 1 --type raid1 --"),
        ] {
            let host = FakeLvm::new().group("data", &[], &[]).on(Host::new());
            given(volume(Some(size), options)).on(&host).provision();
            let run = format!("process.run /sbin/lvcreate -y -W y -n web {expected} data");
            assert!(host.calls().contains(&run), "{:#?}", host.calls());
        }
    }

    #[test]
    fn impossible_keywords_are_a_problem() {
        let host = FakeLvm::new().group("data", &[], &[]).on(Host::new());
        given(volume(Some("12parsecs"), &["--config", "x"])).on(&host).validate().finds(&[
            (
                "size",
                "\"12parsecs\" is not a size: expected a number and a unit such as 20g, or a share such as 100%FREE",
            ),
            (
                "create_options",
                "\"--config\" is not supported: expected any of --alloc *, --contiguous *, --mirrors *, --readahead *, \
                 --stripes *, --stripesize *, --type *",
            ),
        ]);
        given(volume(None, &[])).on(&host).provision().fails_with("size is not set: data/web cannot be created");
        given(volume(Some("x"), &[])).on(&host).provision().fails_with("size: \"x\" is not a size");
    }
}
