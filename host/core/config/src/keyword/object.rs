//! The keywords of the sections DEFAULT and subset.

use std::sync::LazyLock;

use super::all_of;
use model::Verb;
use model::keyword::{Keyword, ValueKind};

/// The keywords of DEFAULT.
pub fn default() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        all_of([
            identity(),
            nodes(),
            orchestration(),
            relations(),
            actions(),
            schedules(),
            timeouts(false),
            process_group(),
        ])
    });
    &KEYWORDS
}

/// The keywords that DEFAULT has in a user besides.
pub fn user() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let grant = "What the user may do: root, or admin, operator and guest, each in the namespaces that a pattern behind \
                     a colon names.";
        vec![Keyword::new("grant", ValueKind::List, grant).unscoped().such_as("admin:ns1 operator:ns2 guest:*")]
    });
    &KEYWORDS
}

/// The keywords that DEFAULT has in a volume besides. A pool writes them.
pub fn volume() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let devices = "The disks whose devices are those of the volume. By default the last disk that has any.";
        vec![
            Keyword::new("pool", ValueKind::String, "The pool that the volume was made from.").such_as("default"),
            Keyword::new("size", ValueKind::Size, "The size that was asked of the pool.").such_as("1g"),
            Keyword::new(
                "access",
                ValueKind::String,
                "Who uses the volume: read-write or read-only, one node or many.",
            )
            .or("rwo")
            .among(&["rwo", "roo", "rwx", "rox"]),
            Keyword::new("devices_from", ValueKind::List, devices).such_as("disk#2"),
        ]
    });
    &KEYWORDS
}

/// The keywords of `subset#<group>:<name>`.
pub fn subset() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let parallel =
            Keyword::new("parallel", ValueKind::Boolean, "Let the members act at the same time.").or("false");
        all_of([vec![parallel], process_group()])
    });
    &KEYWORDS
}

fn identity() -> Vec<Keyword> {
    vec![
        Keyword::new("id", ValueKind::String, "The object's identity, made when it is created.").unscoped(),
        Keyword::new("app", ValueKind::String, "The application code that the object belongs to.").or("default"),
        Keyword::new(
            "env",
            ValueKind::String,
            "The environment: PRD, PPRD, REC, INT, DEV, TST… A node of environment PRD \
            refuses objects of any other.",
        )
        .once("service_type")
        .or("TST")
        .such_as("PRD"),
        Keyword::new("comment", ValueKind::String, "For people."),
    ]
}

fn nodes() -> Vec<Keyword> {
    let list = |name, help| Keyword::new(name, ValueKind::Nodes, help);
    vec![
        list(
            "nodes",
            "The nodes that may run the object, in the order of placement: names, globs, labels. By default \
            this node alone.",
        )
        .such_as("n1 n2"),
        list("drpnodes", "The nodes that take over when the former are lost.").such_as("n3"),
        list("encapnodes", "The nodes inside the object's containers.").such_as("vm1"),
        Keyword::new(
            "flex_primary",
            ValueKind::String,
            "The first among the nodes of a flex object. By default the first of \
            nodes.",
        )
        .such_as("n1"),
        Keyword::new(
            "drp_flex_primary",
            ValueKind::String,
            "The first among the drpnodes of a flex object. By default the \
            first of drpnodes.",
        ),
    ]
}

fn orchestration() -> Vec<Keyword> {
    vec![
        Keyword::new("topology", ValueKind::String, "failover: one instance is up. flex: several are.")
            .once("cluster_type")
            .or("failover")
            .among(&["failover", "flex"]),
        Keyword::new(
            "orchestrate",
            ValueKind::String,
            "no: the daemon does nothing of its own accord. start: it starts the \
            object when its first node boots. ha: it starts it, and moves it when its node fails.",
        )
        .or("no")
        .among(&["no", "start", "ha"]),
        Keyword::new("placement", ValueKind::String, "How the nodes are ranked.").or("nodes order").among(&[
            "nodes order",
            "score",
            "load avg",
            "spread",
            "shift",
            "last start",
            "none",
        ]),
        Keyword::new("flex_min", ValueKind::Integer, "At least so many instances of a flex object are up.")
            .once("flex_min_nodes")
            .or("1"),
        Keyword::new(
            "flex_max",
            ValueKind::Integer,
            "At most so many instances of a flex object are up. 0: any number.",
        )
        .once("flex_max_nodes")
        .or("{#nodes}"),
        Keyword::new("flex_target", ValueKind::Integer, "So many instances of a flex object are wanted.")
            .or("{flex_min}"),
        Keyword::new("priority", ValueKind::Integer, "Objects of a lower priority act first.").or("50"),
        Keyword::new(
            "monitor_action",
            ValueKind::List,
            "What the daemon does when a monitored resource fails and no restart \
            is left. A second word is done when the first fails.",
        )
        .among(&["none", "freezestop", "switch", "reboot", "crash"])
        .such_as("switch"),
        Keyword::new(
            "pre_monitor_action",
            ValueKind::Command,
            "A command to run before monitor_action, for 60s at most.",
        ),
        Keyword::new(
            "engine_loss",
            ValueKind::String,
            "What the daemon does when it cannot reach the cluster's store and \
            its members do not all answer.",
        )
        .among(&["failsafe", "stop", "keep"])
        .or("failsafe"),
        Keyword::new("stonith", ValueKind::Boolean, "Fence a lost node before its object is started elsewhere.")
            .or("false"),
    ]
}

fn relations() -> Vec<Keyword> {
    let affinity = |name, help| Keyword::new(name, ValueKind::List, help);
    vec![
        Keyword::new("parents", ValueKind::List, "Objects, <path>[@<node>], that must be up before this one starts."),
        Keyword::new("children", ValueKind::List, "Objects, <path>[@<node>], that must be down before this one stops."),
        affinity("hard_affinity", "Objects that must run on the same node.").once("affinity"),
        affinity("hard_anti_affinity", "Objects that must not run on the same node.").once("anti_affinity"),
        affinity("soft_affinity", "Objects that had better run on the same node."),
        affinity("soft_anti_affinity", "Objects that had better not run on the same node."),
    ]
}

fn actions() -> Vec<Keyword> {
    let flag = |name, default, help| Keyword::new(name, ValueKind::Boolean, help).or(default);
    vec![
        flag("rollback", "true", "Undo what a failed start did."),
        flag("show_disabled", "true", "Show disabled resources in the status."),
        flag("disable", "false", "Refuse every action on the instance."),
        flag("provision", "true", "false: refuse to provision the object."),
        flag("unprovision", "true", "false: refuse to unprovision the object."),
        flag("create_pg", "true", "Run the object's processes in control groups of their own."),
        Keyword::new("container_data_dir", ValueKind::Path, "Where the object's own container engine keeps its data.")
            .once("docker_data_dir")
            .such_as("/srv/{name}/docker"),
    ]
}

fn schedules() -> Vec<Keyword> {
    let schedule = |name, help| Keyword::new(name, ValueKind::Schedule, help).such_as("@10");
    vec![
        schedule("status_schedule", "When the status of the instance is looked at afresh.").or("@10"),
        schedule("monitor_schedule", "When monitored resources are looked at afresh.").once("mon_schedule"),
        schedule("sync_schedule", "When sync resources without a schedule run.").or("04:00-06:00"),
        schedule("run_schedule", "When tasks without a schedule run."),
        schedule("resinfo_schedule", "When what is known of the resources is sent to the collector.").or("@60"),
        schedule("comp_schedule", "When compliance is checked.").or("00:00-06:00"),
        Keyword::new("timezone", ValueKind::String, "The time zone of the schedules. By default the node's.")
            .such_as("Europe/Paris"),
    ]
}

/// How long actions may take, of an object or of one resource. Those of a resource fall back to the object's.
pub(crate) fn timeouts(of_resource: bool) -> Vec<Keyword> {
    let keyword = |name: String, help: String, default: Option<&str>| {
        let keyword = Keyword::new(name, ValueKind::Duration, help).such_as("2m");
        match (of_resource, default) {
            (true, _) => keyword.inherited(),
            (false, Some(default)) => keyword.or(default),
            (false, None) => keyword,
        }
    };
    let any = "How long an action may take that has no timeout of its own.".to_owned();
    let status = "How long a status check may take.".to_owned();
    let mut keywords =
        vec![keyword("timeout".to_owned(), any, Some("1h")), keyword("status_timeout".to_owned(), status, Some("1m"))];
    keywords.extend(Verb::CONFIGURABLE.map(|verb| {
        keyword(
            format!("{verb}_timeout"),
            format!("How long {verb} may take. The default is the value of timeout."),
            None,
        )
    }));
    keywords
}

/// The limits of a control group.
pub(crate) fn process_group() -> Vec<Keyword> {
    let keyword = |name, kind, help| Keyword::new(name, kind, help);
    vec![
        keyword("pg_cpus", ValueKind::String, "The processors that the processes may run on.").such_as("0-2"),
        keyword("pg_mems", ValueKind::String, "The memory nodes that the processes may use.").such_as("0"),
        keyword("pg_cpu_shares", ValueKind::Integer, "Their weight against others when processors are scarce.")
            .such_as("512"),
        keyword(
            "pg_cpu_quota",
            ValueKind::String,
            "How much processor time they may use: a part of one processor (50%), of some (50%@2) or of all (50%@all), microseconds in \
             100 ms, or -1 for no limit.",
        )
            .such_as("50%@all"),
        keyword("pg_mem_limit", ValueKind::Size, "How much memory they may use.").such_as("512m"),
        keyword("pg_vmem_limit", ValueKind::Size, "How much memory and swap together they may use.").such_as("1g"),
        keyword(
            "pg_mem_oom_control",
            ValueKind::String,
            "1: pause processes rather than kill one when memory is exhausted.",
        )
        .among(&["0", "1"]),
        keyword("pg_mem_swappiness", ValueKind::Integer, "How readily their memory is swapped, from 0 to 100.")
            .such_as("40"),
        keyword("pg_blkio_weight", ValueKind::Integer, "Their weight against others when disks are busy.")
            .such_as("50"),
    ]
}
