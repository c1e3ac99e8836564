//! The table of options: their names, and the field that each sets.

use crate::spec::RunArgs;
use crate::value::{
    ParseResult, capability, cpus, extra_host, flag, integer, label, nanoseconds, restart, size, size_or_unlimited,
    tmpfs, ulimit, variable, word,
};
use crate::words::OptionUse;
use crate::{RunArgsError, port, volume};

/// A row of the table.
#[derive(Debug)]
pub(crate) struct OptionEntry {
    /// The letter of its short form, if it has one.
    letter: Option<char>,
    /// Its long names, without the dashes.
    names: &'static [&'static str],
    takes: OptionEffect,
}

/// The effect of an option.
#[derive(Debug)]
enum OptionEffect {
    /// A flag: it needs no value, and takes one only behind an `=`.
    Flag(fn(&mut RunArgs, bool)),
    /// It needs a value.
    Value(fn(&mut RunArgs, &str) -> ParseResult<()>),
    /// It takes a value on docker's command line, but cannot work here.
    Never(&'static str),
    /// A flag that cannot work here.
    NeverFlag(&'static str),
}

impl OptionEntry {
    pub(crate) fn is_flag(&self) -> bool {
        matches!(self.takes, OptionEffect::Flag(_) | OptionEffect::NeverFlag(_))
    }
}

/// Finds the option with this long name.
pub(crate) fn long(name: &str) -> Option<&'static OptionEntry> {
    TABLE.iter().find(|entry| entry.names.contains(&name))
}

/// Finds the option with this letter.
pub(crate) fn short(letter: char) -> Option<&'static OptionEntry> {
    TABLE.iter().find(|entry| entry.letter == Some(letter))
}

/// Sets the field of an option.
pub(crate) fn apply(spec: &mut RunArgs, given: OptionUse) -> Result<(), RunArgsError> {
    let set = match given.entry.takes {
        OptionEffect::Flag(set) => flag(&given.value).map(|value| set(spec, value)),
        OptionEffect::Value(set) => set(spec, &given.value),
        OptionEffect::Never(instead) | OptionEffect::NeverFlag(instead) => {
            return Err(RunArgsError::NotSupported { option: given.option, instead });
        }
    };
    set.map_err(|expected| RunArgsError::Value { option: given.option, value: given.value, expected })
}

const fn flags(names: &'static [&'static str], set: fn(&mut RunArgs, bool)) -> OptionEntry {
    OptionEntry { letter: None, names, takes: OptionEffect::Flag(set) }
}

const fn value(names: &'static [&'static str], set: fn(&mut RunArgs, &str) -> ParseResult<()>) -> OptionEntry {
    OptionEntry { letter: None, names, takes: OptionEffect::Value(set) }
}

const fn never(name: &'static [&'static str], instead: &'static str) -> OptionEntry {
    OptionEntry { letter: None, names: name, takes: OptionEffect::Never(instead) }
}

const fn never_flag(name: &'static [&'static str], instead: &'static str) -> OptionEntry {
    OptionEntry { letter: None, names: name, takes: OptionEffect::NeverFlag(instead) }
}

impl OptionEntry {
    const fn or(self, letter: char) -> OptionEntry {
        OptionEntry { letter: Some(letter), ..self }
    }
}

/// Sets an optional field to the value that a reader finds in the text.
macro_rules! set {
    ($($field:ident).+, $read:expr) => {
        |spec, text| {
            spec.$($field).+ = Some($read(text)?);
            Ok(())
        }
    };
}

/// Adds the value that a reader finds in the text.
macro_rules! push {
    ($($field:ident).+, $read:expr) => {
        |spec, text| {
            spec.$($field).+.push($read(text)?);
            Ok(())
        }
    };
}

const CLIENT_FILE: &str = "it reads a file of the engine's client, which is not used here: write the values themselves";

static TABLE: &[OptionEntry] = &[
    // Paths and devices of the node that it sees.
    value(&["volume"], push!(volumes, str::parse)).or('v'),
    value(&["volumes-from"], push!(volumes_from, word)),
    value(&["mount"], |spec, text| volume::mount(text, spec)),
    value(&["tmpfs"], push!(tmpfs, tmpfs)),
    value(&["device"], push!(devices, str::parse)),
    value(&["device-cgroup-rule"], push!(device_cgroup_rules, word)),
    flags(&["read-only"], |spec, on| spec.read_only = on),
    value(&["shm-size"], set!(shm_size, size)),
    value(&["storage-opt"], push!(storage_opts, variable)),
    // What it may do.
    value(&["cap-add"], push!(cap_add, capability)),
    value(&["cap-drop"], push!(cap_drop, capability)),
    flags(&["privileged"], |spec, on| spec.privileged = on),
    value(&["security-opt"], push!(security_opt, word)),
    value(&["user"], set!(user, word)).or('u'),
    value(&["group-add"], push!(group_add, word)),
    value(&["runtime"], set!(runtime, word)),
    // The namespaces that it lives in.
    value(&["network", "net"], set!(network, word)),
    value(&["network-alias", "net-alias"], push!(network_aliases, word)),
    value(&["pid"], set!(pid, word)),
    value(&["ipc"], set!(ipc, word)),
    value(&["uts"], set!(uts, word)),
    value(&["userns"], set!(userns, word)),
    value(&["cgroupns"], set!(cgroupns, word)),
    value(&["cgroup-parent"], set!(cgroup_parent, word)),
    // Its network.
    value(&["hostname"], set!(hostname, word)).or('h'),
    value(&["domainname"], set!(domainname, word)),
    value(&["ip"], set!(ip, word)),
    value(&["ip6"], set!(ip6, word)),
    value(&["mac-address"], set!(mac_address, word)),
    value(&["link"], push!(links, word)),
    value(&["publish"], |spec, text| {
        spec.publish.extend(port::publish(text)?);
        Ok(())
    })
    .or('p'),
    flags(&["publish-all"], |spec, on| spec.publish_all = on).or('P'),
    value(&["expose"], |spec, text| {
        spec.expose.extend(port::expose(text)?);
        Ok(())
    }),
    value(&["dns"], push!(dns, word)),
    value(&["dns-search"], push!(dns_search, word)),
    value(&["dns-option", "dns-opt"], push!(dns_options, word)),
    value(&["add-host"], push!(extra_hosts, extra_host)),
    // What runs in it.
    value(&["env"], push!(env, variable)).or('e'),
    value(&["label"], push!(labels, label)).or('l'),
    value(&["entrypoint"], |spec, text| {
        spec.entrypoint = Some(text.to_owned());
        Ok(())
    }),
    value(&["workdir"], set!(workdir, word)).or('w'),
    flags(&["init"], |spec, on| spec.init = Some(on)),
    flags(&["interactive"], |spec, on| spec.interactive = Some(on)).or('i'),
    flags(&["tty"], |spec, on| spec.tty = Some(on)).or('t'),
    flags(&["detach"], |spec, on| spec.detach = Some(on)).or('d'),
    flags(&["rm"], |spec, on| spec.rm = Some(on)),
    value(&["name"], set!(name, word)),
    value(&["pull"], set!(pull, word)),
    value(&["restart"], set!(restart, restart)),
    value(&["stop-signal"], set!(stop_signal, word)),
    value(&["stop-timeout"], set!(stop_timeout, integer)),
    value(&["health-cmd"], set!(health.command, word)),
    value(&["health-interval"], set!(health.interval, nanoseconds)),
    value(&["health-timeout"], set!(health.timeout, nanoseconds)),
    value(&["health-start-period"], set!(health.start_period, nanoseconds)),
    value(&["health-retries"], set!(health.retries, integer)),
    flags(&["no-healthcheck"], |spec, on| spec.health.none = on),
    value(&["log-driver"], set!(log_driver, word)),
    value(&["log-opt"], push!(log_opts, variable)),
    // What it may use.
    value(&["memory"], set!(limits.memory, size)).or('m'),
    value(&["memory-reservation"], set!(limits.memory_reservation, size)),
    value(&["memory-swap"], set!(limits.memory_swap, size_or_unlimited)),
    value(&["memory-swappiness"], set!(limits.memory_swappiness, integer)),
    value(&["kernel-memory"], set!(limits.kernel_memory, size)),
    flags(&["oom-kill-disable"], |spec, on| spec.limits.oom_kill_disable = on),
    value(&["oom-score-adj"], set!(limits.oom_score_adj, integer)),
    value(&["cpus"], set!(limits.nano_cpus, cpus)),
    value(&["cpu-shares"], set!(limits.cpu_shares, integer)).or('c'),
    value(&["cpu-period"], set!(limits.cpu_period, integer)),
    value(&["cpu-quota"], set!(limits.cpu_quota, integer)),
    value(&["cpuset-cpus"], set!(limits.cpuset_cpus, word)),
    value(&["cpuset-mems"], set!(limits.cpuset_mems, word)),
    value(&["pids-limit"], set!(limits.pids, integer)),
    value(&["blkio-weight"], set!(limits.blkio_weight, integer)),
    value(&["sysctl"], push!(sysctls, variable)),
    value(&["ulimit"], push!(ulimits, ulimit)),
    // Options of docker's client that cannot work here.
    never(&["env-file"], CLIENT_FILE),
    never(&["label-file"], CLIENT_FILE),
    never(&["cidfile"], "the agent writes no such file: the status shows the container's id"),
    never(&["attach"], "the output of the container goes to the engine's log").or('a'),
    never(&["detach-keys"], "no terminal is attached to a container when it starts"),
    never_flag(&["sig-proxy"], "no terminal is attached to a container when it starts"),
    never(&["gpus"], "name the devices with --device"),
    never(&["platform"], "pull the image of the platform under a name of its own"),
    never(&["isolation"], "it is an option of another operating system"),
    never(&["volume-driver"], "make the volume with the engine, and name it"),
    never(&["ip-range"], "it is an option of networks"),
    never(&["link-local-ip"], "give the address to an ip resource of the container"),
    never_flag(&["disable-content-trust"], "the engine decides whom it trusts"),
    never(&["device-read-bps"], "limit all devices with --blkio-weight"),
    never(&["device-read-iops"], "limit all devices with --blkio-weight"),
    never(&["device-write-bps"], "limit all devices with --blkio-weight"),
    never(&["device-write-iops"], "limit all devices with --blkio-weight"),
    never(&["blkio-weight-device"], "limit all devices with --blkio-weight"),
    never(&["cpu-rt-period"], "limit the processors with --cpus"),
    never(&["cpu-rt-runtime"], "limit the processors with --cpus"),
];
