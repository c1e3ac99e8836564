//! Every command and option of `om`, as clap reads them. These types have no behaviour: the help texts are in their doc
//! comments, and what a command does is in the module that is named after it.

mod access_command;
mod action_args;
mod cluster_command;
mod config_args;
mod daemon_command;
mod driver_command;
mod key_args;
mod lazy_args;
mod life_command;
mod object_args;
mod object_command;
mod output;
mod subsystem;

use clap::{Args, Parser, ValueEnum};

pub(crate) use access_command::{AuthArgs, AuthCommand, CertCommand, TrailArgs};
pub(crate) use action_args::{ActionArgs, ActionOptions, NodesArgs, OrchestrationArgs, ResourceArgs, WaitArgs};
pub(crate) use cluster_command::*;
pub(crate) use config_args::*;
pub(crate) use daemon_command::*;
pub(crate) use driver_command::*;
pub(crate) use key_args::*;
pub(crate) use lazy_args::{LazyArgs, NamedCommand, define_all, define_lazily, define_named};
pub(crate) use life_command::*;
pub(crate) use object_args::*;
pub(crate) use object_command::*;
pub(crate) use output::{OutputArgs, OutputFormat, PlanOutputArgs};
pub(crate) use subsystem::*;

/// Runs services on a node: starts their resources in order, undoes a start that fails, moves them between nodes
///
/// A service is a configuration file, such as web.conf. Each section of it is a resource: an IP address, a disk, a file
/// system, a container, an application. Services, volumes, configurations and secrets are called objects.
#[derive(Debug, Parser)]
#[command(
    name = "om",
    version,
    override_usage = "om <SELECTOR> <ACTION> [OPTIONS]     act on objects: om <SELECTOR> --help lists the actions\n       \
                      om <SUBSYSTEM> <COMMAND> [OPTIONS]   everything else: om <SUBSYSTEM> --help",
    subcommand_help_heading = "Subsystems",
    subcommand_value_name = "SUBSYSTEM",
    after_help = "Selectors:\n  \
                  web              the service web, in full root/svc/web\n  \
                  ns1/svc/web      NAMESPACE/KIND/NAME; the kinds are svc, vol, cfg, sec\n  \
                  '*' 'ns1/**'     patterns: quote them\n  \
                  'web*+!web9'     + is and, ! is not, a comma is or\n  \
                  app.timeout>1m   a condition on keywords\n  \
                  -                the objects that standard input lists, one per line\n\n\
                  Examples:\n  \
                  om web create --config web.conf   create the service web from a file\n  \
                  om web provision                  create what its resources need, and start them\n  \
                  om web print status               show its resources and their states\n  \
                  om web start --dry-run            show what a start would do, and do nothing\n  \
                  om web logs --follow              show the log of its actions\n  \
                  om daemon start                   watch and restart the services of this node\n  \
                  om mon                            show the node and all services at a glance\n  \
                  om '*' ls --status down           list the objects that are down\n  \
                  om driver inspect fs.ext4         show what a driver is and may do\n  \
                  om demo                           watch a service go through all of this"
)]
pub(crate) struct OmLine {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) subsystem: NamedCommand<Subsystem>,
}

/// Acts on the objects that a selector names, such as the service web
///
/// With a daemon, start, stop and the other actions on a whole object are orders: the daemon carries them out, and goes on if
/// this command is interrupted. Without a daemon, or with --local, or for some resources only, they are done here and now;
/// om SELECTOR instance ACTION is the same as --local.
#[derive(Debug, Parser)]
#[command(
    name = "om <SELECTOR>",
    bin_name = "om <SELECTOR>",
    version,
    disable_help_subcommand = true,
    subcommand_help_heading = "Actions",
    subcommand_value_name = "ACTION",
    after_help = "Examples:\n  om web start\n  om web print status --refresh\n  om 'ns1/**' stop --dry-run\n  \
                  om web set --kw fs#1.mnt_opt=noatime\n\nWhat a selector is: om --help"
)]
pub(crate) struct ObjectLine {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: NamedCommand<ObjectCommand>,
}

/// The options that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct GlobalArgs {
    /// Keep configurations, state and logs below this directory, not in those of the system
    ///
    /// [env: HOSTLER_ROOT]
    // Not clap's own `env`: usages would call the option required wherever the variable is set.
    #[arg(long, value_name = "DIR", global = true, help_heading = "Global options")]
    pub(crate) root: Option<std::path::PathBuf>,
    /// Ask the daemon of another node: its address, or the name of a context
    ///
    /// An address is https://HOST[:PORT]. Contexts are in hostler/contexts.conf below the configuration directory of the user.
    ///
    /// [env: HOSTLER_CONTEXT]
    #[arg(long, value_name = "URL|CONTEXT", global = true, conflicts_with = "root", help_heading = "Global options")]
    pub(crate) server: Option<String>,
    /// When to colour the output
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true, help_heading = "Global options")]
    pub(crate) color: ColorChoice,
    /// Print only the output, warnings and errors
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
    /// Also print what drivers log for their authors, and how long the command took
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) debug: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    /// If the output is a terminal and NO_COLOR is not set
    #[default]
    Auto,
    /// Always
    #[value(alias = "always")]
    Yes,
    /// Never
    #[value(alias = "never")]
    No,
}
