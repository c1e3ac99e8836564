//! The options of the other commands on objects: status, logs, consoles, lists, flags, deletion.

use std::time::Duration;

use clap::Args;

use model::NodeName;

use super::{ActionArgs, ActionOptions, NodesArgs, OrchestrationArgs, OutputArgs, ResourceArgs, WaitArgs};

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StatusArgs {
    /// Ask the drivers now, rather than show the last known status
    #[arg(long, short)]
    pub(crate) refresh: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) resources: ResourceArgs,
    #[command(flatten)]
    pub(crate) nodes: NodesArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LogsArgs {
    /// Keep printing new lines as they are written
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// How many of the last lines to print; 0 prints all
    #[arg(long, short = 'n', default_value_t = 50, value_parser = super::action_args::lines)]
    pub(crate) lines: usize,
    /// Only the lines of one session: the first characters of its id are enough
    #[arg(long)]
    pub(crate) sid: Option<String>,
    /// Only the lines of one resource
    #[arg(long)]
    pub(crate) rid: Option<String>,
}

/// The resource that a console is opened in.
#[derive(Debug, Clone, Args)]
pub(crate) struct InsideArgs {
    /// The resource. May be left out if only one of the object has a console
    #[arg(long)]
    pub(crate) rid: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ExecInsideArgs {
    #[command(flatten)]
    pub(crate) inside: InsideArgs,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ContainerLogsArgs {
    #[command(flatten)]
    pub(crate) inside: InsideArgs,
    /// Keep printing new output as it is written
    #[arg(long, short)]
    pub(crate) follow: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SyncArgs {
    /// What to do: `all`, `nodes`, `drp`, `update`, `full`, `resync`, `split`, `verify`
    #[arg(default_value = "all", value_parser = ["all", "nodes", "drp", "update", "full", "resync", "split", "verify"])]
    pub(crate) verb: String,
    /// Where to copy: `nodes`, `drp`, `local` or names of nodes, with commas between them
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) action: ActionArgs,
}

/// A migration takes no selection of resources: everything that is up moves, or may stay.
#[derive(Debug, Clone, Args)]
pub(crate) struct MigrateArgs {
    /// The node to move to: another node of the object
    #[arg(long, value_name = "NODE")]
    pub(crate) to: NodeName,
    #[command(flatten)]
    pub(crate) options: ActionOptions,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ListArgs {
    /// Only objects in these states, such as `up,warn`
    #[arg(long, value_name = "STATES")]
    pub(crate) status: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FlagArgs {
    #[command(flatten)]
    pub(crate) resources: ResourceArgs,
    /// Act on this node alone, without the orchestrator
    #[arg(long)]
    pub(crate) local: bool,
    #[command(flatten)]
    pub(crate) orchestration: OrchestrationArgs,
}

#[derive(Debug, Clone, Default, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SnoozeArgs {
    /// For so long from now on
    #[arg(long = "for", visible_alias = "duration", value_name = "DURATION", value_parser = super::action_args::duration)]
    pub(crate) time: Option<Duration>,
    /// Until this time of day, or this date and time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

impl FlagArgs {
    /// The same options, on this node alone.
    pub(crate) fn here(&self) -> FlagArgs {
        // Behind `om web instance`, the operator has said already that only this node is meant.
        FlagArgs { local: true, ..self.clone() }
    }
}

/// An order that only a daemon carries out.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OrderArgs {
    /// Confirm in advance that data may be destroyed
    #[arg(long, hide = true)]
    pub(crate) confirm: bool,
    #[command(flatten)]
    pub(crate) follow: WaitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SwitchArgs {
    /// The nodes to run on, with commas between them
    #[arg(long, visible_alias = "to", value_name = "NODES", value_delimiter = ',', required = true)]
    pub(crate) node: Vec<NodeName>,
    /// Move without stopping (not supported yet: see instance migrate)
    #[arg(long)]
    pub(crate) live: bool,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DeleteArgs {
    /// Unprovision first: this destroys data
    #[arg(long)]
    pub(crate) unprovision: bool,
    /// Delete even if resources are up or provisioned, and leave them as they are
    #[arg(long)]
    pub(crate) force: bool,
    /// With --force: delete it although something is held, which nothing can stop any more then
    #[arg(long, requires = "force")]
    pub(crate) i_know: bool,
    /// Delete only this section of the configuration. May be repeated
    #[arg(long = "rid", value_name = "RID")]
    pub(crate) rid: Vec<String>,
    /// Act on this node alone, without the orchestrator
    #[arg(long)]
    pub(crate) local: bool,
    /// Confirm in advance that data may be destroyed
    #[arg(long)]
    pub(crate) confirm: bool,
    #[command(flatten)]
    pub(crate) follow: WaitArgs,
}
