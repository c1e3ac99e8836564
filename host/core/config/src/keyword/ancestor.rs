//! Words of OpenSVC that this version does not know. A file that holds one is not mistyped: the message says what it was for,
//! and what does the same here. A word of a driver stands here only while no driver knows it: drivers are asked first.
//!
//! Source: the keyword references of OpenSVC 2.1 and 3.0.

use model::Group;

/// What a word of OpenSVC does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AncestorEffect {
    /// The object does without it: it changes no more than how something is done.
    Idle,
    /// The object is another one without it, unless its value is the one at which it changes nothing.
    Refused(&'static str),
}

/// A keyword of OpenSVC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AncestorKeyword {
    /// The groups whose sections hold it. None: DEFAULT.
    groups: Option<&'static [Group]>,
    names: &'static [&'static str],
    pub(crate) effect: AncestorEffect,
    /// What to write, or to know, instead.
    pub(crate) instead: &'static str,
}

/// What a refused word is worth where nothing is asked of it.
const NO: AncestorEffect = AncestorEffect::Refused("false");
const NOTHING: AncestorEffect = AncestorEffect::Refused("");
const IDLE: AncestorEffect = AncestorEffect::Idle;

const HEAD: Option<&[Group]> = None;
const ANY: Option<&[Group]> = Some(&Group::ALL);
const IP: Option<&[Group]> = Some(&[Group::Ip]);
const FS: Option<&[Group]> = Some(&[Group::Fs]);
const DISK: Option<&[Group]> = Some(&[Group::Disk]);
const STORAGE: Option<&[Group]> = Some(&[Group::Disk, Group::Fs, Group::Volume, Group::Container]);
const CONTAINER: Option<&[Group]> = Some(&[Group::Container, Group::Task]);
const PROGRAM: Option<&[Group]> = Some(&[Group::App, Group::Task]);
const VOLUME: Option<&[Group]> = Some(&[Group::Volume]);
const WITH_VARIABLES: Option<&[Group]> = Some(&[Group::App, Group::Task, Group::Container]);
const TASK: Option<&[Group]> = Some(&[Group::Task]);
const SYNC: Option<&[Group]> = Some(&[Group::Sync]);

const fn row(
    groups: Option<&'static [Group]>,
    names: &'static [&'static str],
    effect: AncestorEffect,
    instead: &'static str,
) -> AncestorKeyword {
    AncestorKeyword { groups, names, effect, instead }
}

const KEYWORDS: [AncestorKeyword; 52] = [
    row(HEAD, &["aws", "aws_profile"], IDLE, "there are no drivers for Amazon's cloud"),
    row(HEAD, &["flex_cpu_low_threshold", "flex_cpu_high_threshold"], IDLE, "set flex_target"),
    row(HEAD, &["lock_timeout"], IDLE, "--waitlock says how long an action waits"),
    row(HEAD, &["stat_timeout"], IDLE, "set status_timeout"),
    row(HEAD, &["docker_exe", "dockerd_exe"], IDLE, "engines are asked at their sockets"),
    row(HEAD, &["docker_daemon_private"], IDLE, "container_data_dir gives the object an engine of its own"),
    row(HEAD, &["docker_swarm_args", "docker_swarm_managers"], NOTHING, "engines are asked one by one"),
    row(HEAD, &["docker_daemon_args"], NOTHING, "the object's own engine takes no options"),
    row(HEAD, &["sync_interval", "sync_max_delay"], IDLE, "set sync_schedule"),
    row(HEAD, &["push_schedule"], IDLE, "nothing is sent to a collector"),
    row(HEAD, &["scale", "slaves", "scaler_slave"], NOTHING, "set flex_target, or make one object for each"),
    row(HEAD, &["presnap_trigger", "postsnap_trigger"], NOTHING, "a copy has no triggers"),
    row(HEAD, &["constraints"], NOTHING, "use nodes with labels, or hard_affinity"),
    row(HEAD, &["registry_creds"], NOTHING, "log the engine in at the registry"),
    row(HEAD, &["drpnode"], NOTHING, "name the node in drpnodes"),
    row(HEAD, &["scsireserv"], NO, "nothing reserves disks by SCSI"),
    row(HEAD, &["prkey", "no_preempt_abort"], IDLE, "nothing reserves disks by SCSI"),
    row(ANY, &["enable_on"], NOTHING, "set disable = true, and disable@NODE = false"),
    row(ANY, &["disable_on"], NOTHING, "set disable@NODE = true"),
    row(STORAGE, &["scsireserv", "promote_rw"], NO, "nothing reserves disks by SCSI"),
    row(STORAGE, &["prkey", "no_preempt_abort"], IDLE, "nothing reserves disks by SCSI"),
    row(IP, &["wait_dns", "dns_update", "dns_name_suffix", "provisioner"], IDLE, "names are not served here"),
    row(IP, &["expose"], NOTHING, "nothing leads traffic to ports"),
    row(IP, &["vlan_tag", "vlan_mode"], NOTHING, "set dev to a device of that VLAN"),
    row(
        FS,
        &["vg", "size", "create_options"],
        NOTHING,
        "write a [disk#…] with type = lv, and dev = {disk#….exposed_devs[0]}",
    ),
    row(FS, &["user", "group", "perm"], NOTHING, "write an [fs#…] with type = directory below the mount point"),
    row(FS, &["check_read", "stat_timeout"], IDLE, "set status_timeout"),
    row(FS, &["zone"], NOTHING, "there are no zones of Solaris"),
    row(DISK, &["zone"], NOTHING, "there are no zones of Solaris"),
    row(DISK, &["manage_passphrase", "secret"], NOTHING, "set passphrase, or keyfile"),
    row(DISK, &["label"], NOTHING, "set format_options"),
    row(
        DISK,
        &["addr", "disk", "max_peers", "network", "port"],
        NOTHING,
        "write the file of the resource, and set res",
    ),
    row(DISK, &["layout", "dsf", "create_char_devices"], IDLE, "the program's default is taken"),
    row(CONTAINER, &["detach"], AncestorEffect::Refused("true"), "a [task#…] with type = docker runs a container once"),
    row(CONTAINER, &["registry_creds"], NOTHING, "log the engine in at the registry"),
    row(
        CONTAINER,
        &["guestos", "osvc_root_path", "qga", "cloud_id", "key_name", "shared_ip_group"],
        IDLE,
        "no agent runs in the container",
    ),
    row(CONTAINER, &["dns_search", "sysctl"], NOTHING, "set run_args"),
    row(CONTAINER, &["snap", "snapof", "virtinst"], NOTHING, "set xml"),
    row(VOLUME, &["install"], NOTHING, "set configs, secrets and directories"),
    row(VOLUME, &["mappings"], NOTHING, "a volume is made of what its pool has on each node"),
    row(WITH_VARIABLES, &["volume_env"], NOTHING, "set environment = NAME={volume#….mnt}"),
    row(WITH_VARIABLES, &["install"], NOTHING, "a [volume#…] with configs, secrets and directories makes files"),
    row(PROGRAM, &["info", "info_timeout"], IDLE, "nothing is sent to a collector"),
    row(PROGRAM, &["status_log", "log", "log_outputs"], IDLE, "output is always logged"),
    row(PROGRAM, &["kill"], IDLE, "stop ends all processes of the resource"),
    row(PROGRAM, &["snooze"], IDLE, "set schedule"),
    row(TASK, &["check"], NOTHING, "om logs and om print schedule show how the last run ended"),
    row(CONTAINER, &["log_outputs"], IDLE, "output is always logged"),
    row(SYNC, &["sync_interval", "sync_max_delay", "period"], IDLE, "set schedule"),
    row(SYNC, &["recursive"], NO, "write one section for each subvolume"),
    row(SYNC, &["reset_options"], NO, "nothing is added to options"),
    row(STORAGE, &["snap_size"], IDLE, "copies of LVM volumes by snapshots are made by sync type = rsync with snap"),
];

/// The keyword of OpenSVC of that name, in DEFAULT or in the sections of a group.
pub(crate) fn ancestor_keyword(group: Option<Group>, name: &str) -> Option<&'static AncestorKeyword> {
    let fits = |row: &&AncestorKeyword| match (row.groups, group) {
        (None, None) => true,
        (Some(groups), Some(group)) => groups.contains(&group),
        _ => false,
    };
    KEYWORDS.iter().filter(fits).find(|row| row.names.contains(&name))
}

/// Drivers of OpenSVC, and what does the same here, if anything does.
const DRIVERS: [(Group, &[&str], &str); 20] = [
    (Group::Ip, &["cni"], "type = netns brings an address into a container"),
    (Group::Ip, &["amazon", "crossbow", "rule", "zone"], ""),
    (Group::Disk, &["scsireserv"], "nothing reserves disks by SCSI"),
    (Group::Disk, &["disk"], "name the device with type = raw"),
    (
        Group::Disk,
        &[
            "advfs", "amazon", "gandi", "hp3par", "hpvm", "ldom", "rados", "vdisk", "vxdg", "vxvol", "xp8", "zpool",
            "zvol", "vmdg",
        ],
        "",
    ),
    (Group::Fs, &["none"], "type = bind, or leave the section out"),
    (Group::Fs, &["docker"], "type = directory, and volume_mounts of its path"),
    (Group::Fs, &["lofs"], "type = bind"),
    (
        Group::Fs,
        &[
            "vxfs", "zfs", "ext", "reiserfs", "jfs", "jfs2", "ntfs", "vfat", "gfs2", "ocfs", "ocfs2", "cifs", "smbfs",
            "ufs", "advfs", "9pfs", "s3ql",
        ],
        "",
    ),
    (Group::App, &["winservice"], ""),
    (Group::Container, &["lxc", "lxd"], "type = podman, or type = kvm"),
    (Group::Container, &["amazon", "esx", "hpvm", "jail", "ldom", "openstack", "ovm", "srp"], ""),
    (Group::Container, &["vbox", "vcloud", "vz", "xen", "zone"], ""),
    (Group::Sync, &["btrfssnap"], "type = btrfs keeps snapshots"),
    (
        Group::Sync,
        &[
            "dcsckpt",
            "dcssnap",
            "dds",
            "evasnap",
            "hp3par",
            "hp3parsnap",
            "ibmdssnap",
            "necismsnap",
            "netapp",
            "nexenta",
        ],
        "",
    ),
    (Group::Sync, &["radosclone", "radossnap", "s3", "symclone", "symsnap", "symsnapvx", "symsrdfs"], ""),
    (Group::Sync, &["zfs", "zfssnap"], ""),
    (Group::Task, &["oci", "podman"], "type = docker"),
    (Group::Share, &["nfs3", "nfs4"], "type = nfs"),
    (Group::Volume, &["share", "zpool", "rados", "freenas", "truenas", "pure", "symmetrix", "hoc", "dorado"], POOLS),
];

/// What to write instead of a pool that does not exist here.
const POOLS: &str = "a pool is of type directory, shm, loop, vg, drbd or virtual";

/// What to write instead of a driver of OpenSVC: nothing where there is none. None if OpenSVC has no such driver either.
pub(crate) fn ancestor_driver(group: Group, name: &str) -> Option<&'static str> {
    let rows = DRIVERS.iter().filter(|(of, ..)| *of == group);
    rows.clone().find(|(_, names, _)| names.contains(&name)).map(|(.., instead)| *instead)
}

/// Kinds of sections of OpenSVC that have no group here.
pub(crate) const SECTIONS: [&str; 5] = ["certificate", "expose", "hashpolicy", "route", "vhost"];

/// References of OpenSVC that have no value here.
pub(crate) const REFERENCES: [&str; 9] = [
    "clusterid",
    "clusterdrpnodes",
    "collector_api",
    "dns",
    "dnsnodes",
    "dnsuxsock",
    "dnsuxsockd",
    "initd",
    "private_var",
];
