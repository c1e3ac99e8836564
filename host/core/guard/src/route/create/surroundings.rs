//! Members of `HostConfig` about ports, restarts, logs, and what the container shares with others.

use hostler_run_args::RestartPolicy;
use serde_json::{Map, json};

use super::host_config::{HostConfigJudge, pairs};
use crate::refusal::GuardRefusal;
use crate::request::members::MemberReader;

impl HostConfigJudge<'_> {
    pub(super) fn ports(&mut self) -> Result<(), GuardRefusal> {
        let mut fields = MemberReader::new(&self.fields.name("PortBindings"), self.fields.object("PortBindings")?);
        let mut written = Map::new();
        // One port may be published at several addresses.
        for published in &self.spec.args.publish {
            let port = format!("{}/{}", published.container_port, published.protocol);
            let mut bindings = Vec::new();
            for mut binding in fields.objects(&port)? {
                let ip = binding.text("HostIp")?.unwrap_or_default();
                let host = binding.text("HostPort")?.unwrap_or_default();
                binding.finish()?;
                let said = self.spec.args.publish.iter().any(|known| {
                    format!("{}/{}", known.container_port, known.protocol) == port
                        && known.host_ip == ip
                        && known.host_port == host
                });
                if !said {
                    return Err(self.not_said("PortBindings", format!("{ip}:{host}:{port}"), "run_args"));
                }
                bindings.push(json!({ "HostIp": ip, "HostPort": host }));
            }
            if !bindings.is_empty() {
                self.only_root("PortBindings", port.as_str())?;
                written.insert(port, bindings.into());
            }
        }
        // Ports that no option publishes are left over.
        fields.finish().map_err(|_| self.not_said("PortBindings", "another port", "run_args"))?;
        if !written.is_empty() {
            self.put("PortBindings", written);
        }
        if self.fields.flag("PublishAllPorts")? {
            if !self.spec.args.publish_all {
                return Err(self.not_said("PublishAllPorts", "true", "run_args"));
            }
            self.only_root("PublishAllPorts", "true")?;
            self.put("PublishAllPorts", true);
        }
        Ok(())
    }

    pub(super) fn restart(&mut self) -> Result<(), GuardRefusal> {
        let mut fields = MemberReader::new(&self.fields.name("RestartPolicy"), self.fields.object("RestartPolicy")?);
        let name = fields.text("Name")?.unwrap_or_default();
        let times = fields.number("MaximumRetryCount")?.unwrap_or(0);
        fields.finish()?;
        let (said, allowed) = match self.spec.args.restart {
            None | Some(RestartPolicy::No) => ("no", 0),
            Some(RestartPolicy::Always) => ("always", 0),
            Some(RestartPolicy::UnlessStopped) => ("unless-stopped", 0),
            Some(RestartPolicy::OnFailure(times)) => ("on-failure", i64::from(times)),
        };
        match name.as_str() {
            // No restart by the engine: that is always allowed, and what it does by itself.
            "" | "no" => Ok(()),
            name if name == said && times == allowed => {
                self.put("RestartPolicy", json!({ "Name": name, "MaximumRetryCount": times }));
                Ok(())
            }
            name => Err(self.not_said("RestartPolicy", format!("{name}:{times}"), "run_args")),
        }
    }

    /// Judges where the output goes: to the engine's own files, unless the options name another driver.
    pub(super) fn log(&mut self) -> Result<(), GuardRefusal> {
        const OWN: [&str; 4] = ["", "json-file", "local", "none"];
        let mut fields = MemberReader::new(&self.fields.name("LogConfig"), self.fields.object("LogConfig")?);
        let driver = fields.text("Type")?.unwrap_or_default();
        let options = fields.pairs("Config")?;
        fields.finish()?;
        // Other drivers send the output over the network, or into the node's journal.
        if !OWN.contains(&driver.as_str()) {
            if self.spec.args.log_driver.as_ref() != Some(&driver) {
                return Err(self.not_said("LogConfig", driver, "run_args"));
            }
            self.only_root("LogConfig", driver.as_str())?;
        }
        for (name, value) in &options {
            self.log_option(name, value)?;
        }
        if !driver.is_empty() || !options.is_empty() {
            self.put("LogConfig", json!({ "Type": driver, "Config": pairs(options) }));
        }
        Ok(())
    }

    fn log_option(&self, name: &str, value: &str) -> Result<(), GuardRefusal> {
        // Podman appends what the container prints to this file, as root and wherever it is.
        if name.trim().eq_ignore_ascii_case("path") || name.contains('=') {
            return Err(GuardRefusal::Never { member: format!("{}.{name}", self.fields.name("LogConfig")) });
        }
        if bounds_a_log(name, value) {
            return Ok(());
        }
        let said = self.spec.args.log_opts.iter().any(|said| said.name == *name && said.value == *value);
        if !said {
            return Err(self.not_said("LogConfig", format!("with the option {name}"), "run_args"));
        }
        self.only_root("LogConfig", format!("with the option {name}={value}"))
    }

    /// Judges what the container shares with others, and what runs it.
    pub(super) fn surroundings(&mut self) -> Result<(), GuardRefusal> {
        self.listed("VolumesFrom", |args| &args.volumes_from, true)?;
        self.listed("Links", |args| &args.links, true)?;
        self.listed("GroupAdd", |args| &args.group_add, false)?;
        // Another runtime may confine less than the default, and the default less than another: it must be the very one.
        let runtime = self.fields.text("Runtime")?;
        if runtime != self.spec.args.runtime {
            return Err(self.not_said("Runtime", runtime.as_deref().unwrap_or("the engine's default"), "run_args"));
        }
        if let Some(runtime) = runtime {
            self.only_root("Runtime", runtime.as_str())?;
            self.put("Runtime", runtime);
        }
        // The driver may name the resource's own control group without a keyword: the host itself made it.
        if let Some(parent) = self.fields.text("CgroupParent")? {
            if self.spec.resource.cgroup != Some(parent.as_str()) {
                if self.spec.args.cgroup_parent.as_ref() != Some(&parent) {
                    return Err(self.not_said("CgroupParent", parent, "run_args"));
                }
                self.only_root("CgroupParent", parent.as_str())?;
            }
            self.put("CgroupParent", parent);
        }
        let spec = self.spec;
        self.named("Sysctls", "sysctl", &spec.sysctls)?;
        // An engine may refuse the others, or not know them as the node's.
        let of_node = spec.sysctls.iter().find(|sysctl| !is_of_container(&sysctl.name));
        of_node.map_or(Ok(()), |sysctl| self.only_root("Sysctls", sysctl.name.as_str()))?;
        self.named("StorageOpt", "run_args", &spec.args.storage_opts)
    }
}

/// Whether a sysctl is one of the container's own namespaces, and not of the node.
fn is_of_container(name: &str) -> bool {
    const IPC: [&str; 9] =
        ["msgmax", "msgmnb", "msgmni", "msg_next_id", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"];
    // A slash separates as a dot does, see sysctl(8).
    let name = name.replace('/', ".");
    let is_ipc = name.strip_prefix("kernel.").is_some_and(|rest| IPC.contains(&rest) || rest == "domainname");
    is_ipc || name.starts_with("net.") || name.starts_with("fs.mqueue.")
}

/// Whether a log option only limits how much is kept.
fn bounds_a_log(name: &str, value: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    match name {
        "max-size" => is_number(value.trim_end_matches(|c: char| "bkmgBKMG".contains(c))),
        "max-file" => is_number(value),
        "compress" => matches!(value, "true" | "false"),
        _ => false,
    }
}
