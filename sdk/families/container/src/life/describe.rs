//! The body of the request that creates a container. It contains only what the keywords set; the engine chooses the rest.

use std::collections::BTreeMap;

use hostler_run_args::{ContainerLimits, DeviceMapping, NamedValue, PortMapping, RestartPolicy, RunArgs, Ulimit};
use hostler_sdk::{Context, Result};
use serde_json::{Map, Value, json};

use super::keywords::rid_of;
use crate::{ContainerSpec, label};

/// The members of a JSON object, without those that are null, false or empty.
#[derive(Default)]
struct JsonMembers(Map<String, Value>);

impl JsonMembers {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let says_nothing = match &value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(elements) => elements.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !says_nothing {
            self.0.insert(name.to_owned(), value);
        }
    }
}

impl ContainerSpec {
    /// The body. `peer` finds the container of another resource of the object by its rid.
    pub(crate) fn describe(&self, context: &Context, peer: &dyn Fn(&str) -> Result<String>) -> Result<Value> {
        let mut wanted = self.wanted()?;
        // Another resource is named by its rid in the configuration, but the engine only knows the id of its container.
        for mode in [&mut wanted.network, &mut wanted.pid, &mut wanted.ipc] {
            if let Some(rid) = mode.as_deref().and_then(rid_of) {
                *mode = Some(format!("container:{}", peer(rid)?));
            }
        }
        let mut body = JsonMembers::default();
        body.put("Image", self.image.clone());
        body.put("Entrypoint", self.program(&wanted));
        body.put("Cmd", self.command.clone());
        program(&mut body, &wanted);
        body.put("HostConfig", host_config(&wanted));
        body.put("NetworkingConfig", networking(&wanted));
        // The digest is computed before the labels are added, which contain it.
        let mark = mark(&Value::Object(body.0.clone()));
        body.put("Labels", labels(&wanted, context, &mark));
        Ok(Value::Object(body.0))
    }

    /// The entrypoint: the keyword, or else the option of `run_args`, whose empty value removes the image's entrypoint.
    fn program(&self, wanted: &RunArgs) -> Value {
        match (&self.entrypoint[..], wanted.entrypoint.as_deref()) {
            ([], None) => Value::Null,
            ([], Some(word)) => json!([word]),
            (words, _) => json!(words),
        }
    }
}

fn program(body: &mut JsonMembers, wanted: &RunArgs) {
    body.put("Env", pairs(&wanted.env));
    body.put("Hostname", wanted.hostname.clone());
    body.put("Domainname", wanted.domainname.clone());
    body.put("User", wanted.user.clone());
    body.put("WorkingDir", wanted.workdir.clone());
    body.put("Tty", wanted.tty);
    body.put("OpenStdin", wanted.interactive);
    body.put("StopSignal", wanted.stop_signal.clone());
    body.put("StopTimeout", wanted.stop_timeout);
    let mut health = JsonMembers::default();
    health.put("Test", wanted.health.test().unwrap_or_default());
    wanted.health.numbers().into_iter().for_each(|(name, number)| health.put(name, number));
    body.put("Healthcheck", health.0);
    body.put("MacAddress", wanted.mac_address.clone());
    let published = wanted.publish.iter().map(port);
    body.put("ExposedPorts", names(published.chain(wanted.expose.iter().cloned())));
    let unnamed = wanted.volumes.iter().filter(|volume| volume.source.is_none());
    body.put("Volumes", names(unnamed.map(|volume| volume.target.clone())));
}

fn host_config(wanted: &RunArgs) -> Map<String, Value> {
    let mut host = JsonMembers::default();
    // Only volumes with a source are binds; the others are created empty by the engine.
    let named = wanted.volumes.iter().filter(|volume| volume.source.is_some());
    host.put("Binds", named.map(ToString::to_string).collect::<Vec<_>>());
    host.put("VolumesFrom", wanted.volumes_from.clone());
    host.put("Tmpfs", map(wanted.tmpfs.iter().map(|tmpfs| (&tmpfs.target, json!(tmpfs.options)))));
    host.put("Devices", wanted.devices.iter().map(device).collect::<Vec<_>>());
    host.put("DeviceCgroupRules", wanted.device_cgroup_rules.clone());
    host.put("CapAdd", wanted.cap_add.clone());
    host.put("CapDrop", wanted.cap_drop.clone());
    host.put("Privileged", wanted.privileged);
    host.put("SecurityOpt", wanted.security_opt.clone());
    host.put("GroupAdd", wanted.group_add.clone());
    host.put("ReadonlyRootfs", wanted.read_only);
    // Unlike elsewhere, false matters here: it overrides the engine's configuration.
    if let Some(init) = wanted.init {
        host.0.insert("Init".to_owned(), json!(init));
    }
    host.put("ShmSize", wanted.shm_size);
    host.put("Runtime", wanted.runtime.clone());
    host.put("StorageOpt", variables(&wanted.storage_opts));
    host.put("Sysctls", variables(&wanted.sysctls));
    host.put("Ulimits", wanted.ulimits.iter().map(ulimit).collect::<Vec<_>>());
    host.put("RestartPolicy", wanted.restart.map(restart).unwrap_or_default());
    host.put("LogConfig", log_config(wanted));
    namespaces(&mut host, wanted);
    network(&mut host, wanted);
    limits(&mut host, &wanted.limits);
    host.0
}

fn namespaces(host: &mut JsonMembers, wanted: &RunArgs) {
    host.put("NetworkMode", wanted.network.clone());
    host.put("PidMode", wanted.pid.clone());
    host.put("IpcMode", wanted.ipc.clone());
    host.put("UTSMode", wanted.uts.clone());
    host.put("UsernsMode", wanted.userns.clone());
    host.put("CgroupnsMode", wanted.cgroupns.clone());
    host.put("CgroupParent", wanted.cgroup_parent.clone());
}

fn network(host: &mut JsonMembers, wanted: &RunArgs) {
    host.put("PortBindings", port_bindings(&wanted.publish));
    host.put("PublishAllPorts", wanted.publish_all);
    host.put("Dns", wanted.dns.clone());
    host.put("DnsSearch", wanted.dns_search.clone());
    host.put("DnsOptions", wanted.dns_options.clone());
    host.put("ExtraHosts", wanted.extra_hosts.clone());
    host.put("Links", wanted.links.clone());
}

fn limits(host: &mut JsonMembers, limits: &ContainerLimits) {
    host.put("Memory", limits.memory);
    host.put("MemoryReservation", limits.memory_reservation);
    host.put("MemorySwap", limits.memory_swap);
    host.put("MemorySwappiness", limits.memory_swappiness);
    host.put("KernelMemory", limits.kernel_memory);
    host.put("OomKillDisable", limits.oom_kill_disable);
    host.put("OomScoreAdj", limits.oom_score_adj);
    host.put("NanoCpus", limits.nano_cpus);
    host.put("CpuShares", limits.cpu_shares);
    host.put("CpuPeriod", limits.cpu_period);
    host.put("CpuQuota", limits.cpu_quota);
    host.put("CpusetCpus", limits.cpuset_cpus.clone());
    host.put("CpusetMems", limits.cpuset_mems.clone());
    host.put("PidsLimit", limits.pids);
    host.put("BlkioWeight", limits.blkio_weight);
}

/// The addresses and aliases of a container in the network that it joins.
fn networking(wanted: &RunArgs) -> Value {
    let mut addresses = JsonMembers::default();
    addresses.put("IPv4Address", wanted.ip.clone());
    addresses.put("IPv6Address", wanted.ip6.clone());
    let mut endpoint = JsonMembers::default();
    endpoint.put("IPAMConfig", addresses.0);
    endpoint.put("Aliases", wanted.network_aliases.clone());
    match &wanted.network {
        // The configuration of an endpoint is filed under the name of its network.
        Some(network) if !endpoint.0.is_empty() => json!({ "EndpointsConfig": { network: endpoint.0 } }),
        _ => Value::Null,
    }
}

fn labels(wanted: &RunArgs, context: &Context, mark: &str) -> Map<String, Value> {
    let given = wanted.labels.iter().map(|label| (&label.name, json!(label.value)));
    let mut labels = map(given);
    // They replace labels of the same name in run_args, by which another resource could claim the container.
    for (name, value) in [(label::OBJECT, &context.object), (label::RID, &context.rid), (label::NODE, &context.node)] {
        labels.insert(name.to_owned(), json!(value));
    }
    labels.insert(label::CONFIG.to_owned(), json!(mark));
    labels
}

/// A digest of the body: FNV-1a. It detects changes, and need not resist deliberate collisions.
fn mark(body: &Value) -> String {
    let hash = body
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

fn pairs(variables: &[NamedValue]) -> Vec<String> {
    variables.iter().map(|variable| format!("{}={}", variable.name, variable.value)).collect()
}

fn variables(variables: &[NamedValue]) -> Map<String, Value> {
    map(variables.iter().map(|variable| (&variable.name, json!(variable.value))))
}

fn map<'a>(members: impl Iterator<Item = (&'a String, Value)>) -> Map<String, Value> {
    members.map(|(name, value)| (name.clone(), value)).collect()
}

/// A set in the format of the engine: its elements are the names of empty objects.
fn names(names: impl Iterator<Item = String>) -> Map<String, Value> {
    names.map(|name| (name, json!({}))).collect()
}

fn device(device: &DeviceMapping) -> Value {
    json!({
        "PathOnHost": device.host,
        "PathInContainer": device.container,
        "CgroupPermissions": device.permissions,
    })
}

fn ulimit(ulimit: &Ulimit) -> Value {
    json!({ "Name": ulimit.name, "Soft": ulimit.soft, "Hard": ulimit.hard })
}

fn restart(restart: RestartPolicy) -> Value {
    match restart {
        RestartPolicy::No => json!({ "Name": "no" }),
        RestartPolicy::Always => json!({ "Name": "always" }),
        RestartPolicy::UnlessStopped => json!({ "Name": "unless-stopped" }),
        RestartPolicy::OnFailure(times) => json!({ "Name": "on-failure", "MaximumRetryCount": times }),
    }
}

fn log_config(wanted: &RunArgs) -> Value {
    match (&wanted.log_driver, &wanted.log_opts[..]) {
        (None, []) => Value::Null,
        // Options without a driver are for the engine's default driver, which an empty type selects.
        (driver, options) => json!({ "Type": driver.as_deref().unwrap_or(""), "Config": variables(options) }),
    }
}

fn port(publish: &PortMapping) -> String {
    format!("{}/{}", publish.container_port, publish.protocol)
}

fn port_bindings(publish: &[PortMapping]) -> Map<String, Value> {
    let mut bindings: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for binding in publish {
        let host = json!({ "HostIp": binding.host_ip, "HostPort": binding.host_port });
        bindings.entry(port(binding)).or_default().push(host);
    }
    bindings.into_iter().map(|(port, hosts)| (port, json!(hosts))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(container: &ContainerSpec) -> Value {
        let peer = |rid: &str| Ok(format!("id-of-{rid}"));
        container.describe(&Context::fake("container#1"), &peer).unwrap()
    }

    fn container(run_args: &str) -> ContainerSpec {
        ContainerSpec {
            image: "mariadb".to_owned(),
            run_args: run_args.split_whitespace().map(str::to_owned).collect(),
            ..ContainerSpec::default()
        }
    }

    #[test]
    fn the_body_contains_only_what_is_set() {
        let mut body = described(&container(""));
        body["Labels"][label::CONFIG] = Value::Null;
        assert_eq!(
            body,
            json!({
                "Image": "mariadb",
                "Labels": {
                    "hostler.object": "web", "hostler.rid": "container#1", "hostler.node": "n1", "hostler.config": null,
                },
            })
        );
    }

    #[test]
    fn options_become_the_engines_fields() {
        let body = described(&container(
            "--net=none -e A=b -v /a:/b:ro -v /c -p 8080:80 --cap-add NET_ADMIN --device /dev/fuse --memory 64m -l x=y \
             --tmpfs /run --ulimit nofile=10 --entrypoint /bin/x --init=false",
        ));
        let host = &body["HostConfig"];
        assert_eq!(host["NetworkMode"], "none");
        assert_eq!(host["Binds"], json!(["/a:/b:ro"]));
        assert_eq!(host["CapAdd"], json!(["NET_ADMIN"]));
        assert_eq!(host["Devices"][0]["CgroupPermissions"], "rwm");
        assert_eq!(host["Memory"], 64 << 20);
        assert_eq!(host["PortBindings"], json!({ "80/tcp": [{ "HostIp": "", "HostPort": "8080" }] }));
        assert_eq!(host["Tmpfs"], json!({ "/run": "" }));
        assert_eq!((&body["Env"], &body["Entrypoint"]), (&json!(["A=b"]), &json!(["/bin/x"])));
        assert_eq!((&body["Volumes"], &body["ExposedPorts"]), (&json!({ "/c": {} }), &json!({ "80/tcp": {} })));
        assert_eq!((&body["Labels"]["x"], &host["Init"]), (&json!("y"), &json!(false)));
    }

    #[test]
    fn another_resource_is_found_by_its_rid() {
        let joined = ContainerSpec {
            netns: Some("container#2".to_owned()),
            ..container("--pid container:container#3 --ipc host")
        };
        let host = &described(&joined)["HostConfig"];
        assert_eq!(host["NetworkMode"], "container:id-of-container#2");
        assert_eq!(host["PidMode"], "container:id-of-container#3");
        assert_eq!(host["IpcMode"], "host");
    }

    #[test]
    fn the_mark_changes_with_what_was_asked_for() {
        let mark = |container: &ContainerSpec| described(container)["Labels"][label::CONFIG].clone();
        assert_eq!(mark(&container("-e A=1")), mark(&container("--env A=1")));
        assert_ne!(mark(&container("-e A=1")), mark(&container("-e A=2")));
        // The keywords for stopping are not part of the container.
        let patient = ContainerSpec { grace: Some(std::time::Duration::from_secs(99)), ..container("-e A=1") };
        assert_eq!(mark(&patient), mark(&container("-e A=1")));
    }

    #[test]
    fn labels_of_run_args_cannot_replace_those_of_the_resource() {
        let body = described(&container("-l hostler.object=other -l hostler.rid=x"));
        assert_eq!(
            (&body["Labels"]["hostler.object"], &body["Labels"]["hostler.rid"]),
            (&json!("web"), &json!("container#1"))
        );
    }
}
