//! The keywords of node.conf.

use std::sync::LazyLock;

use super::all_of;
use model::keyword::{Keyword, ValueKind};

/// The keywords of `[node]`.
pub fn node() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let all = all_of([environment(), limits(), guard(), logs(), collector()]);
        all.into_iter().map(Keyword::unscoped).collect()
    });
    &KEYWORDS
}

/// The keywords of `[compliance]`.
pub fn compliance() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let auto_update = "Bring the compliance modules up to date before each check.";
        let all = vec![
            Keyword::new("auto_update", ValueKind::Boolean, auto_update).or("false"),
            Keyword::new("schedule", ValueKind::Schedule, "When the node's compliance is checked.")
                .or("02:00-06:00")
                .such_as("@1440"),
        ];
        all.into_iter().map(Keyword::unscoped).collect()
    });
    &KEYWORDS
}

/// The keywords of `[listener]`: where the daemon answers beside its unix socket, and how much it takes from one client.
pub fn listener() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let all = vec![
            Keyword::new(
                "addr",
                ValueKind::List,
                "The addresses that the daemon answers on by TLS, and loopback with them. Without one it answers on its unix \
                 socket alone.",
            )
            .once("tls_addr")
            .such_as("10.0.0.1"),
            Keyword::new("port", ValueKind::Integer, "The port of these addresses.").once("tls_port").or("1215"),
            Keyword::new(
                "alt_names",
                ValueKind::List,
                "Further names and addresses that clients call this node by. They are in its certificate.",
            )
            .such_as("n1.example.com"),
            Keyword::new(
                "rate_limiter_rate",
                ValueKind::Integer,
                "How many requests a second one user may make in the long run. 0: any number. One address may make twice as many.",
            )
            .or("20"),
            Keyword::new("rate_limiter_burst", ValueKind::Integer, "How many of them may come at once.").or("100"),
        ];
        all.into_iter().map(Keyword::unscoped).collect()
    });
    &KEYWORDS
}

/// The keywords of `[stats]`.
pub fn stats() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let help = "When the node's figures are sent to the collector.";
        vec![Keyword::new("schedule", ValueKind::Schedule, help).unscoped().or("@10").such_as("@60")]
    });
    &KEYWORDS
}

/// The keywords of `[driver#<group>.<name>]`: how much one call of the driver may use. Where the driver's policy file has a
/// limit too, the lower one holds.
pub fn driver() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let all = vec![
            Keyword::new("memory", ValueKind::Size, "How much memory a call of the driver may use.").such_as("64m"),
            Keyword::new("cpu", ValueKind::Duration, "How much processor time a call may use.").such_as("2s"),
            Keyword::new("wall", ValueKind::Duration, "How long a call may take.").such_as("10m"),
            Keyword::new("output", ValueKind::Size, "How much a call may log and keep of the output of programs.")
                .such_as("1m"),
        ];
        all.into_iter().map(Keyword::unscoped).collect()
    });
    &KEYWORDS
}

/// The keywords of `[hook#<name>]`: a command that the daemon runs when something happens.
pub fn hook() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        let command = "The command. It gets the event as JSON, in the variable EVENT and on its standard input.";
        let all = vec![
            Keyword::new(
                "events",
                ValueKind::List,
                "The kinds of events that it runs for; order.* is every kind that begins so.",
            )
            .such_as("instance.blocked order.end engine.*"),
            Keyword::new("command", ValueKind::Command, command).such_as("/usr/local/bin/alert --to ops"),
            Keyword::new("timeout", ValueKind::Duration, "How long the command may take; then it is killed.").or("10s"),
        ];
        all.into_iter().map(Keyword::unscoped).collect()
    });
    &KEYWORDS
}

fn environment() -> Vec<Keyword> {
    vec![
        Keyword::new(
            "env",
            ValueKind::String,
            "The environment: PRD, TST… A node of environment PRD refuses objects of any other.",
        )
        .once("host_mode")
        .or("TST")
        .such_as("PRD"),
        Keyword::new("prkey", ValueKind::String, "The node's key of persistent reservations.")
            .such_as("0x10000000000ab"),
        Keyword::new("comment", ValueKind::String, "For people."),
    ]
}

fn limits() -> Vec<Keyword> {
    vec![
        Keyword::new(
            "max_parallel",
            ValueKind::Integer,
            "How many members of a parallel subset act at once. By default four a core.",
        )
        .such_as("8"),
    ]
}

fn guard() -> Vec<Keyword> {
    vec![
        Keyword::new(
            "watchdog",
            ValueKind::String,
            "Whether a keeper guards what this node holds slots for: off; use: a keeper, and the watchdog if there is one; \
             required: no slot without both.",
        )
        .or("off")
        .among(&["off", "use", "required"]),
        Keyword::new("watchdog_device", ValueKind::Path, "The watchdog. By default /dev/watchdog.")
            .such_as("/dev/watchdog1"),
        Keyword::new(
            "on_cut",
            ValueKind::String,
            "What the keeper does at the hard deadline: cut removes what the slot holds; reboot also restarts the node; \
             crash resets it at once.",
        )
        .or("cut")
        .among(&["cut", "reboot", "crash"]),
    ]
}

fn logs() -> Vec<Keyword> {
    vec![
        Keyword::new(
            "audit",
            ValueKind::String,
            "What of the drivers' calls is recorded: those that change something and those \
            that are denied, or all.",
        )
        .or("changes")
        .among(&["changes", "all"]),
        Keyword::new(
            "log_max_size",
            ValueKind::Size,
            "The size at which the log of an object is rotated, besides every day, and at which the daemon shortens the output of its \
             programs.",
        )
        .such_as("10m"),
        Keyword::new("log_keep", ValueKind::Integer, "How many rotated logs of an object are kept.").such_as("7"),
        Keyword::new("config_keep", ValueKind::Integer, "How many versions of each configuration are kept.")
            .or("50")
            .such_as("200"),
        Keyword::new(
            "journald",
            ValueKind::String,
            "Send the logs of objects to systemd's journal too, with the fields OBJECT_PATH, RID and NODE; or the path of its socket.",
        )
        .or("false")
        .such_as("true"),
        Keyword::new(
            "syslog",
            ValueKind::String,
            "Send the logs of objects to syslog too, as RFC 5424 says: to /dev/log, to another socket or to a host.",
        )
        .or("false")
        .such_as("tcp://logs.example.com:601"),
    ]
}

fn collector() -> Vec<Keyword> {
    let address = |name: &str, help: &str| Keyword::new(name, ValueKind::String, help);
    vec![
        address("dbopensvc", "The collector's feed.").such_as("https://collector.example.com/feed/default/call/xmlrpc"),
        address("dbcompliance", "The collector's compliance service.")
            .such_as("https://collector.example.com/init/compliance/call/xmlrpc"),
        address("repopkg", "Where packages are taken from.").such_as("https://repo.example.com/"),
        address("repocomp", "Where compliance modules are taken from.").such_as("https://repo.example.com/compliance/"),
    ]
}
