//! `om daemon …`, `om events` and `om mon`: the daemon of this node, and what it knows.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use protocol::daemon::TraceKind;

use super::action_args::duration;
use super::{AuthArgs, CertCommand, LazyArgs, OutputArgs, TrailArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum DaemonCommand {
    /// Start the daemon in the background, and wait until it knows how every service is
    #[command(
        after_help = "Services that run already are left as they are. The daemon's own messages are in its log: om daemon \
                      log.\n\nExample:\n  om daemon start"
    )]
    Start(LazyArgs<DaemonStartArgs>),
    /// Run the daemon here, in the foreground, as systemd wants it
    #[command(after_help = "Ctrl-C stops it. Services go on.\n\nExample:\n  om daemon run")]
    Run(LazyArgs<DaemonRunArgs>),
    /// Stop the daemon. Services go on without it, unless --drain is given
    #[command(
        after_help = "On a node of several, where services run in their slots, --drain or --keep must be given.\n\n\
                            Examples:\n  om daemon stop\n  om daemon stop --drain\n  om daemon stop --keep"
    )]
    Stop(LazyArgs<DaemonStopArgs>),
    /// Stop the daemon and start it again. Services go on meanwhile
    #[command(after_help = "Examples:\n  om daemon restart\n  om daemon restart --force")]
    Restart(LazyArgs<DaemonRestartArgs>),
    /// Show the daemon, its parts and the nodes it knows; as JSON, all that it knows
    #[command(after_help = "Examples:\n  om daemon status\n  om daemon status --format json\n  \
                            om daemon status --format flat_json | grep avail")]
    Status(LazyArgs<OutputArgs>),
    /// List what the daemon runs now: actions, looks at resources, tasks
    #[command(after_help = "Examples:\n  om daemon ps\n  om daemon ps --format json")]
    Ps(LazyArgs<OutputArgs>),
    /// Cancel something that the daemon runs. What it has changed is undone
    #[command(after_help = "The order that the action was for fails: om SELECTOR clear tries it again.\n\n\
                            Example:\n  om daemon kill 17")]
    Kill {
        /// The numbers of the processes, as om daemon ps shows them
        #[arg(required = true)]
        ids: Vec<u64>,
    },
    /// Follow what happens on this node
    #[command(after_help = EVENTS_HELP)]
    Events(LazyArgs<EventsArgs>),
    /// Follow what the daemon decides and does: decisions with their reasons, steps, calls of drivers
    #[command(after_help = TRACE_HELP)]
    Trace(LazyArgs<TraceArgs>),
    /// Show the daemon's own log
    #[command(after_help = "Examples:\n  om daemon log\n  om daemon log --follow")]
    Log(LazyArgs<DaemonLogArgs>),
    /// Make a token, by which a user may ask the daemon from elsewhere, or list and revoke tokens
    #[command(
        after_help = "The token alone is printed on standard output.\n\nExamples:\n  om daemon auth --role guest\n  \
                            om daemon auth --user alice --role operator:ns1 --duration 8h >token\n  \
                            om daemon auth ls\n  om daemon auth revoke 5f3c1a2b4d6e8f90"
    )]
    Auth(LazyArgs<AuthArgs>),
    /// Show who asks the daemon here, and what the user may do
    #[command(after_help = "Example:\n  om daemon whoami")]
    Whoami(LazyArgs<OutputArgs>),
    /// List, make, renew and revoke the certificates of the daemon and of users
    #[command(
        subcommand,
        after_help = "Examples:\n  om daemon cert ls\n  om daemon cert create alice --to /root/alice\n  \
                                        om daemon cert renew\n  om daemon cert revoke alice"
    )]
    Cert(LazyArgs<CertCommand>),
    /// Show the paths to the other nodes: through the engine, and directly
    #[command(subcommand, after_help = "Example:\n  om daemon hb status")]
    Hb(LazyArgs<HbCommand>),
    /// Show who asked the daemon for what, and what was refused
    #[command(after_help = "Examples:\n  om daemon audit\n  om daemon audit --user alice --denied\n  \
                            om daemon audit --object ns1/svc/web --format json")]
    Audit(LazyArgs<TrailArgs>),
    /// What OpenSVC's daemon does and this version does not yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum HbCommand {
    /// Show for each path and each node whether something came in time
    #[command(
        after_help = "hb#1 is the path through the engine, hb#2 the link between the daemons; rx receives, tx sends.\n\n\
                            Examples:\n  om daemon hb status\n  om daemon hb status --format json"
    )]
    Status(OutputArgs),
    /// What OpenSVC does with heartbeats and this version does not
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DaemonStartArgs {
    /// Wait at most this long until it is ready. It goes on by itself if that is too short
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) time: Option<Duration>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DaemonRunArgs {
    /// Leave the terminal, and say on standard output when it is ready: how om daemon start calls it
    #[arg(long, hide = true)]
    pub(crate) detached: bool,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DaemonStopArgs {
    /// Stop the services first, so that other nodes take over what they may
    #[arg(long)]
    pub(crate) drain: bool,
    /// Leave the services running. No other node takes over what has a slot here until the daemon is back
    #[arg(long, conflicts_with = "drain")]
    pub(crate) keep: bool,
    /// Wait at most this long for its end
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    /// Kill a daemon that does not answer. Services go on; what it was doing is recovered by the next one
    #[arg(long, conflicts_with = "drain")]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DaemonRestartArgs {
    /// Kill a daemon that does not answer
    #[arg(long)]
    pub(crate) force: bool,
    /// Wait at most this long for its end, and as long again until it is ready
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) time: Option<Duration>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DaemonLogArgs {
    /// Keep printing new lines as they are written
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// How many of the last lines to print; 0 prints all
    #[arg(long, short = 'n', default_value_t = 50, value_parser = super::action_args::lines)]
    pub(crate) lines: usize,
}

pub(crate) const EVENTS_HELP: &str = "A filter is conditions with commas between them, all of which must hold:\n  \
    instance.status    the kind of the event; order.* is every kind that begins so\n  \
    path=web           about this object; patterns work: path=ns1/*\n  \
    node=n1            on this node\n  \
    .data.avail=up     a member of the event: = != < <= > >=\n\n\
    Of several filters, one is enough; --wait ends when each has matched once.\n\n\
    Examples:\n  om events\n  om events --filter order.*,path=web\n  \
    om events --filter instance.status,path=web,.data.avail=up --wait --duration 1m\n  \
    om daemon events --replay --limit 10 --format json\n  \
    om events --filter 'order.*' --template '{{.path}} {{.data.state}}'";

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct EventsArgs {
    /// Only the events that this describes. May be repeated
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    /// End when each filter has matched once, or fail when --duration is over
    #[arg(long, requires = "filter")]
    pub(crate) wait: bool,
    /// End after this many events
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// End after this time
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// Print a line of one's own for each event: {{.kind}}, {{.path}}, {{.data.avail}} and the like are filled in
    #[arg(long, value_name = "TEXT", conflicts_with = "format")]
    pub(crate) template: Option<String>,
    /// Begin with how everything is now, as events of the kinds object.status and instance.status
    #[arg(long)]
    pub(crate) replay: bool,
    /// Begin behind the event of this number, as far as the daemon remembers
    #[arg(long, value_name = "ID", conflicts_with = "replay")]
    pub(crate) after: Option<u64>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

pub(crate) const TRACE_HELP: &str = "The kinds of entries:\n  \
    decision   what comes next for an object, and why nothing else does; told when it changes\n  \
    step       a step of a decision that begins, or what it waits for\n  \
    call       a call of a driver, how it ended, and how long it took\n  \
    look       a look at an instance, and its avail status\n  \
    end        the end of an action or of a run\n\n\
    A task runs in a process of its own, so that calls of its driver are in its log alone.\n\n\
    Examples:\n  om daemon trace\n  om daemon trace --object web --for 30s\n  \
    om daemon trace --object 'ns1/**' --kind decision,step --format json";

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TraceArgs {
    /// Only what is about objects whose paths match this pattern. May be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) object: Vec<String>,
    /// Only these kinds of entries, with commas between them
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = trace_kind())]
    pub(crate) kind: Vec<TraceKind>,
    /// End after this time
    #[arg(long = "for", visible_alias = "duration", value_name = "DURATION", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    /// End after this many entries
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

fn trace_kind() -> impl TypedValueParser<Value = TraceKind> {
    let words = PossibleValuesParser::new(TraceKind::ALL.map(TraceKind::as_str));
    words.map(|word| TraceKind::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(TraceKind::Missed))
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct MonArgs {
    /// Only the objects that this selector names
    #[arg(long, short, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Only these sections, with commas between them
    #[arg(long, value_enum, value_name = "SECTIONS", value_delimiter = ',')]
    pub(crate) sections: Vec<MonSection>,
    /// Only these nodes, with commas between them
    #[arg(long, value_name = "NODES", value_delimiter = ',')]
    pub(crate) node: Vec<model::NodeName>,
    /// Also show what the daemon uses of the machine
    #[arg(long)]
    pub(crate) stats: bool,
    /// Stay, and draw again when something changes
    #[arg(long, short)]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// A part of `om mon`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MonSection {
    /// The parts of the daemon
    #[value(alias = "daemon")]
    Threads,
    /// Those who vote beside the nodes
    Arbitrators,
    /// The nodes
    Nodes,
    /// The objects
    #[value(alias = "objects")]
    Services,
}
