//! The options of actions: which resources they are about, and how they are carried out.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::PlanOutputArgs;

/// Which resources.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ResourceArgs {
    /// Only these resources: rids, groups, drivers or patterns, with commas between them; `!fs` is all but fs
    #[arg(long, value_name = "LIST", help_heading = "Resources")]
    pub(crate) rid: Vec<String>,
    /// Only resources with these tags: `a+b` is both, `a,b` is either
    #[arg(long, visible_alias = "tag", value_name = "EXPR", help_heading = "Resources")]
    pub(crate) tags: Vec<String>,
    /// Only resources in these subsets
    #[arg(long, visible_alias = "subset", value_name = "LIST", help_heading = "Resources")]
    pub(crate) subsets: Vec<String>,
    /// Stop after this resource or group, in the order of the action
    #[arg(long, visible_aliases = ["upto", "downto"], value_name = "RID|GROUP", help_heading = "Resources")]
    pub(crate) to: Option<String>,
    /// The groups that an old spelling such as `startfs` is limited to
    #[arg(long, hide = true, value_name = "GROUPS")]
    pub(crate) within: Option<String>,
}

/// An action on the resources of an instance.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ActionArgs {
    #[command(flatten)]
    pub(crate) resources: ResourceArgs,
    #[command(flatten)]
    pub(crate) options: ActionOptions,
    /// Also act on standby resources and on resources that are not provisioned
    #[arg(long)]
    pub(crate) force: bool,
    /// Do not undo a start that fails
    #[arg(long)]
    pub(crate) disable_rollback: bool,
    /// Confirm in advance that data may be destroyed
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Take on what stands in the way of a start although no resource made it, such as a mount that was made by hand
    #[arg(long)]
    pub(crate) adopt: bool,
    /// With --force: a stop counts although it is not proven that nothing is held any more. You have looked yourself
    #[arg(long, requires = "force")]
    pub(crate) i_know: bool,
}

/// How an action is carried out.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ActionOptions {
    /// Act on this node alone, without the orchestrator
    #[arg(long)]
    pub(crate) local: bool,
    /// Print the plan, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Act only if the plan still has this digest, which --dry-run prints
    #[arg(long, value_name = "DIGEST")]
    pub(crate) if_plan: Option<String>,
    /// Act on at most this many members of a parallel subset at once
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) parallel: Option<NonZeroUsize>,
    /// Wait this long for another action on the same instance to finish, rather than fail at once
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "no_lock")]
    pub(crate) waitlock: Option<Duration>,
    /// Act although another action is running, such as one that hangs
    #[arg(long)]
    pub(crate) no_lock: bool,
    /// Set a variable for triggers and tasks. May be repeated
    #[arg(long = "env", short = 'e', value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    #[command(flatten)]
    pub(crate) output: PlanOutputArgs,
    #[command(flatten)]
    pub(crate) orchestration: OrchestrationArgs,
}

/// How an order to the daemon is followed.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WaitArgs {
    /// Wait until the daemon has carried the order out, and show each step. Without a daemon, an action is always waited for
    #[arg(long, help_heading = "Orchestration")]
    pub(crate) wait: bool,
    /// Wait at most this long. The order itself goes on then
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Orchestration")]
    pub(crate) time: Option<Duration>,
    /// Show the object in om mon --watch meanwhile
    #[arg(long, short = 'w', help_heading = "Orchestration")]
    pub(crate) watch: bool,
    /// Take the place of an order that the daemon still carries out
    #[arg(long, help_heading = "Orchestration")]
    pub(crate) supersede: bool,
}

/// The options of orchestrated actions.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OrchestrationArgs {
    #[command(flatten)]
    pub(crate) follow: WaitArgs,
    #[command(flatten)]
    pub(crate) nodes: NodesArgs,
}

/// The nodes on which something local is done, or looked at.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct NodesArgs {
    /// Do it on the instances of all nodes, each by itself
    #[arg(long, conflicts_with = "node", help_heading = "Nodes")]
    pub(crate) cluster: bool,
    /// Do it on these nodes instead of this one: names or patterns, with commas between them
    #[arg(long, value_name = "SELECTOR", help_heading = "Nodes")]
    pub(crate) node: Option<String>,
}

impl NodesArgs {
    /// Whether other nodes are meant.
    pub(crate) fn is_any(&self) -> bool {
        self.cluster || self.node.is_some()
    }
}

fn positive(text: &str) -> Result<NonZeroUsize, String> {
    // The standard library's message speaks of digits and of a type, which mean nothing to an operator.
    text.parse().map_err(|_| "expected a whole number above 0".to_owned())
}

/// A number of lines.
pub(super) fn lines(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a whole number, such as 50".to_owned())
}

/// A duration as in configurations: `30s`, `5m`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    model::convert::duration(text).map_err(|error| error.to_string())
}
