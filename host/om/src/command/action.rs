//! `om <SELECTOR> <ACTION>`: every action, in both spellings.

use clap::Subcommand;

use super::{
    ContainerLogsArgs, CreateArgs, DecodeArgs, DeleteArgs, DocArgs, EditArgs, ExecInsideArgs, FlagArgs, GetArgs,
    InsideArgs, KeysArgs, Life, ListArgs, LogsArgs, MigrateArgs, Output, PutArgs, RemoveArgs, RenameArgs, SetArgs,
    StatusArgs, SyncArgs, UnsetArgs, ValidateArgs,
};

/// What can be done with objects.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// List the objects
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Make an object
    #[command(after_help = "Examples:\n  om web create --config web.conf\n  om web create --kw fs#1.type=flag\n  \
                            om new create --config web")]
    Create(CreateArgs),
    /// Remove an object: its configuration, state and logs
    Delete(DeleteArgs),
    /// Bring up
    #[command(after_help = "Examples:\n  om web start\n  om web start --dry-run\n  om web start --rid fs,app#1\n  \
                            om web instance start")]
    Start(Life),
    /// Bring down, and freeze
    Stop(Life),
    /// Bring down, then up
    Restart(Life),
    /// Bring down, standby resources too
    Shutdown(Life),
    /// Bring up the standby resources
    Startstandby(Life),
    /// Make what the resources need, and start them
    Provision(Life),
    /// Stop, and destroy what provision made
    Unprovision(Life),
    /// Move what runs to another node, without stopping it
    #[command(after_help = "Example:\n  om web instance migrate --to n2")]
    Migrate(MigrateArgs),
    /// Run tasks
    Run(Life),
    /// Copy to other nodes and places
    Sync(SyncArgs),
    /// Copy to all targets
    Update(Life),
    /// Leave this alone: no automatic action
    Freeze(FlagArgs),
    /// The end of freeze
    #[command(visible_alias = "unfreeze")]
    Thaw(FlagArgs),
    /// Let resources take part again
    Enable(FlagArgs),
    /// Leave resources out
    Disable(FlagArgs),
    /// Forget that an action failed
    Clear(FlagArgs),
    /// How it is
    Status(StatusArgs),
    /// How it is, its configuration, its devices
    #[command(subcommand)]
    Print(PrintCommand),
    /// Acts on this node alone
    #[command(subcommand)]
    Instance(Box<InstanceCommand>),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// What an action would do, in which order and why
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Set keywords
    #[command(
        after_help = "Examples:\n  om web set --kw fs#1.mnt_opt=noatime --kw tags+=red\n  om web set --param app --value shop"
    )]
    Set(SetArgs),
    /// Remove keywords or sections
    Unset(UnsetArgs),
    /// The value of a keyword, as written
    Get(GetArgs),
    /// The value of a keyword, evaluated
    Eval(GetArgs),
    /// Open the configuration in an editor
    Edit(EditArgs),
    /// Check the configuration
    Validate(ValidateArgs),
    /// What was done
    Logs(LogsArgs),
    /// A shell inside a resource, such as a container
    Enter(InsideArgs),
    /// A command inside a resource; its exit code is this one's
    #[command(after_help = "Example:\n  om web exec --rid container#1 -- mysqladmin status")]
    Exec(ExecInsideArgs),
    /// The inside of a container: a shell, a command, its output
    #[command(subcommand)]
    Container(ContainerCommand),
    /// The resources
    #[command(subcommand)]
    Resource(ResourceCommand),
    /// List the keys of a store: an object of kind sec (secrets) or cfg
    #[command(after_help = "Examples:\n  om sec/db keys\n  om 'cfg/*' keys --format json")]
    Keys(KeysArgs),
    /// Add a key to a store
    #[command(after_help = "Examples:\n  om sec/db create\n  om sec/db add --key password --from -\n  \
                            om sec/db add --key cert --from server.pem\n  om cfg/web add --key mode --value fast\n\n\
                            A service uses it by\n  secrets_environment = PASSWORD=db/password\n  \
                            configs_environment = MODE=web/mode")]
    Add(PutArgs),
    /// Give a key of a store another value
    #[command(after_help = "Example:\n  om sec/db change --key password --from -\n\n\
                            What is running keeps the old one until it is restarted.")]
    Change(PutArgs),
    /// Remove keys of a store
    #[command(after_help = "Example:\n  om sec/db remove --key password --key user")]
    Remove(RemoveArgs),
    /// Call a key of a store otherwise
    #[command(after_help = "Example:\n  om sec/db rename --key password --to root_password")]
    Rename(RenameArgs),
    /// Print the value of a key of a store, byte for byte
    #[command(after_help = "Examples:\n  om sec/db decode --key password\n  om sec/db decode --key cert >server.pem")]
    Decode(DecodeArgs),
    /// Not built yet: answers so, with exit code 4
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContainerCommand {
    /// A shell inside
    Enter(InsideArgs),
    /// A command inside; its exit code is this one's
    Exec(ExecInsideArgs),
    /// What it wrote
    Logs(ContainerLogsArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ResourceCommand {
    /// List the resources
    #[command(visible_alias = "list")]
    Ls(StatusArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PrintCommand {
    /// How it is
    Status(StatusArgs),
    /// The configuration
    Config(Output),
    /// Which devices the resources expose and use
    Devs(StatusArgs),
    /// What each resource is and holds
    Resinfo(StatusArgs),
    /// Anything else is not supported here yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    /// List the instances
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Bring up
    Start(Life),
    /// Bring down
    Stop(Life),
    /// Bring down, then up
    Restart(Life),
    /// Bring down, standby resources too
    Shutdown(Life),
    /// Bring up the standby resources
    Startstandby(Life),
    /// Make what the resources need, and start them
    Provision(Life),
    /// Stop, and destroy what provision made
    Unprovision(Life),
    /// Move what runs to another node, without stopping it
    #[command(after_help = "Example:\n  om web instance migrate --to n2")]
    Migrate(MigrateArgs),
    /// Run tasks
    Run(Life),
    /// Copy to other nodes and places
    Sync(SyncArgs),
    /// Leave this alone
    Freeze(FlagArgs),
    /// The end of freeze
    #[command(visible_alias = "unfreeze")]
    Thaw(FlagArgs),
    /// Forget that an action failed
    Clear(FlagArgs),
    /// How it is
    Status(StatusArgs),
    /// Remove the instance's configuration, state and logs
    Delete(DeleteArgs),
    /// Anything else is not supported here yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Of start
    Start(Life),
    /// Of stop
    Stop(Life),
    /// Of restart
    Restart(Life),
    /// Of shutdown
    Shutdown(Life),
    /// Of startstandby
    Startstandby(Life),
    /// Of provision
    Provision(Life),
    /// Of unprovision
    Unprovision(Life),
    /// Of migrate
    Migrate(MigrateArgs),
    /// Of run
    Run(Life),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show the file
    Show(Output),
    /// Set keywords
    #[command(visible_alias = "update")]
    Set(SetArgs),
    /// Remove keywords or sections
    Unset(UnsetArgs),
    /// The value of a keyword, as written
    Get(GetArgs),
    /// The value of a keyword, evaluated
    Eval(GetArgs),
    /// Open it in an editor
    Edit(EditArgs),
    /// Check it
    Validate(ValidateArgs),
    /// What a section may say
    Doc(DocArgs),
}
