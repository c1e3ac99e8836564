//! `HostConfig`: what a container sees of the node and may do to it.
//!
//! Members that could widen what it may do must be what the keywords say, and no more; members that narrow it (`User`,
//! `ReadonlyRootfs`, `CapDrop`, `SecurityOpt`) must not be left out where the keywords say them.

use std::path::PathBuf;

use hostler_run_args::{DeviceMapping, NamedValue, RestartPolicy, RunArgs, TmpfsMount, Ulimit, VolumeMount};
use serde_json::{Map, Value, json};

use crate::GuardRefusal;
use crate::allowance::{Allowance, MODES};
use crate::body::{Fields, Kind};
use crate::create::may_be_privileged;
use crate::judge::{Case, Stop};
use crate::mode::Mode;
use crate::mount::{Mount, is_plain};

/// They narrow what it may use, or matter inside the container alone.
const HARMLESS: [(&str, Kind); 21] = [
    ("AutoRemove", Kind::Flag),
    ("Init", Kind::Flag),
    ("Dns", Kind::Texts),
    ("DnsOptions", Kind::Texts),
    ("DnsSearch", Kind::Texts),
    ("ExtraHosts", Kind::Texts),
    ("ShmSize", Kind::Number),
    ("Memory", Kind::Number),
    ("MemoryReservation", Kind::Number),
    ("MemorySwap", Kind::Number),
    ("MemorySwappiness", Kind::Number),
    ("KernelMemory", Kind::Number),
    ("NanoCpus", Kind::Number),
    ("NanoCPUs", Kind::Number),
    ("CpuShares", Kind::Number),
    ("CpuPeriod", Kind::Number),
    ("CpuQuota", Kind::Number),
    ("CpusetCpus", Kind::Text),
    ("CpusetMems", Kind::Text),
    ("PidsLimit", Kind::Number),
    ("BlkioWeight", Kind::Number),
];

/// What was judged.
pub(crate) struct Host {
    pub(crate) members: Map<String, Value>,
    pub(crate) network: Mode,
    pub(crate) paths: Vec<(PathBuf, bool)>,
}

/// One member after the other, each taken by whoever judges it.
struct Judging<'a> {
    allowance: &'a Allowance<'a>,
    fields: Fields,
    out: Map<String, Value>,
    paths: Vec<(PathBuf, bool)>,
}

pub(crate) fn host_config(case: &Case<'_>, fields: Fields) -> Result<Host, Stop> {
    let mut judging = Judging { allowance: case.allowance, fields, out: Map::new(), paths: Vec::new() };
    judging.fields.keep(&mut judging.out, &HARMLESS)?;
    judging.mounts()?;
    judging.devices()?;
    judging.powers()?;
    judging.limits()?;
    judging.ports()?;
    judging.restart()?;
    judging.log()?;
    judging.surroundings()?;
    let network = judging.modes(case)?;
    judging.fields.finish()?;
    Ok(Host { members: judging.out, network, paths: judging.paths })
}

impl Judging<'_> {
    fn keyword(&self, member: &str, value: impl Into<String>, keyword: &'static str) -> GuardRefusal {
        GuardRefusal::Keyword { member: self.fields.name(member), value: value.into(), keyword }
    }

    fn only_root(&self, member: &str, value: impl Into<String>) -> Result<(), GuardRefusal> {
        self.allowance.only_root(self.fields.name(member), value.into())
    }

    fn put(&mut self, member: &str, value: impl Into<Value>) {
        self.out.insert(member.to_owned(), value.into());
    }

    fn mounts(&mut self) -> Result<(), GuardRefusal> {
        let mut binds = Vec::new();
        for text in self.fields.texts("Binds")? {
            let volume: VolumeMount = text.parse().map_err(|_| self.keyword("Binds", &text, "volume_mounts"))?;
            binds.push(self.mount("Binds", &Mount::of(&volume))?);
        }
        for fields in self.fields.objects("Mounts")? {
            let mount = mount_of(fields)?;
            binds.push(self.mount("Mounts", &mount)?);
        }
        if !binds.is_empty() {
            self.put("Binds", json!(binds));
        }
        self.tmpfs()
    }

    fn mount(&mut self, member: &str, mount: &Mount) -> Result<String, GuardRefusal> {
        if !self.allowance.mounts.iter().any(|allowed| mount.is_within(allowed)) {
            return Err(self.keyword(member, mount.bind(), "volume_mounts"));
        }
        match mount.path() {
            Some(path) if !is_plain(path) => {
                return Err(GuardRefusal::Shape {
                    member: self.fields.name(member),
                    expected: "paths in their one spelling",
                });
            }
            Some(path) => {
                self.allowance.path(self.fields.name(member), path, !mount.read_only)?;
                if !self.allowance.resource.is_root() {
                    self.paths.push((path.into(), !mount.read_only));
                }
            }
            // A volume of a name may be anybody's.
            None if mount.source.is_some() => self.only_root(member, mount.bind())?,
            None => {}
        }
        if mount.is_shared() {
            self.only_root(member, mount.bind())?;
        }
        Ok(mount.bind())
    }

    fn tmpfs(&mut self) -> Result<(), GuardRefusal> {
        let asked = self.fields.pairs("Tmpfs")?;
        for (target, options) in &asked {
            let said = |tmpfs: &TmpfsMount| tmpfs.target == *target && tmpfs.options == *options;
            if !self.allowance.args.tmpfs.iter().any(said) {
                return Err(self.keyword("Tmpfs", format!("{target}:{options}"), "run_args"));
            }
        }
        if !asked.is_empty() {
            self.put("Tmpfs", pairs(asked));
        }
        Ok(())
    }

    fn devices(&mut self) -> Result<(), GuardRefusal> {
        let mut written = Vec::new();
        for mut fields in self.fields.objects("Devices")? {
            let device = DeviceMapping {
                host: fields.text("PathOnHost")?.unwrap_or_default(),
                container: fields.text("PathInContainer")?.unwrap_or_default(),
                permissions: fields.text("CgroupPermissions")?.unwrap_or_default(),
            };
            fields.finish()?;
            let shown = format!("{}:{}:{}", device.host, device.container, device.permissions);
            if !self.allowance.devices.contains(&device) || !is_plain(&device.host) {
                return Err(self.keyword("Devices", shown, "devices"));
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

    /// A list of texts that are all among those of an option of `run_args`.
    fn listed(&mut self, member: &str, said: fn(&RunArgs) -> &Vec<String>, root: bool) -> Result<(), GuardRefusal> {
        let asked = self.fields.texts(member)?;
        if let Some(text) = asked.iter().find(|text| !said(&self.allowance.args).contains(text)) {
            return Err(self.keyword(member, text, "run_args"));
        }
        if !asked.is_empty() {
            if root {
                self.only_root(member, asked.join(" "))?;
            }
            self.put(member, asked);
        }
        Ok(())
    }

    /// What it may do: privileges, capabilities(7), the security modules.
    fn powers(&mut self) -> Result<(), GuardRefusal> {
        if self.fields.flag("Privileged")? {
            may_be_privileged(self.allowance, &self.fields.name("Privileged"))?;
            self.put("Privileged", true);
        }
        let args = &self.allowance.args;
        let read_only = self.fields.flag("ReadonlyRootfs")?;
        if !read_only && (args.read_only || self.allowance.resource.flag("read_only")) {
            return Err(self.keyword("ReadonlyRootfs", "false", "read_only"));
        }
        self.put("ReadonlyRootfs", read_only);
        let upper = |name: &String| name.to_ascii_uppercase().trim_start_matches("CAP_").to_owned();
        let add: Vec<String> = self.fields.texts("CapAdd")?.iter().map(upper).collect();
        if let Some(cap) = add.iter().find(|cap| !args.cap_add.contains(cap)) {
            return Err(self.keyword("CapAdd", cap, "run_args"));
        }
        if !add.is_empty() {
            self.only_root("CapAdd", add.join(" "))?;
            self.put("CapAdd", add);
        }
        let drop: Vec<String> = self.fields.texts("CapDrop")?.iter().map(upper).collect();
        if let Some(cap) = args.cap_drop.iter().find(|cap| !drop.contains(cap)) {
            return Err(self.keyword("CapDrop", format!("without {cap}"), "run_args"));
        }
        if !drop.is_empty() {
            self.put("CapDrop", drop);
        }
        self.security()
    }

    fn security(&mut self) -> Result<(), GuardRefusal> {
        const NO_NEW: [&str; 2] = ["no-new-privileges", "no-new-privileges:true"];
        let said = &self.allowance.args.security_opt;
        let asked = self.fields.texts("SecurityOpt")?;
        let harmless = |option: &String| NO_NEW.contains(&option.as_str());
        if let Some(option) = asked.iter().find(|option| !said.contains(option) && !harmless(option)) {
            return Err(self.keyword("SecurityOpt", option, "run_args"));
        }
        if let Some(option) = said.iter().find(|option| !asked.contains(option)) {
            return Err(self.keyword("SecurityOpt", format!("without {option}"), "run_args"));
        }
        if let Some(option) = asked.iter().find(|option| !harmless(option)) {
            self.only_root("SecurityOpt", option)?;
        }
        if !asked.is_empty() {
            self.put("SecurityOpt", asked);
        }
        Ok(())
    }

    /// What could keep memory from others.
    fn limits(&mut self) -> Result<(), GuardRefusal> {
        let limits = &self.allowance.args.limits;
        if self.fields.flag("OomKillDisable")? {
            if !limits.oom_kill_disable {
                return Err(self.keyword("OomKillDisable", "true", "run_args"));
            }
            self.only_root("OomKillDisable", "true")?;
            self.put("OomKillDisable", true);
        }
        if let Some(score) = self.fields.number("OomScoreAdj")? {
            if limits.oom_score_adj != Some(score) {
                return Err(self.keyword("OomScoreAdj", score.to_string(), "run_args"));
            }
            self.only_root("OomScoreAdj", score.to_string())?;
            self.put("OomScoreAdj", score);
        }
        let mut written = Vec::new();
        for mut fields in self.fields.objects("Ulimits")? {
            let name = fields.text("Name")?.unwrap_or_default();
            let (soft, hard) = (fields.number("Soft")?.unwrap_or(0), fields.number("Hard")?.unwrap_or(0));
            fields.finish()?;
            let same = |said: &Ulimit| said.name == name && said.soft == soft && said.hard == hard;
            if !self.allowance.args.ulimits.iter().any(same) {
                return Err(self.keyword("Ulimits", format!("{name}={soft}:{hard}"), "run_args"));
            }
            written.push(json!({ "Name": name, "Soft": soft, "Hard": hard }));
        }
        if !written.is_empty() {
            self.put("Ulimits", written);
        }
        Ok(())
    }

    fn ports(&mut self) -> Result<(), GuardRefusal> {
        let mut fields = Fields::new(&self.fields.name("PortBindings"), self.fields.object("PortBindings")?);
        let mut written = Map::new();
        for published in &self.allowance.args.publish {
            let port = format!("{}/{}", published.container_port, published.protocol);
            let mut bindings = Vec::new();
            for mut binding in fields.objects(&port)? {
                let ip = binding.text("HostIp")?.unwrap_or_default();
                let host = binding.text("HostPort")?.unwrap_or_default();
                binding.finish()?;
                let said = self.allowance.args.publish.iter().any(|known| {
                    format!("{}/{}", known.container_port, known.protocol) == port
                        && known.host_ip == ip
                        && known.host_port == host
                });
                if !said {
                    return Err(self.keyword("PortBindings", format!("{ip}:{host}:{port}"), "run_args"));
                }
                bindings.push(json!({ "HostIp": ip, "HostPort": host }));
            }
            if !bindings.is_empty() {
                self.only_root("PortBindings", port.as_str())?;
                written.insert(port, bindings.into());
            }
        }
        fields.finish().map_err(|_| self.keyword("PortBindings", "another port", "run_args"))?;
        if !written.is_empty() {
            self.put("PortBindings", written);
        }
        if self.fields.flag("PublishAllPorts")? {
            if !self.allowance.args.publish_all {
                return Err(self.keyword("PublishAllPorts", "true", "run_args"));
            }
            self.only_root("PublishAllPorts", "true")?;
            self.put("PublishAllPorts", true);
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<(), GuardRefusal> {
        let mut fields = Fields::new(&self.fields.name("RestartPolicy"), self.fields.object("RestartPolicy")?);
        let name = fields.text("Name")?.unwrap_or_default();
        let times = fields.number("MaximumRetryCount")?.unwrap_or(0);
        fields.finish()?;
        let (said, allowed) = match self.allowance.args.restart {
            None | Some(RestartPolicy::No) => ("no", 0),
            Some(RestartPolicy::Always) => ("always", 0),
            Some(RestartPolicy::UnlessStopped) => ("unless-stopped", 0),
            Some(RestartPolicy::OnFailure(times)) => ("on-failure", i64::from(times)),
        };
        match name.as_str() {
            "" | "no" => Ok(()),
            name if name == said && times == allowed => {
                self.put("RestartPolicy", json!({ "Name": name, "MaximumRetryCount": times }));
                Ok(())
            }
            name => Err(self.keyword("RestartPolicy", format!("{name}:{times}"), "run_args")),
        }
    }

    /// Where its output goes: to the engine's own files, unless the options say elsewhere.
    fn log(&mut self) -> Result<(), GuardRefusal> {
        const OWN: [&str; 4] = ["", "json-file", "local", "none"];
        const BOUNDS: [&str; 3] = ["max-size", "max-file", "compress"];
        let mut fields = Fields::new(&self.fields.name("LogConfig"), self.fields.object("LogConfig")?);
        let driver = fields.text("Type")?.unwrap_or_default();
        let options = fields.pairs("Config")?;
        fields.finish()?;
        if !OWN.contains(&driver.as_str()) {
            if self.allowance.args.log_driver.as_ref() != Some(&driver) {
                return Err(self.keyword("LogConfig", driver, "run_args"));
            }
            self.only_root("LogConfig", driver.as_str())?;
        }
        for (name, value) in &options {
            let said = self.allowance.args.log_opts.iter().any(|said| said.name == *name && said.value == *value);
            if !said && !BOUNDS.contains(&name.as_str()) {
                return Err(self.keyword("LogConfig", format!("with the option {name}"), "run_args"));
            }
        }
        if !driver.is_empty() || !options.is_empty() {
            self.put("LogConfig", json!({ "Type": driver, "Config": pairs(options) }));
        }
        Ok(())
    }

    /// What it shares with others, and what runs it.
    fn surroundings(&mut self) -> Result<(), GuardRefusal> {
        self.listed("VolumesFrom", |args| &args.volumes_from, true)?;
        self.listed("Links", |args| &args.links, true)?;
        self.listed("GroupAdd", |args| &args.group_add, false)?;
        let runtime = self.fields.text("Runtime")?;
        if runtime != self.allowance.args.runtime {
            return Err(self.keyword("Runtime", runtime.as_deref().unwrap_or("the engine's default"), "run_args"));
        }
        if let Some(runtime) = runtime {
            self.only_root("Runtime", runtime.as_str())?;
            self.put("Runtime", runtime);
        }
        if let Some(parent) = self.fields.text("CgroupParent")? {
            if self.allowance.resource.cgroup != Some(parent.as_str()) {
                if self.allowance.args.cgroup_parent.as_ref() != Some(&parent) {
                    return Err(self.keyword("CgroupParent", parent, "run_args"));
                }
                self.only_root("CgroupParent", parent.as_str())?;
            }
            self.put("CgroupParent", parent);
        }
        let allowance = self.allowance;
        self.named("Sysctls", "sysctl", &allowance.sysctls)?;
        self.named("StorageOpt", "run_args", &allowance.args.storage_opts)
    }

    /// Pairs that are all among those that keywords say.
    fn named(&mut self, member: &str, keyword: &'static str, said: &[NamedValue]) -> Result<(), GuardRefusal> {
        let asked = self.fields.pairs(member)?;
        for (name, value) in &asked {
            if !said.iter().any(|said| said.name == *name && said.value == *value) {
                return Err(self.keyword(member, format!("{name}={value}"), keyword));
            }
        }
        if !asked.is_empty() {
            self.put(member, pairs(asked));
        }
        Ok(())
    }

    /// Whose namespaces it lives in. Another container is named by its whole id in what is let through.
    fn modes(&mut self, case: &Case<'_>) -> Result<Mode, Stop> {
        let mut network = Mode::Default;
        for (keyword, member, kind) in MODES {
            let text = self.fields.text(member)?.unwrap_or_default();
            let asked = Mode::parse(kind, &text);
            let said = self.allowance.modes(member, keyword, kind);
            let written = match said.iter().find(|said| asked.is_within(said)) {
                Some(_) if matches!(asked, Mode::Host | Mode::Other(_)) => {
                    self.only_root(member, text.as_str())?;
                    text
                }
                Some(_) if matches!(asked, Mode::Resource(_)) => {
                    return Err(self.keyword(member, text, keyword).into());
                }
                Some(_) => text,
                None => self.joined(case, member, keyword, &text, &said)?,
            };
            if member == "NetworkMode" {
                network = asked;
            }
            if !written.is_empty() {
                self.put(member, written);
            }
        }
        Ok(network)
    }

    /// The container of another resource of the object.
    fn joined(
        &self,
        case: &Case<'_>,
        member: &str,
        keyword: &'static str,
        text: &str,
        said: &[Mode],
    ) -> Result<String, Stop> {
        let rid = |mode: &Mode| match mode {
            Mode::Resource(rid) => Some(rid.clone()),
            _ => None,
        };
        let rids: Vec<_> = said.iter().filter_map(rid).collect();
        let name = text.strip_prefix("container:").filter(|_| !rids.is_empty());
        let shown = if text.is_empty() { Mode::Default.to_string() } else { text.to_owned() };
        let name = name.ok_or_else(|| self.keyword(member, shown, keyword))?;
        let (id, _) = case.container(name, &rids)?;
        Ok(format!("container:{id}"))
    }
}

fn pairs(pairs: Vec<(String, String)>) -> Value {
    pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>().into()
}

/// An element of `Mounts`, of the types bind and volume.
fn mount_of(mut fields: Fields) -> Result<Mount, GuardRefusal> {
    let kind = fields.text("Type")?.unwrap_or_default();
    let source = fields.text("Source")?;
    let target = fields.text("Target")?.unwrap_or_default();
    let read_only = fields.flag("ReadOnly")?;
    let mut options = Vec::new();
    let mut bind = Fields::new(&fields.name("BindOptions"), fields.object("BindOptions")?);
    options.extend(bind.text("Propagation")?);
    bind.finish()?;
    let mut volume = Fields::new(&fields.name("VolumeOptions"), fields.object("VolumeOptions")?);
    if volume.flag("NoCopy")? {
        options.push("nocopy".to_owned());
    }
    volume.finish()?;
    if !matches!(kind.as_str(), "bind" | "volume") {
        return Err(GuardRefusal::Shape { member: fields.name("Type"), expected: "bind or volume" });
    }
    fields.finish()?;
    let is_path = source.as_deref().is_some_and(|source| source.starts_with('/'));
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
    Ok(Mount::of(&VolumeMount { source, target, options }))
}
