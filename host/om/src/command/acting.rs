//! Which resources an action is about, and how it goes about it.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::PlanOutput;

/// Which resources.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Selection {
    /// Only these: rids, groups, drivers, globs; `!` excludes
    #[arg(long, value_name = "LIST", help_heading = "Resources")]
    pub(crate) rid: Vec<String>,
    /// Only with these tags: `a+b` both, `a,b` either
    #[arg(long, visible_alias = "tag", value_name = "EXPR", help_heading = "Resources")]
    pub(crate) tags: Vec<String>,
    /// Only in these subsets
    #[arg(long, visible_alias = "subset", value_name = "LIST", help_heading = "Resources")]
    pub(crate) subsets: Vec<String>,
    /// Go no further than this rid or group
    #[arg(long, visible_aliases = ["upto", "downto"], value_name = "RID|GROUP", help_heading = "Resources")]
    pub(crate) to: Option<String>,
    /// What an old spelling such as `startfs` is limited to
    #[arg(long, hide = true, value_name = "GROUPS")]
    pub(crate) within: Option<String>,
}

/// An action on the resources of an instance.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Life {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) course: Course,
    /// Act on standby and unprovisioned resources too
    #[arg(long)]
    pub(crate) force: bool,
    /// Leave a failed start as it is
    #[arg(long)]
    pub(crate) disable_rollback: bool,
    /// Yes to the question whether data may be destroyed
    #[arg(long)]
    pub(crate) confirm: bool,
}

/// How any action goes about it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Course {
    /// Act here, without the orchestrator
    #[arg(long)]
    pub(crate) local: bool,
    /// Print the plan and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Act only if the plan is still the one with this digest
    #[arg(long, value_name = "DIGEST")]
    pub(crate) if_plan: Option<String>,
    /// How many members of a parallel subset at once
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) parallel: Option<NonZeroUsize>,
    /// Wait this long for an action that is under way
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "no_lock")]
    pub(crate) waitlock: Option<Duration>,
    /// Act beside an action that is under way, such as one that hangs
    #[arg(long)]
    pub(crate) no_lock: bool,
    /// A variable for triggers and tasks
    #[arg(long = "env", short = 'e', value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    #[command(flatten)]
    pub(crate) output: PlanOutput,
    #[command(flatten)]
    pub(crate) orchestration: Orchestration,
}

/// Options of orchestrated actions.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Orchestration {
    /// Wait until it is done. What is done here is always waited for
    #[arg(long, help_heading = "Orchestration")]
    pub(crate) wait: bool,
    /// Wait at most this long for the orchestrator
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Orchestration")]
    pub(crate) time: Option<Duration>,
    /// Show how it goes (not supported here yet)
    #[arg(long, short = 'w', help_heading = "Orchestration")]
    pub(crate) watch: bool,
    /// On every node of the object
    #[arg(long, help_heading = "Orchestration")]
    pub(crate) cluster: bool,
    /// On this node
    #[arg(long, value_name = "NODE", help_heading = "Orchestration")]
    pub(crate) node: Option<String>,
}

fn positive(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number above 0".to_owned())
}

/// A number of lines.
pub(super) fn lines(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a whole number, such as 50".to_owned())
}

/// A duration as in configurations: `30s`, `5m`, and a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    model::convert::duration(text).map_err(|error| error.to_string())
}
