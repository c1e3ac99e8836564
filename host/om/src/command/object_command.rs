//! `om <SELECTOR> <ACTION>`: every action on objects, under its present name. Old spellings are in [`crate::words`].

use clap::Subcommand;

use super::{
    ActionArgs, ContainerLogsArgs, CreateArgs, DecodeArgs, DeleteArgs, DiffArgs, DocArgs, EditArgs, ExecInsideArgs,
    FlagArgs, GetArgs, HistoryArgs, InsideArgs, KeysArgs, LazyArgs, LifeCommand, ListArgs, LogsArgs, MonArgs,
    OrderArgs, OutputArgs, PutArgs, RemoveArgs, RenameArgs, RollbackArgs, SetArgs, ShowArgs, SnoozeArgs, StatusArgs,
    SwitchArgs, SyncArgs, UnsetArgs, ValidateArgs,
};

/// The actions on objects.
#[derive(Debug, Subcommand)]
pub(crate) enum ObjectCommand {
    /// List the objects that the selector names
    #[command(visible_alias = "list", after_help = "Examples:\n  om '*' ls\n  om 'ns1/**' ls --status down,warn")]
    Ls(LazyArgs<ListArgs>),
    /// Create an object from a configuration
    #[command(after_help = "The configuration is checked first: one with errors creates nothing.\n\n\
                            Examples:\n  om web create --config web.conf\n  om web create --kw fs#1.type=flag\n  \
                            om new create --config web")]
    Create(LazyArgs<CreateArgs>),
    /// Delete an object: its configuration, state and logs
    #[command(
        after_help = "An object that is up or provisioned is not deleted, unless --unprovision or --force is given.\n\n\
                            Examples:\n  om web delete\n  om web delete --unprovision\n  om web delete --rid fs#2"
    )]
    Delete(LazyArgs<DeleteArgs>),
    #[command(flatten)]
    Life(LifeCommand),
    /// Copy data to other nodes or directories, by the sync resources
    #[command(after_help = "Examples:\n  om web sync all --dry-run\n  om web sync full --target n2")]
    Sync(LazyArgs<SyncArgs>),
    /// Copy data to all targets: short for sync update
    Update(LazyArgs<ActionArgs>),
    /// Prevent automatic actions on the object
    #[command(after_help = "Example:\n  om web freeze")]
    Freeze(LazyArgs<FlagArgs>),
    /// Undo freeze: allow automatic actions again
    #[command(visible_alias = "unfreeze", after_help = "Example:\n  om web thaw")]
    Thaw(LazyArgs<FlagArgs>),
    /// Undo disable: let the resources take part in actions again
    #[command(after_help = "Example:\n  om web enable --rid app#1")]
    Enable(LazyArgs<FlagArgs>),
    /// Exclude resources, or the whole object, from all actions
    #[command(after_help = "Example:\n  om web disable --rid app#1")]
    Disable(LazyArgs<FlagArgs>),
    /// Put off what schedules start on this node: the runs of tasks and copies
    #[command(
        after_help = "What is missed meanwhile is skipped, or made good at the end where catch_up = true. A run that goes on \
                            goes on, and om web run works.\n\nExamples:\n  om web snooze --for 2h\n  \
                            om web snooze --until 08:00\n  om '*' snooze --until '2026-12-24 18:00'"
    )]
    Snooze(LazyArgs<SnoozeArgs>),
    /// Undo snooze: let schedules start again what is due
    #[command(after_help = "Example:\n  om web unsnooze")]
    Unsnooze,
    /// Forget that earlier actions failed, so that the daemon tries again
    #[command(after_help = "Example:\n  om web clear")]
    Clear(LazyArgs<FlagArgs>),
    /// Give up the order that the daemon carries out, or the target of one that failed
    #[command(after_help = "Example:\n  om web abort")]
    Abort(LazyArgs<OrderArgs>),
    /// Stop the object, destroy what provision created, and delete it
    #[command(after_help = "Example:\n  om web purge --confirm --wait")]
    Purge(LazyArgs<OrderArgs>),
    /// Move the object to other nodes: stop it where it is, start it there
    #[command(after_help = "Examples:\n  om web switch --node n2\n  om web switch --to n2 --wait")]
    Switch(LazyArgs<SwitchArgs>),
    /// Move the object to this node
    #[command(after_help = "Example:\n  om web takeover --wait")]
    Takeover(LazyArgs<OrderArgs>),
    /// Move the object to the nodes that its placement prefers, and thaw it everywhere
    #[command(after_help = "Example:\n  om web giveback --wait")]
    Giveback(LazyArgs<OrderArgs>),
    /// Explain why the object is as it is, and what it waits for
    #[command(after_help = "Examples:\n  om web explain\n  om web explain --format json")]
    Explain(LazyArgs<OutputArgs>),
    /// Show the objects in om mon
    #[command(visible_alias = "mon", after_help = "Example:\n  om 'ns1/**' monitor --watch")]
    Monitor(LazyArgs<MonArgs>),
    /// Show the status: the same as print status
    #[command(after_help = "Examples:\n  om web status\n  om web status --refresh --format json")]
    Status(LazyArgs<StatusArgs>),
    /// Print the status, the configuration or the devices
    #[command(subcommand)]
    Print(LazyArgs<PrintCommand>),
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
    Config(LazyArgs<ConfigCommand>),
    /// Show what an action would do, in which order and why, and do nothing
    #[command(subcommand, after_help = "Example:\n  om web plan start --format dot | dot -Tsvg >start.svg")]
    Plan(LazyArgs<LifeCommand>),
    /// Set keywords in the configuration
    #[command(
        after_help = "Examples:\n  om web set --kw fs#1.mnt_opt=noatime --kw tags+=red\n  om web set --param app --value shop"
    )]
    Set(LazyArgs<SetArgs>),
    /// Remove keywords or sections from the configuration
    #[command(after_help = "Examples:\n  om web unset --kw fs#1.mnt_opt\n  om web unset --section fs#2")]
    Unset(LazyArgs<UnsetArgs>),
    /// Print the value of a keyword, as it is written
    #[command(after_help = "Example:\n  om web get --kw fs#1.dev")]
    Get(LazyArgs<GetArgs>),
    /// Print the value of a keyword, evaluated: with scopes, references and defaults applied
    #[command(after_help = "Examples:\n  om web eval --kw fs#1.dev\n  om web eval --kw fs#1.dev --impersonate n2")]
    Eval(LazyArgs<GetArgs>),
    /// Open the configuration in an editor, and check it before it is saved
    #[command(after_help = "The editor is $VISUAL, $EDITOR or vi.\n\nExample:\n  om web edit")]
    Edit(LazyArgs<EditArgs>),
    /// Check the configuration
    #[command(after_help = "Example:\n  om '*' validate")]
    Validate(LazyArgs<ValidateArgs>),
    /// Show the log of past actions
    #[command(after_help = "Examples:\n  om web logs\n  om web logs --follow\n  om web logs --rid fs#1 --lines 0")]
    Logs(LazyArgs<LogsArgs>),
    /// Open a shell inside a resource, such as a container
    #[command(after_help = "Example:\n  om web enter --rid container#1")]
    Enter(LazyArgs<InsideArgs>),
    /// Run a command inside a resource. om exits with its exit code
    #[command(after_help = "Example:\n  om web exec --rid container#1 -- mysqladmin status")]
    Exec(LazyArgs<ExecInsideArgs>),
    /// Open a shell, run a command or show the output of a container
    #[command(subcommand)]
    Container(LazyArgs<ContainerCommand>),
    /// List the resources
    #[command(subcommand)]
    Resource(ResourceCommand),
    /// List the keys of a store: an object of kind sec (secrets) or cfg (configurations)
    #[command(after_help = "Examples:\n  om sec/db keys\n  om 'cfg/*' keys --format json")]
    Keys(LazyArgs<KeysArgs>),
    /// Add a key to a store
    #[command(after_help = "Examples:\n  om sec/db create\n  om sec/db add --key password --from -\n  \
                            om sec/db add --key cert --from server.pem\n  om cfg/web add --key mode --value fast\n\n\
                            A service uses the key by\n  secrets_environment = PASSWORD=db/password\n  \
                            configs_environment = MODE=web/mode")]
    Add(LazyArgs<PutArgs>),
    /// Change the value of a key of a store
    #[command(after_help = "Example:\n  om sec/db change --key password --from -\n\n\
                            What is already running keeps the old value until it is restarted.")]
    Change(LazyArgs<PutArgs>),
    /// Remove keys from a store
    #[command(after_help = "Example:\n  om sec/db remove --key password --key user")]
    Remove(LazyArgs<RemoveArgs>),
    /// Rename a key of a store
    #[command(after_help = "Example:\n  om sec/db rename --key password --to root_password")]
    Rename(LazyArgs<RenameArgs>),
    /// Print the value of a key of a store, byte for byte
    #[command(after_help = "Examples:\n  om sec/db decode --key password\n  om sec/db decode --key cert >server.pem")]
    Decode(LazyArgs<DecodeArgs>),
    /// An engine's client (docker, podman), an action that is not built yet, or a typing mistake
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContainerCommand {
    /// Open a shell in the container
    #[command(after_help = "Example:\n  om web container enter --rid container#1")]
    Enter(LazyArgs<InsideArgs>),
    /// Run a command in the container. om exits with its exit code
    #[command(after_help = "Example:\n  om web container exec --rid container#1 -- ps")]
    Exec(LazyArgs<ExecInsideArgs>),
    /// Show what the container has written to its output
    #[command(after_help = "Example:\n  om web container logs --rid container#1 --follow")]
    Logs(LazyArgs<ContainerLogsArgs>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ResourceCommand {
    /// List the resources, with their drivers and states
    #[command(visible_alias = "list", after_help = "Example:\n  om web resource ls")]
    Ls(LazyArgs<StatusArgs>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PrintCommand {
    /// Show the status of the object and of its resources
    #[command(after_help = "Examples:\n  om web print status\n  om web print status --refresh --format json")]
    Status(LazyArgs<StatusArgs>),
    /// Print the configuration file
    #[command(after_help = "Examples:\n  om web print config\n  om web print config --eval")]
    Config(LazyArgs<ShowArgs>),
    /// List the devices that the resources expose and use
    #[command(after_help = "Example:\n  om web print devs")]
    Devs(LazyArgs<StatusArgs>),
    /// List the resources, with what each of them is
    #[command(after_help = "Example:\n  om web print resinfo")]
    Resinfo(LazyArgs<StatusArgs>),
    /// List what the schedules start, with the last and the next run
    #[command(
        after_help = "The daemon starts them at these times.\n\nExamples:\n  om web print schedule\n  om '*' print schedule --format json"
    )]
    Schedule(LazyArgs<OutputArgs>),
    /// List what the resources hold on this node: mounts, devices, addresses, processes, whatever keywords say by now
    #[command(
        after_help = "A stop is done when all of it is gone. `present` is there now; `gone` has disappeared by itself; \
                            `declared` is known to its driver alone; `orphan` belongs to no section any more.\n\n\
                            Examples:\n  om web print holdings\n  om '**' print holdings --format json"
    )]
    Holdings(LazyArgs<OutputArgs>),
    /// What OpenSVC prints and this version does not yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    /// List the instances on this node, with their states
    #[command(visible_alias = "list", after_help = "Example:\n  om '*' instance ls --status warn")]
    Ls(LazyArgs<ListArgs>),
    #[command(flatten)]
    Life(LifeCommand),
    /// Copy data to other nodes or directories, by the sync resources
    #[command(after_help = "Example:\n  om web instance sync all --dry-run")]
    Sync(LazyArgs<SyncArgs>),
    /// Prevent automatic actions on this instance
    #[command(after_help = "Example:\n  om web instance freeze")]
    Freeze(LazyArgs<FlagArgs>),
    /// Undo freeze: allow automatic actions again
    #[command(visible_alias = "unfreeze", after_help = "Example:\n  om web instance thaw")]
    Thaw(LazyArgs<FlagArgs>),
    /// Forget that earlier actions failed
    #[command(after_help = "Example:\n  om web instance clear")]
    Clear(LazyArgs<FlagArgs>),
    /// Show the status of this instance
    #[command(after_help = "Example:\n  om web instance status")]
    Status(LazyArgs<StatusArgs>),
    /// Delete this instance: its configuration, state and logs
    #[command(after_help = "Example:\n  om web instance delete")]
    Delete(LazyArgs<DeleteArgs>),
    /// What OpenSVC does with instances and this version does not yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the configuration file
    #[command(after_help = "Examples:\n  om web config show\n  om web config show --eval")]
    Show(LazyArgs<ShowArgs>),
    /// Set keywords
    #[command(visible_alias = "update", after_help = "Example:\n  om web config set --kw fs#1.mnt_opt=noatime")]
    Set(LazyArgs<SetArgs>),
    /// Remove keywords or sections
    #[command(after_help = "Example:\n  om web config unset --kw fs#1.mnt_opt")]
    Unset(LazyArgs<UnsetArgs>),
    /// Print the value of a keyword, as it is written
    #[command(after_help = "Example:\n  om web config get --kw fs#1.dev")]
    Get(LazyArgs<GetArgs>),
    /// Print the value of a keyword, evaluated: with scopes, references and defaults applied
    #[command(after_help = "Example:\n  om web config eval --kw fs#1.dev")]
    Eval(LazyArgs<GetArgs>),
    /// Open the configuration in an editor, and check it before it is saved
    #[command(after_help = "The editor is $VISUAL, $EDITOR or vi.\n\nExample:\n  om web config edit")]
    Edit(LazyArgs<EditArgs>),
    /// Check the configuration
    #[command(after_help = "Example:\n  om web config validate")]
    Validate(LazyArgs<ValidateArgs>),
    /// List the versions of the configuration: when each was written, by which user and command, and what it changed
    #[command(after_help = "A version without a user was written by an editor or another program.\n\n\
                      Examples:\n  om web config history\n  om web config history --limit 3\n  om node config history -o json")]
    History(LazyArgs<HistoryArgs>),
    /// Show what differs between two versions of the configuration. Secrets are not shown
    #[command(
        after_help = "Without FROM, what the last change changed; without TO, what differs from the present version.\n\n\
                      Examples:\n  om web config diff\n  om web config diff 3\n  om web config diff 3 5 --keywords"
    )]
    Diff(LazyArgs<DiffArgs>),
    /// Put an earlier version of the configuration back, as a new version
    #[command(after_help = "Nothing is started or stopped: what is up keeps running as it was started.\n\n\
                      Examples:\n  om web config diff 3\n  om web config rollback 3")]
    Rollback(LazyArgs<RollbackArgs>),
    /// Explain the keywords of a section
    #[command(after_help = "Examples:\n  om web config doc fs.ext4\n  om web config doc DEFAULT --kw nodes")]
    Doc(LazyArgs<DocArgs>),
}
