//! `om cluster …`: several nodes, and the engine that they share.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::action_args::duration;
use super::{ConfigCommand, LazyArgs, OutputArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Begin a cluster on this node. What the node has moves into it, and services go on
    #[command(
        after_help = "The daemon is started again, by itself. Members of etcd are managed by the daemons; with --engine, the \
                      cluster uses one that runs already.\n\nExamples:\n  om cluster init\n  \
                      om cluster init --name blue --addr 10.0.0.1\n  \
                      om cluster init --engine http://10.0.0.11:2379,http://10.0.0.12:2379"
    )]
    Init(LazyArgs<InitArgs>),
    /// Join the cluster of another node. What this node has moves into it, and services go on
    #[command(
        after_help = "Can be repeated: it goes on where it was interrupted. An object that is on both sides with different \
                      configurations is refused before anything is changed.\n\nExamples:\n  \
                      om cluster join 10.0.0.1 --token H1.5f3c1a2b.Kx0…\n  \
                      om cluster join 10.0.0.1 --token H1.5f3c1a2b.Kx0… --witness"
    )]
    Join(LazyArgs<JoinArgs>),
    /// Show the nodes, the members of the engine, and what a loss would mean
    #[command(after_help = "Examples:\n  om cluster status\n  om cluster status --format json")]
    Status(LazyArgs<OutputArgs>),
    /// Check whether this node can begin or join a cluster, or how well its cluster is
    #[command(
        after_help = "Exits with 1 if there is an error.\n\nExamples:\n  om cluster check\n  om cluster check --addr 10.0.0.1"
    )]
    Check(LazyArgs<CheckArgs>),
    /// List, make and revoke the tokens by which nodes join
    #[command(
        subcommand,
        after_help = "Examples:\n  om cluster token create --ttl 1d --uses 2\n  om cluster token ls\n  om cluster token revoke 5f3c1a2b"
    )]
    Token(LazyArgs<TokenCommand>),
    /// Show and renew the certificates of this node, and replace the authority of the engine
    #[command(
        subcommand,
        after_help = "Daemons renew the certificate of their node with 30 of its 90 days left.\n\nExamples:\n  om cluster cert ls\n  \
                      om cluster cert renew\n  om cluster cert rotate-ca --time 10m"
    )]
    Cert(LazyArgs<ClusterCertCommand>),
    /// Take this node out of the cluster. It keeps the objects that are its alone
    #[command(
        after_help = "Refused as long as an object names this node and others: take it out of their nodes first, or say --drain. Then \
                      what runs here is stopped, so that other nodes take over what they may, and the objects that other nodes have, \
                      too, do not name this node any more. What is this node's alone is started again afterwards. If it is \
                      interrupted, or something does not stop in time, the same command again goes on.\n\nExamples:\n  \
                      om web set --kw nodes='n1 n3' && om cluster leave\n  om cluster leave --drain --time 5m"
    )]
    Leave(LazyArgs<LeaveArgs>),
    /// Take another node out of the cluster, which is gone
    #[command(after_help = "Examples:\n  om cluster remove n3\n  om cluster remove n3 --i-know-it-is-off")]
    Remove(LazyArgs<RemoveNodeArgs>),
    /// End the life of a node on your word that its services are stopped: others take them over
    #[command(
        after_help = "For a node that is dead, and whose daemon had been stopped with --keep: the others wait for it without an end. A \
                      node that sends beats is refused. Its member is removed from the engine if it does not answer.\n\n\
                      Examples:\n  om cluster evict n3\n  om cluster evict n3 --services-are-stopped --confirm"
    )]
    Evict(LazyArgs<EvictArgs>),
    /// Take the engine that answers as the right one, though it is another one or older than this node knows
    #[command(
        name = "accept-engine",
        after_help = "After a restore by other means than om cluster. It begins another generation, so that all other nodes take it, too, \
                      if etcd has given it the same id. Services go on.\n\nExamples:\n  om cluster accept-engine\n  \
                      om cluster accept-engine --confirm --format json"
    )]
    AcceptEngine(LazyArgs<AcceptEngineArgs>),
    /// Make a new engine of what this node has, when a majority of its members is lost for good
    #[command(
        after_help = "Refused as long as a majority answers. What the members that are lost have acknowledged, and this node does \
                      not have, is lost. Services go on. The old data are kept aside. Can be repeated: it goes on where it was \
                      interrupted.\n\nExamples:\n  om cluster recover --dry-run\n  \
                      om cluster recover --others-are-off\n  om cluster recover --others-are-off --confirm --format json"
    )]
    Recover(LazyArgs<RecoverArgs>),
    /// Give this node a member of the engine again, when the data of its own are lost or damaged
    #[command(
        after_help = "The others answer: the member is made anew from theirs. After om cluster recover, the other nodes come back \
                      by this, too. With --from-files no node has the data any more: a new engine begins, and the daemons \
                      publish the configurations of their files in it. Services go on. Can be repeated: it goes on where it \
                      was interrupted.\n\nExamples:\n  om cluster rebuild\n  om cluster rebuild --from 10.0.0.2\n  \
                      om cluster rebuild --from-files --others-are-off"
    )]
    Rebuild(LazyArgs<RebuildArgs>),
    /// Write all that the cluster knows of its objects to a file
    #[command(
        after_help = "Daemons beside a member of the engine do so every six hours, and keep ten.\n\nExample:\n  \
                      om cluster backup /root/blue.backup"
    )]
    Backup {
        /// The file. By default one below the agent's own directory
        file: Option<PathBuf>,
    },
    /// Bring the configurations of objects back that a backup holds
    #[command(
        after_help = "What was made since stays. Services go on; a configuration that changes is like one that was edited.\n\n\
                      Examples:\n  om cluster restore /root/blue.backup --dry-run\n  om cluster restore /root/blue.backup --object web"
    )]
    Restore(LazyArgs<RestoreArgs>),
    /// Show, check, change or roll back cluster.conf
    #[command(subcommand, after_help = "Examples:\n  om cluster config edit\n  om cluster config validate")]
    Config(LazyArgs<ConfigCommand>),
    /// What OpenSVC does with clusters and this version does not yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

/// The address and the ports of this node in a cluster.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SeatArgs {
    /// The address at which the other nodes reach this one. By default the one towards them
    #[arg(long, value_name = "IP")]
    pub(crate) addr: Option<IpAddr>,
    /// The ports of the daemon, of the engine for clients, and of the engine for its members
    #[arg(long, value_name = "API,CLIENT,PEER", value_delimiter = ',', num_args = 3, default_values_t = [1215, 2379, 2380])]
    pub(crate) ports: Vec<u16>,
    /// The program etcd. By default the one in the search path
    #[arg(long, value_name = "FILE")]
    pub(crate) etcd: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct InitArgs {
    /// The name of the cluster. By default one is made up
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) seat: SeatArgs,
    /// `managed`, or the addresses of an etcd that runs already, with commas between them
    #[arg(long, value_name = "managed|URL,…", default_value = "managed")]
    pub(crate) engine: String,
    /// With addresses of https: the certificate of the authority, in PEM
    #[arg(long, value_name = "FILE", requires_all = ["cert", "key"])]
    pub(crate) ca: Option<PathBuf>,
    /// With addresses of https: this node's certificate, in PEM
    #[arg(long, value_name = "FILE", requires_all = ["ca", "key"])]
    pub(crate) cert: Option<PathBuf>,
    /// With addresses of https: the key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires_all = ["ca", "cert"])]
    pub(crate) key: Option<PathBuf>,
    /// How many members of the engine vote at most: 3, or 5 to survive the loss of two
    #[arg(long, default_value = "3", value_parser = ["3", "5"])]
    pub(crate) voters: String,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct JoinArgs {
    /// A node of the cluster: its address, with its port if that is not 1215
    #[arg(value_name = "ADDR[:PORT]")]
    pub(crate) node: String,
    /// The token, as om cluster init or om cluster token create printed it
    #[arg(long)]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) seat: SeatArgs,
    /// With an engine that is not managed and https: the certificate of the authority, in PEM
    #[arg(long, value_name = "FILE", requires_all = ["cert", "key"])]
    pub(crate) ca: Option<PathBuf>,
    /// The same: this node's certificate, in PEM
    #[arg(long, value_name = "FILE", requires_all = ["ca", "key"])]
    pub(crate) cert: Option<PathBuf>,
    /// The same: the key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires_all = ["ca", "cert"])]
    pub(crate) key: Option<PathBuf>,
    /// Only vote: this machine gets a member of the engine, so that two nodes survive the loss of one, and runs no services of theirs
    #[arg(long, conflicts_with_all = ["ca", "cert", "key"])]
    pub(crate) witness: bool,
    /// Wait at most this long for other nodes that join, and until the engine is in step
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) time: Option<Duration>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) seat: SeatArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LeaveArgs {
    /// Stop what runs here first, so that other nodes take it over
    #[arg(long)]
    pub(crate) drain: bool,
    /// With --drain: wait at most this long for what runs here. By default 5 minutes
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "drain")]
    pub(crate) time: Option<Duration>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RemoveNodeArgs {
    /// The node
    pub(crate) node: String,
    /// The node may be running services, as far as the cluster knows: say that the machine is off, and stays off
    #[arg(long)]
    pub(crate) i_know_it_is_off: bool,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct EvictArgs {
    /// The node
    pub(crate) node: String,
    /// Say that none of its services runs, and none will before its daemon is back
    #[arg(long)]
    pub(crate) services_are_stopped: bool,
    /// Do not ask for the name of the node
    #[arg(long)]
    pub(crate) confirm: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AcceptEngineArgs {
    /// Do not ask for the name of the cluster
    #[arg(long)]
    pub(crate) confirm: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RecoverArgs {
    /// Say that the machines of the other members are off, or their members stopped, until om cluster rebuild was run there
    #[arg(long)]
    pub(crate) others_are_off: bool,
    /// Do not ask for the name of the cluster
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Only print what the new engine would be made of
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RebuildArgs {
    /// A node whose member answers, if this node does not know it: its address, with the port of its engine if that is another one
    /// than here
    #[arg(long, value_name = "ADDR[:PORT]", conflicts_with = "from_files")]
    pub(crate) from: Option<String>,
    /// Begin a new engine: no node has the data of the old one any more
    #[arg(long)]
    pub(crate) from_files: bool,
    /// With --from-files: say that no member of the old engine runs any more
    #[arg(long, requires = "from_files")]
    pub(crate) others_are_off: bool,
    /// With --from-files: do not ask for the name of the cluster
    #[arg(long, requires = "from_files")]
    pub(crate) confirm: bool,
    /// Wait at most this long until the member is in step
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RestoreArgs {
    /// The file that om cluster backup wrote
    pub(crate) file: PathBuf,
    /// Only these objects. May be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) object: Vec<String>,
    /// Only print which objects differ
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCertCommand {
    /// List the certificates and authorities, until when they are good, and what is revoked
    #[command(after_help = "Examples:\n  om cluster cert ls\n  om cluster cert ls --format json")]
    Ls(OutputArgs),
    /// Make new certificates of this node, for the engine and for the API. Nothing is interrupted
    #[command(
        after_help = "The daemon need not run.\n\nExamples:\n  om cluster cert renew\n  om cluster cert renew --format json"
    )]
    Renew(OutputArgs),
    /// Put another authority of the engine in the place of this one. All nodes go on reaching each other
    #[command(
        name = "rotate-ca",
        after_help = "The daemons do it in three steps: all trust the new one, too; all get a certificate of it; all trust the former one no \
                      more. Members of the engine start again one after the other. It waits for nodes that are away. If this command \
                      is interrupted, the daemons go on, and the same command again waits for them.\n\nExamples:\n  \
                      om cluster cert rotate-ca\n  om cluster cert rotate-ca --time 10m --format json"
    )]
    RotateCa(RotateArgs),
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RotateArgs {
    /// Wait at most this long for all nodes. They go on all the same
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// List the tokens
    Ls(OutputArgs),
    /// Make a token. It is printed this once, alone on standard output
    #[command(after_help = "Example:\n  om cluster token create --ttl 1d --uses 2")]
    Create {
        /// How long it is good for
        #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
        ttl: Duration,
        /// How many nodes may join by it
        #[arg(long, value_name = "N", default_value_t = 10)]
        uses: u32,
    },
    /// Revoke tokens: no node joins by them any more
    Revoke {
        /// The ids of the tokens, as om cluster token ls shows them
        #[arg(required = true)]
        ids: Vec<String>,
    },
}
