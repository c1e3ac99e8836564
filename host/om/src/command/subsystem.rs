//! `om driver …`, `om node …`, `om config …` and the other commands that are not about an object.

use clap::{Args, Subcommand};

use super::{
    ClusterCommand, ConfigCommand, DaemonCommand, DocArgs, DriverCommand, EVENTS_HELP, EditArgs, EventsArgs, GetArgs,
    LazyArgs, MonArgs, OutputArgs, SetArgs, UnsetArgs, ValidateArgs,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Subsystem {
    /// List, inspect, install and allow drivers, and audit what they did
    ///
    /// A driver acts on one type of resource, such as fs.ext4. It runs in a sandbox: it may do only what it asks for in
    /// its manifest, what this node allows, and what its resource is about.
    #[command(subcommand)]
    Driver(LazyArgs<DriverCommand>),
    /// Show, check or change the configuration of this node
    #[command(subcommand)]
    Node(LazyArgs<NodeCommand>),
    /// Show the pools of this node, from which volumes are made
    #[command(subcommand, after_help = "Examples:\n  om pool ls\n  om pool status --format json")]
    Pool(LazyArgs<PoolCommand>),
    /// Check configuration files before they are installed, and explain their keywords
    #[command(subcommand)]
    Config(LazyArgs<FileCommand>),
    /// Show a service with a disk, a file system, an address and an application, from provision to deletion
    ///
    /// The demo runs in namespaces of its own, as far as this machine allows it, and leaves nothing behind.
    #[command(after_help = "Examples:\n  om demo\n  om demo --shell")]
    Demo(LazyArgs<DemoArgs>),
    /// Print the completion script of a shell
    #[command(after_help = "Example:\n  source <(om completion bash)")]
    Completion {
        /// The shell
        shell: clap_complete::Shell,
        /// The position of the word to complete, counted from 0. The script asks so
        #[arg(long, hide = true, requires = "words")]
        at: Option<usize>,
        /// The words of the line so far
        #[arg(last = true, hide = true)]
        words: Vec<String>,
    },
    /// Print the manual page of om, or write all manual pages into a directory
    #[command(after_help = "Examples:\n  om man | man -l -\n  om man --to /usr/local/share/man/man1")]
    Man {
        /// The directory to write om.1, om-driver.1 and the others to
        #[arg(long, value_name = "DIR")]
        to: Option<std::path::PathBuf>,
    },
    /// Run a command in the process group of a resource, so that it is stopped with it
    #[command(
        after_help = "Example:\n  om exec --pg hostler-svc.web.slice/hostler-svc.web-app.1.slice -- /usr/bin/worker"
    )]
    Exec {
        /// The process group, as om SELECTOR logs shows it
        #[arg(long, value_name = "SLICE")]
        pg: String,
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Show the daemon, the nodes and all services at a glance
    #[command(
        visible_alias = "monitor",
        after_help = "On an instance:\n  \
                      O up   o standby up   X down   x standby down   !! not fully available   / not applicable   ? unknown\n  \
                      !  a warning   ^ the node that placement prefers   * frozen   P not provisioned\n\
                      Behind a state: ! a warning of any instance, ^ the service is not where placement prefers it.\n\n\
                      Examples:\n  om mon\n  om mon --watch\n  om mon -s 'ns1/**' --sections services"
    )]
    Mon(LazyArgs<MonArgs>),
    /// Start, stop and look at the daemon, which watches and restarts the services of this node
    #[command(subcommand, after_help = "Examples:\n  om daemon start\n  om daemon status\n  om daemon log --follow")]
    Daemon(LazyArgs<DaemonCommand>),
    /// Follow what happens on this node: the same as daemon events
    #[command(after_help = EVENTS_HELP)]
    Events(LazyArgs<EventsArgs>),
    /// Begin, join, leave and look at a cluster of several nodes
    #[command(
        subcommand,
        after_help = "Examples:\n  om cluster init\n  om cluster join 10.0.0.1 --token H1.…\n  om cluster status"
    )]
    Cluster(LazyArgs<ClusterCommand>),
    /// Simulate a cluster (not supported yet)
    Sim(LazyArgs<UnbuiltArgs>),
}

/// The words of a command that is not built yet.
#[derive(Debug, Args)]
pub(crate) struct UnbuiltArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Open a shell before everything is taken down
    #[arg(long)]
    pub(crate) shell: bool,
    /// Which version of the demo to show. By default, the best one that this machine allows
    #[arg(long, value_enum)]
    pub(crate) rung: Option<DemoRung>,
    /// The directory of this demo (how it calls itself, where it wants to be)
    #[arg(long, hide = true, value_name = "DIR")]
    pub(crate) inside: Option<std::path::PathBuf>,
    /// Serve a directory over HTTP: the demo's application
    #[arg(long, hide = true, num_args = 2, value_names = ["ADDR:PORT", "DIR"])]
    pub(crate) serve: Option<Vec<String>>,
    /// Print the page at an address
    #[arg(long, hide = true, value_name = "ADDR:PORT")]
    pub(crate) fetch: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DemoRung {
    /// As root, with loop devices, in private namespaces
    Root,
    /// As an ordinary user, in a user namespace
    User,
    /// As an ordinary user, without a namespace
    Plain,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Print node.conf, or what resources hold on this node
    #[command(
        name = "print",
        visible_alias = "show",
        after_help = "Examples:\n  om node print config\n  om node print holdings\n  om node print holdings --orphans"
    )]
    Print {
        /// `config` or `holdings`
        #[arg(default_value = "config", value_parser = ["config", "holdings"])]
        what: String,
        /// With `holdings`: only what is held for objects and sections that are gone
        #[arg(long)]
        orphans: bool,
        /// With `config`: print secrets, too, which show as ***
        #[arg(long)]
        secrets: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Set keywords in node.conf
    #[command(after_help = "Example:\n  om node set --kw node.env=PRD")]
    Set(LazyArgs<SetArgs>),
    /// Remove keywords or sections from node.conf
    #[command(after_help = "Example:\n  om node unset --kw node.env")]
    Unset(LazyArgs<UnsetArgs>),
    /// Print the value of a keyword, as it is written
    #[command(after_help = "Example:\n  om node get --kw node.env")]
    Get(LazyArgs<GetArgs>),
    /// Print the value of a keyword, evaluated: with references and defaults applied
    #[command(after_help = "Example:\n  om node eval --kw node.env")]
    Eval(LazyArgs<GetArgs>),
    /// Open node.conf in an editor, and check it before it is saved
    #[command(after_help = "The editor is $VISUAL, $EDITOR or vi.\n\nExample:\n  om node edit")]
    Edit(LazyArgs<EditArgs>),
    /// Check node.conf
    #[command(visible_alias = "validate_config", after_help = "Example:\n  om node validate")]
    Validate(LazyArgs<ValidateArgs>),
    /// Show, check, change or roll back node.conf
    #[command(subcommand, after_help = "Examples:\n  om node config history\n  om node config rollback 3")]
    Config(LazyArgs<ConfigCommand>),
    /// Prevent automatic actions on this node
    #[command(after_help = "Examples:\n  om node freeze\n  om node freeze --node n2")]
    Freeze(NodeOrderArgs),
    /// Undo freeze and drain: allow automatic actions on this node again
    #[command(
        visible_aliases = ["unfreeze", "undrain"],
        after_help = "Examples:\n  om node thaw\n  om node undrain --node n2"
    )]
    Thaw(NodeOrderArgs),
    /// Freeze this node, and stop all that runs on it, so that other nodes take over what they may
    #[command(
        after_help = "It is over when nothing is left, or at the end of --time. The node stays frozen: om node undrain.\n\n\
                            Examples:\n  om node drain --wait\n  om node drain --node n2 --time 5m --wait"
    )]
    Drain(DrainArgs),
    /// End another node from outside, by the fences of cluster.conf, or try whether that could be done
    #[command(
        visible_alias = "stonith",
        after_help = "A fence is a section [fence#NODE] of cluster.conf. When one has proven that the node has ended, the others take over \
                      what it had. --test leaves the node alone; until it has succeeded on each node, om cluster check and om mon \
                      say so.\n\nExamples:\n  om node fence n2 --test\n  om node fence n2\n  \
                      om node fence n2 --confirm --format json"
    )]
    Fence(LazyArgs<FenceArgs>),
    /// What OpenSVC does with nodes and this version does not yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PoolCommand {
    /// List the names of the pools
    #[command(visible_alias = "list", after_help = "Example:\n  om pool ls")]
    Ls(LazyArgs<OutputArgs>),
    /// Show what each pool has left, and the volumes that came out of it
    #[command(
        visible_alias = "print",
        after_help = "SIZE and FREE are in MiB.\n\nExamples:\n  om pool status\n  om pool status --format json"
    )]
    Status(LazyArgs<OutputArgs>),
}

/// The nodes that an order is about.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct NodeOrderArgs {
    /// These nodes instead of this one: names or patterns, with commas between them
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) node: Option<String>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FenceArgs {
    /// The node
    pub(crate) node: String,
    /// Only try whether it could be ended, by each of its fences
    #[arg(long)]
    pub(crate) test: bool,
    /// Do not ask for the name of the node
    #[arg(long)]
    pub(crate) confirm: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DrainArgs {
    #[command(flatten)]
    pub(crate) nodes: NodeOrderArgs,
    /// How long it may take: what is left then keeps running
    #[arg(long, value_name = "DURATION", value_parser = super::action_args::duration, default_value = "1h")]
    pub(crate) time: std::time::Duration,
    /// Wait for its end, and show what is left
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FileCommand {
    /// Check configuration files, and report every mistake with its line
    #[command(
        after_help = "Examples:\n  om config validate web.conf\n  om config validate - --path ns1/svc/web <web.conf"
    )]
    Validate {
        /// The files; - for standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<std::path::PathBuf>,
        /// Check each file as the configuration of this object. By default, the service with the name of the file
        #[arg(long, value_name = "PATH")]
        path: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Explain the keywords of a driver's sections, or of DEFAULT
    #[command(after_help = "Examples:\n  om config doc\n  om config doc fs.ext4\n  om config doc DEFAULT --kw nodes")]
    Doc(LazyArgs<DocArgs>),
}
