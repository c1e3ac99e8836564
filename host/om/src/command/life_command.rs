//! The actions that change the state of an instance: `start`, `stop` and the others that have a plan.
//!
//! One list serves `om web …`, `om web instance …` and `om web plan …`.

use clap::Subcommand;

use super::{ActionArgs, LazyArgs, MigrateArgs};

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum LifeCommand {
    /// Start the resources, in order
    #[command(
        after_help = "A start that fails is undone, unless --disable-rollback is given. A started service is no longer \
                            frozen.\n\nExamples:\n  om web start\n  om web start --dry-run\n  \
                            om web start --rid fs,app#1\n  om web instance start"
    )]
    Start(LazyArgs<ActionArgs>),
    /// Stop the resources, and freeze the service so that nothing restarts it
    #[command(
        after_help = "Standby resources stay up: shutdown stops them too. The instance is frozen only if all of the \
                            service is stopped, by om SELECTOR stop without options that select resources.\n\n\
                            Examples:\n  om web stop\n  om web stop --dry-run\n  om web stop --rid app#1"
    )]
    Stop(LazyArgs<ActionArgs>),
    /// Stop the resources, then start them
    #[command(after_help = "Example:\n  om web restart --rid app#1")]
    Restart(LazyArgs<ActionArgs>),
    /// Stop the resources, standby ones included
    #[command(after_help = "Example:\n  om web shutdown")]
    Shutdown(LazyArgs<ActionArgs>),
    /// Start only the standby resources
    #[command(after_help = "Example:\n  om web startstandby")]
    Startstandby(LazyArgs<ActionArgs>),
    /// Create what the resources need, such as a file system, and start them
    #[command(
        after_help = "Examples:\n  om web provision --dry-run\n  om web provision\n  om web provision --rid fs#1"
    )]
    Provision(LazyArgs<ActionArgs>),
    /// Stop the resources, and destroy what provision created: their data is lost
    #[command(
        after_help = "On a terminal, the command asks before it destroys anything. Without a terminal, as in a script, \
                            it refuses unless --confirm is given.\n\nExamples:\n  om web unprovision --dry-run\n  om web unprovision --confirm"
    )]
    Unprovision(LazyArgs<ActionArgs>),
    /// Move what runs here to another node, without stopping it
    #[command(after_help = "Example:\n  om web instance migrate --to n2")]
    Migrate(LazyArgs<MigrateArgs>),
    /// Run the tasks
    #[command(after_help = "Example:\n  om web run --rid task#backup")]
    Run(LazyArgs<ActionArgs>),
}

impl LifeCommand {
    /// The word of the action and its options. A migration has options of its own.
    pub(crate) fn action(&self) -> Result<(&'static str, &ActionArgs), &MigrateArgs> {
        Ok(match self {
            LifeCommand::Start(args) => ("start", args),
            LifeCommand::Stop(args) => ("stop", args),
            LifeCommand::Restart(args) => ("restart", args),
            LifeCommand::Shutdown(args) => ("shutdown", args),
            LifeCommand::Startstandby(args) => ("startstandby", args),
            LifeCommand::Provision(args) => ("provision", args),
            LifeCommand::Unprovision(args) => ("unprovision", args),
            LifeCommand::Run(args) => ("run", args),
            LifeCommand::Migrate(args) => return Err(args),
        })
    }
}
