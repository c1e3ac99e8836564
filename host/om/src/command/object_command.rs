//! `om <SELECTOR> <ACTION>`: every action on objects, under its present name. Old spellings are in [`crate::words`].

use clap::Subcommand;

use super::{
    ActionArgs, ContainerLogsArgs, CreateArgs, DecodeArgs, DeleteArgs, DocArgs, EditArgs, ExecInsideArgs, FlagArgs,
    GetArgs, InsideArgs, KeysArgs, LifeCommand, ListArgs, LogsArgs, OutputArgs, PutArgs, RemoveArgs, RenameArgs,
    SetArgs, StatusArgs, SyncArgs, UnsetArgs, ValidateArgs,
};

/// The actions on objects.
#[derive(Debug, Subcommand)]
pub(crate) enum ObjectCommand {
    /// List the objects that the selector names
    #[command(visible_alias = "list", after_help = "Examples:\n  om '*' ls\n  om 'ns1/**' ls --status down,warn")]
    Ls(ListArgs),
    /// Create an object from a configuration
    #[command(after_help = "The configuration is checked first: one with errors creates nothing.\n\n\
                            Examples:\n  om web create --config web.conf\n  om web create --kw fs#1.type=flag\n  \
                            om new create --config web")]
    Create(CreateArgs),
    /// Delete an object: its configuration, state and logs
    #[command(
        after_help = "An object that is up or provisioned is not deleted, unless --unprovision or --force is given.\n\n\
                            Examples:\n  om web delete\n  om web delete --unprovision\n  om web delete --rid fs#2"
    )]
    Delete(DeleteArgs),
    #[command(flatten)]
    Life(LifeCommand),
    /// Copy data to other nodes or directories, by the sync resources
    #[command(after_help = "Examples:\n  om web sync all --dry-run\n  om web sync full --target n2")]
    Sync(SyncArgs),
    /// Copy data to all targets: short for sync update
    Update(ActionArgs),
    /// Prevent automatic actions on the object
    #[command(after_help = "Example:\n  om web freeze")]
    Freeze(FlagArgs),
    /// Undo freeze: allow automatic actions again
    #[command(visible_alias = "unfreeze", after_help = "Example:\n  om web thaw")]
    Thaw(FlagArgs),
    /// Undo disable: let the resources take part in actions again
    #[command(after_help = "Example:\n  om web enable --rid app#1")]
    Enable(FlagArgs),
    /// Exclude resources, or the whole object, from all actions
    #[command(after_help = "Example:\n  om web disable --rid app#1")]
    Disable(FlagArgs),
    /// Forget that earlier actions failed
    #[command(after_help = "Example:\n  om web clear")]
    Clear(FlagArgs),
    /// Show the status: the same as print status
    #[command(after_help = "Examples:\n  om web status\n  om web status --refresh --format json")]
    Status(StatusArgs),
    /// Print the status, the configuration or the devices
    #[command(subcommand)]
    Print(PrintCommand),
    /// Act on this node's instance alone, whatever other nodes the object runs on
    #[command(
        subcommand,
        // Only a whole service is frozen by its stop: an instance is not.
        mut_subcommand("stop", |stop| stop.about("Stop the resources, in reverse order")),
        after_help = "Examples:\n  om web instance start\n  om '*' instance ls"
    )]
    Instance(Box<InstanceCommand>),
    /// Show, check or change the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Show what an action would do, in which order and why, and do nothing
    #[command(subcommand, after_help = "Example:\n  om web plan start --format dot | dot -Tsvg >start.svg")]
    Plan(LifeCommand),
    /// Set keywords in the configuration
    #[command(
        after_help = "Examples:\n  om web set --kw fs#1.mnt_opt=noatime --kw tags+=red\n  om web set --param app --value shop"
    )]
    Set(SetArgs),
    /// Remove keywords or sections from the configuration
    #[command(after_help = "Examples:\n  om web unset --kw fs#1.mnt_opt\n  om web unset --section fs#2")]
    Unset(UnsetArgs),
    /// Print the value of a keyword, as it is written
    #[command(after_help = "Example:\n  om web get --kw fs#1.dev")]
    Get(GetArgs),
    /// Print the value of a keyword, evaluated: with scopes, references and defaults applied
    #[command(after_help = "Examples:\n  om web eval --kw fs#1.dev\n  om web eval --kw fs#1.dev --impersonate n2")]
    Eval(GetArgs),
    /// Open the configuration in an editor, and check it before it is saved
    #[command(after_help = "The editor is $VISUAL, $EDITOR or vi.\n\nExample:\n  om web edit")]
    Edit(EditArgs),
    /// Check the configuration
    #[command(after_help = "Example:\n  om '*' validate")]
    Validate(ValidateArgs),
    /// Show the log of past actions
    #[command(after_help = "Examples:\n  om web logs\n  om web logs --follow\n  om web logs --rid fs#1 --lines 0")]
    Logs(LogsArgs),
    /// Open a shell inside a resource, such as a container
    #[command(after_help = "Example:\n  om web enter --rid container#1")]
    Enter(InsideArgs),
    /// Run a command inside a resource. om exits with its exit code
    #[command(after_help = "Example:\n  om web exec --rid container#1 -- mysqladmin status")]
    Exec(ExecInsideArgs),
    /// Open a shell, run a command or show the output of a container
    #[command(subcommand)]
    Container(ContainerCommand),
    /// List the resources
    #[command(subcommand)]
    Resource(ResourceCommand),
    /// List the keys of a store: an object of kind sec (secrets) or cfg (configurations)
    #[command(after_help = "Examples:\n  om sec/db keys\n  om 'cfg/*' keys --format json")]
    Keys(KeysArgs),
    /// Add a key to a store
    #[command(after_help = "Examples:\n  om sec/db create\n  om sec/db add --key password --from -\n  \
                            om sec/db add --key cert --from server.pem\n  om cfg/web add --key mode --value fast\n\n\
                            A service uses the key by\n  secrets_environment = PASSWORD=db/password\n  \
                            configs_environment = MODE=web/mode")]
    Add(PutArgs),
    /// Change the value of a key of a store
    #[command(after_help = "Example:\n  om sec/db change --key password --from -\n\n\
                            What is already running keeps the old value until it is restarted.")]
    Change(PutArgs),
    /// Remove keys from a store
    #[command(after_help = "Example:\n  om sec/db remove --key password --key user")]
    Remove(RemoveArgs),
    /// Rename a key of a store
    #[command(after_help = "Example:\n  om sec/db rename --key password --to root_password")]
    Rename(RenameArgs),
    /// Print the value of a key of a store, byte for byte
    #[command(after_help = "Examples:\n  om sec/db decode --key password\n  om sec/db decode --key cert >server.pem")]
    Decode(DecodeArgs),
    /// An engine's client (docker, podman), an action that is not built yet, or a typing mistake
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContainerCommand {
    /// Open a shell in the container
    #[command(after_help = "Example:\n  om web container enter --rid container#1")]
    Enter(InsideArgs),
    /// Run a command in the container. om exits with its exit code
    #[command(after_help = "Example:\n  om web container exec --rid container#1 -- ps")]
    Exec(ExecInsideArgs),
    /// Show what the container has written to its output
    #[command(after_help = "Example:\n  om web container logs --rid container#1 --follow")]
    Logs(ContainerLogsArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ResourceCommand {
    /// List the resources, with their drivers and states
    #[command(visible_alias = "list", after_help = "Example:\n  om web resource ls")]
    Ls(StatusArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PrintCommand {
    /// Show the status of the object and of its resources
    #[command(after_help = "Examples:\n  om web print status\n  om web print status --refresh --format json")]
    Status(StatusArgs),
    /// Print the configuration file
    #[command(after_help = "Example:\n  om web print config")]
    Config(OutputArgs),
    /// List the devices that the resources expose and use
    #[command(after_help = "Example:\n  om web print devs")]
    Devs(StatusArgs),
    /// List the resources, with what each of them is
    #[command(after_help = "Example:\n  om web print resinfo")]
    Resinfo(StatusArgs),
    /// What OpenSVC prints and this version does not yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    /// List the instances on this node, with their states
    #[command(visible_alias = "list", after_help = "Example:\n  om '*' instance ls --status warn")]
    Ls(ListArgs),
    #[command(flatten)]
    Life(LifeCommand),
    /// Copy data to other nodes or directories, by the sync resources
    #[command(after_help = "Example:\n  om web instance sync all --dry-run")]
    Sync(SyncArgs),
    /// Prevent automatic actions on this instance
    #[command(after_help = "Example:\n  om web instance freeze")]
    Freeze(FlagArgs),
    /// Undo freeze: allow automatic actions again
    #[command(visible_alias = "unfreeze", after_help = "Example:\n  om web instance thaw")]
    Thaw(FlagArgs),
    /// Forget that earlier actions failed
    #[command(after_help = "Example:\n  om web instance clear")]
    Clear(FlagArgs),
    /// Show the status of this instance
    #[command(after_help = "Example:\n  om web instance status")]
    Status(StatusArgs),
    /// Delete this instance: its configuration, state and logs
    #[command(after_help = "Example:\n  om web instance delete")]
    Delete(DeleteArgs),
    /// What OpenSVC does with instances and this version does not yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the configuration file
    #[command(after_help = "Example:\n  om web config show")]
    Show(OutputArgs),
    /// Set keywords
    #[command(visible_alias = "update", after_help = "Example:\n  om web config set --kw fs#1.mnt_opt=noatime")]
    Set(SetArgs),
    /// Remove keywords or sections
    #[command(after_help = "Example:\n  om web config unset --kw fs#1.mnt_opt")]
    Unset(UnsetArgs),
    /// Print the value of a keyword, as it is written
    #[command(after_help = "Example:\n  om web config get --kw fs#1.dev")]
    Get(GetArgs),
    /// Print the value of a keyword, evaluated: with scopes, references and defaults applied
    #[command(after_help = "Example:\n  om web config eval --kw fs#1.dev")]
    Eval(GetArgs),
    /// Open the configuration in an editor, and check it before it is saved
    #[command(after_help = "The editor is $VISUAL, $EDITOR or vi.\n\nExample:\n  om web config edit")]
    Edit(EditArgs),
    /// Check the configuration
    #[command(after_help = "Example:\n  om web config validate")]
    Validate(ValidateArgs),
    /// Explain the keywords of a section
    #[command(after_help = "Examples:\n  om web config doc fs.ext4\n  om web config doc DEFAULT --kw nodes")]
    Doc(DocArgs),
}
