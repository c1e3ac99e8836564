//! Members of `HostConfig` that show the container paths and devices of the node.

use hostler_run_args::{DeviceMapping, TmpfsMount, VolumeMount};
use serde_json::json;

use super::host_config::{HostConfigJudge, pairs};
use crate::refusal::GuardRefusal;
use crate::request::members::MemberReader;
use crate::spec::container_mount::{ContainerMount, is_plain};

/// About so much memory of the kernel's does an inode of a tmpfs take, with its name.
const INODE: u64 = 4096;

impl HostConfigJudge<'_> {
    pub(super) fn mounts(&mut self) -> Result<(), GuardRefusal> {
        let mut binds = Vec::new();
        for text in self.fields.texts("Binds")? {
            let volume: VolumeMount = text.parse().map_err(|_| self.not_said("Binds", &text, "volume_mounts"))?;
            binds.push(self.mount("Binds", &ContainerMount::of(&volume))?);
        }
        // Both members mean the same, so what passes is written as `Binds` alone.
        for fields in self.fields.objects("Mounts")? {
            let mount = mount_of(fields)?;
            binds.push(self.mount("Mounts", &mount)?);
        }
        if !binds.is_empty() {
            self.put("Binds", json!(binds));
        }
        self.tmpfs()
    }

    fn mount(&mut self, member: &str, mount: &ContainerMount) -> Result<String, GuardRefusal> {
        if !self.spec.mounts.iter().any(|allowed| mount.is_within(allowed)) {
            return Err(self.not_said(member, mount.bind(), "volume_mounts"));
        }
        match mount.path() {
            Some(path) if !is_plain(path) => {
                return Err(GuardRefusal::Shape {
                    member: self.fields.name(member),
                    expected: "paths in their one spelling",
                });
            }
            Some(path) => {
                self.spec.path(self.fields.name(member), path, !mount.read_only)?;
                // In other namespaces a user may own a directory above the path and put a link there: the caller checks.
                if !self.spec.resource.is_root() {
                    self.paths.push((path.into(), !mount.read_only));
                }
            }
            // A volume with a name may belong to anyone.
            None if mount.source.is_some() => self.only_root(member, mount.bind())?,
            None => {}
        }
        if mount.is_shared() {
            self.only_root(member, mount.bind())?;
        }
        Ok(mount.bind())
    }

    fn tmpfs(&mut self) -> Result<(), GuardRefusal> {
        let mut asked = self.fields.pairs("Tmpfs")?;
        for (target, options) in &mut asked {
            let said = |tmpfs: &TmpfsMount| tmpfs.target == *target && tmpfs.options == *options;
            if !self.spec.args.tmpfs.iter().any(said) {
                return Err(self.not_said("Tmpfs", format!("{target}:{options}"), "run_args"));
            }
            if !self.spec.resource.is_root() {
                *options = self.bounded_tmpfs(target, options)?;
            }
        }
        if !asked.is_empty() {
            self.put("Tmpfs", pairs(asked));
        }
        Ok(())
    }

    /// The options of a file system in memory, with a size that leaves the node memory.
    fn bounded_tmpfs(&self, target: &str, options: &str) -> Result<String, GuardRefusal> {
        let limit = self.memory_limit();
        let mut sized = false;
        for option in options.split(',').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let bounded = match name {
                "size" => bytes_of(value).is_some_and(|size| size > 0 && size <= limit),
                // Each takes memory of the kernel's, and 0 stands for any number.
                "nr_inodes" => bytes_of(value).is_some_and(|inodes| inodes > 0 && inodes <= limit / INODE),
                "mode" | "uid" | "gid" => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "ro" | "rw" | "exec" | "noexec" | "nosuid" | "nodev" | "noatime" => value.is_empty(),
                _ => false,
            };
            sized |= name == "size";
            if !bounded {
                self.only_root("Tmpfs", format!("{target} with {option}, more than {limit} bytes or unknown"))?;
            }
        }
        let separator = if options.is_empty() { "" } else { "," };
        Ok(if sized { options.to_owned() } else { format!("{options}{separator}size={limit}") })
    }

    /// Judges how much memory the container may share.
    pub(super) fn shared_memory(&mut self) -> Result<(), GuardRefusal> {
        let Some(size) = self.fields.number("ShmSize")? else { return Ok(()) };
        match u64::try_from(size) {
            Err(_) => return Err(GuardRefusal::Shape { member: self.fields.name("ShmSize"), expected: "a size" }),
            Ok(size) if size > self.memory_limit() => self.only_root("ShmSize", size.to_string())?,
            Ok(_) => {}
        }
        self.put("ShmSize", size);
        Ok(())
    }

    /// What files in memory may take up outside of `root`: the container's own limit, or a fixed one.
    fn memory_limit(&self) -> u64 {
        const WITHOUT_LIMIT: u64 = 1 << 30;
        let own = self.spec.args.limits.memory.and_then(|limit| u64::try_from(limit).ok()).filter(|limit| *limit > 0);
        own.unwrap_or(WITHOUT_LIMIT)
    }

    pub(super) fn devices(&mut self) -> Result<(), GuardRefusal> {
        let mut written = Vec::new();
        for mut fields in self.fields.objects("Devices")? {
            let device = DeviceMapping {
                host: fields.text("PathOnHost")?.unwrap_or_default(),
                container: fields.text("PathInContainer")?.unwrap_or_default(),
                permissions: fields.text("CgroupPermissions")?.unwrap_or_default(),
            };
            fields.finish()?;
            let shown = format!("{}:{}:{}", device.host, device.container, device.permissions);
            if !self.spec.devices.contains(&device) || !is_plain(&device.host) {
                return Err(self.not_said("Devices", shown, "devices"));
            }
            self.only_root("Devices", shown)?;
            written.push(json!({
                "PathOnHost": device.host, "PathInContainer": device.container, "CgroupPermissions": device.permissions,
            }));
        }
        if !written.is_empty() {
            self.put("Devices", written);
        }
        self.listed("DeviceCgroupRules", |args| &args.device_cgroup_rules, true)
    }
}

/// Reads an element of `Mounts`, of the types bind and volume.
fn mount_of(mut fields: MemberReader) -> Result<ContainerMount, GuardRefusal> {
    let kind = fields.text("Type")?.unwrap_or_default();
    let source = fields.text("Source")?;
    let target = fields.text("Target")?.unwrap_or_default();
    let read_only = fields.flag("ReadOnly")?;
    let mut options = Vec::new();
    let mut bind = MemberReader::new(&fields.name("BindOptions"), fields.object("BindOptions")?);
    options.extend(bind.text("Propagation")?);
    bind.finish()?;
    let mut volume = MemberReader::new(&fields.name("VolumeOptions"), fields.object("VolumeOptions")?);
    if volume.flag("NoCopy")? {
        options.push("nocopy".to_owned());
    }
    volume.finish()?;
    if !matches!(kind.as_str(), "bind" | "volume") {
        return Err(GuardRefusal::Shape { member: fields.name("Type"), expected: "bind or volume" });
    }
    fields.finish()?;
    let is_path = source.as_deref().is_some_and(|source| source.starts_with('/'));
    // It is written as a bind, where these characters separate the parts.
    let odd = |text: &str| text.contains([':', ',']);
    if is_path != (kind == "bind")
        || odd(&target)
        || source.as_deref().is_some_and(odd)
        || options.iter().any(|o| odd(o))
    {
        return Err(GuardRefusal::Shape {
            member: "HostConfig.Mounts".to_owned(),
            expected: "a plain source and target",
        });
    }
    if read_only {
        options.push("ro".to_owned());
    }
    Ok(ContainerMount::of(&VolumeMount { source, target, options }))
}

/// A size as the kernel reads that of a tmpfs. None for percents, which are of the node's memory.
fn bytes_of(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let shift = match text[end..].to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    text[..end].parse::<u64>().ok()?.checked_mul(1 << shift)
}
