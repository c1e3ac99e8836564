//! What the other commands on objects take.

use clap::Args;

use model::NodeName;

use super::{Course, Life, Orchestration, Output, Selection};

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StatusArgs {
    /// Ask the drivers now, rather than showing what was last seen
    #[arg(long, short)]
    pub(crate) refresh: bool,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LogsArgs {
    /// Show new lines as they come
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// How many of the last lines, 0 for all
    #[arg(long, short = 'n', default_value_t = 50, value_parser = super::acting::lines)]
    pub(crate) lines: usize,
    /// Only of one session
    #[arg(long)]
    pub(crate) sid: Option<String>,
    /// Only of one resource
    #[arg(long)]
    pub(crate) rid: Option<String>,
}

/// The inside of one resource.
#[derive(Debug, Clone, Args)]
pub(crate) struct InsideArgs {
    /// Of which resource; may be left out where only one has an inside
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
    /// And what it writes from now on
    #[arg(long, short)]
    pub(crate) follow: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SyncArgs {
    /// What to do: `all`, `nodes`, `drp`, `update`, `full`, `resync`, `split`, `verify`
    #[arg(default_value = "all", value_parser = ["all", "nodes", "drp", "update", "full", "resync", "split", "verify"])]
    pub(crate) verb: String,
    /// To which nodes: `nodes`, `drp`, `local` or the names of some, with commas between them
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) life: Life,
}

/// All that is up moves or may stay: no resources are selected.
#[derive(Debug, Clone, Args)]
pub(crate) struct MigrateArgs {
    /// The node to move to, one of the object's other ones
    #[arg(long, value_name = "NODE")]
    pub(crate) to: NodeName,
    #[command(flatten)]
    pub(crate) course: Course,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ListArgs {
    /// Only in these states: `up,warn`
    #[arg(long, value_name = "STATES")]
    pub(crate) status: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FlagArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Act here, without the orchestrator
    #[arg(long)]
    pub(crate) local: bool,
    #[command(flatten)]
    pub(crate) orchestration: Orchestration,
}

impl FlagArgs {
    /// The same, without the orchestrator.
    pub(crate) fn here(&self) -> FlagArgs {
        FlagArgs { local: true, ..self.clone() }
    }
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DeleteArgs {
    /// Unprovision first: destroys data
    #[arg(long)]
    pub(crate) unprovision: bool,
    /// Delete even what is up or provisioned, and leave it where it is
    #[arg(long)]
    pub(crate) force: bool,
    /// Delete only this section
    #[arg(long = "rid", value_name = "RID")]
    pub(crate) rid: Vec<String>,
    /// Act here, without the orchestrator
    #[arg(long)]
    pub(crate) local: bool,
    /// Yes to the question whether data may be destroyed
    #[arg(long)]
    pub(crate) confirm: bool,
}
