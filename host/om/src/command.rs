//! Every command and option, as clap reads them. No behaviour.

mod acting;
mod action;
mod arguments;
mod configuring;
mod keys;
mod output;
mod subsystem;

use clap::{Args, Parser, ValueEnum};

pub(crate) use acting::{Course, Life, Orchestration, Selection};
pub(crate) use action::*;
pub(crate) use arguments::*;
pub(crate) use configuring::*;
pub(crate) use keys::*;
pub(crate) use output::{Format, Output, PlanOutput};
pub(crate) use subsystem::*;

/// What a service's resources do on this node, and where it runs.
#[derive(Debug, Parser)]
#[command(
    name = "om",
    version,
    about = "Brings services up on a node in the right order, keeps them up, and moves them between nodes",
    override_usage = "om <SELECTOR> <ACTION> [OPTIONS]\n       om <SUBSYSTEM> <COMMAND> [OPTIONS]",
    after_help = "A selector is a path (web, ns1/svc/web), a glob ('*', '**', 'ns1/**') or an expression \
                  ('web*,!db+app.timeout>1m').\nFor the actions: om <SELECTOR> --help\n\nExamples:\n  \
                  om web create --config web.conf\n  om web provision\n  om web print status\n  om web start --dry-run\n  \
                  om '*' ls --status down\n  om driver inspect fs.ext4"
)]
pub(crate) struct OmLine {
    #[command(flatten)]
    pub(crate) everywhere: Everywhere,
    #[command(subcommand)]
    pub(crate) subsystem: Subsystem,
}

/// `om <SELECTOR> …`.
#[derive(Debug, Parser)]
#[command(
    name = "om <SELECTOR>",
    bin_name = "om <SELECTOR>",
    version,
    about = "Acts on the objects that a selector names",
    disable_help_subcommand = true
)]
pub(crate) struct ObjectLine {
    #[command(flatten)]
    pub(crate) everywhere: Everywhere,
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Everywhere {
    /// Keep configuration, state and logs below this folder instead of in the system's
    ///
    /// [env: HOSTLER_ROOT]
    // Not clap's own `env`: usages would call the option required wherever the variable is set.
    #[arg(long, value_name = "DIR", global = true, help_heading = "Everywhere")]
    pub(crate) root: Option<std::path::PathBuf>,
    /// Colour the output
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true, help_heading = "Everywhere")]
    pub(crate) color: Color,
    /// Say only what went wrong
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub(crate) quiet: bool,
    /// Say more: what drivers log for their authors, and where the time went
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) debug: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// Where the output is a terminal and NO_COLOR is not set
    #[default]
    Auto,
    /// Always
    #[value(alias = "always")]
    Yes,
    /// Never
    #[value(alias = "never")]
    No,
}
