//! `om driver …`, `om node …`, `om config …` and the other commands that are about no object.

use clap::{Args, Subcommand, ValueEnum};

use super::{DocArgs, EditArgs, GetArgs, Output, SetArgs, UnsetArgs, ValidateArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum Subsystem {
    /// The drivers: what they are, what they may do, what they did
    #[command(subcommand)]
    Driver(DriverCommand),
    /// This node's own configuration
    #[command(subcommand)]
    Node(NodeCommand),
    /// Configuration files that are no objects yet
    #[command(subcommand)]
    Config(FileCommand),
    /// Show it all: a service with a disk, a file system, an address and an application, from nothing to nothing
    Demo(DemoArgs),
    /// Print the completion script of a shell
    #[command(after_help = "Example:\n  source <(om completion bash)")]
    Completion {
        /// Which shell
        shell: clap_complete::Shell,
        /// Which word is being typed (how the script asks)
        #[arg(long, hide = true, requires = "words")]
        at: Option<usize>,
        /// The words so far
        #[arg(last = true, hide = true)]
        words: Vec<String>,
    },
    /// Print the manual page, or write all of them into a folder
    Man {
        /// Where to write om.1, om-driver.1, …
        #[arg(long, value_name = "DIR")]
        to: Option<std::path::PathBuf>,
    },
    /// Run a command in the process group of a resource
    Exec {
        /// The group, as `om … logs` shows it
        #[arg(long, value_name = "SLICE")]
        pg: String,
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// The cluster at a glance (not supported here yet)
    #[command(visible_alias = "monitor")]
    Mon(NotYet),
    /// The daemon (not supported here yet)
    Daemon(NotYet),
    /// The cluster (not supported here yet)
    Cluster(NotYet),
    /// What would happen if (not supported here yet)
    Sim(NotYet),
}

/// Words of a command that is not built yet.
#[derive(Debug, Args)]
pub(crate) struct NotYet {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Open a shell at the end, inside, before everything is taken down
    #[arg(long)]
    pub(crate) shell: bool,
    /// Which rung to show: by default the best that this machine allows
    #[arg(long, value_enum)]
    pub(crate) rung: Option<Rung>,
    /// The folder of this demo (how it calls itself, where it wants to be)
    #[arg(long, hide = true, value_name = "DIR")]
    pub(crate) inside: Option<std::path::PathBuf>,
    /// Serve a folder over HTTP: the demo's application
    #[arg(long, hide = true, num_args = 2, value_names = ["ADDR:PORT", "DIR"])]
    pub(crate) serve: Option<Vec<String>>,
    /// Print the page at an address
    #[arg(long, hide = true, value_name = "ADDR:PORT")]
    pub(crate) fetch: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rung {
    /// Root, with loop devices, in private namespaces
    Root,
    /// An ordinary user in a user namespace
    User,
    /// An ordinary user without one
    Plain,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DriverCommand {
    /// List the drivers
    #[command(visible_alias = "list")]
    Ls(Output),
    /// What a driver is, asks for and gets
    #[command(after_help = "Example:\n  om driver inspect disk.loop --effective web disk#1")]
    Inspect {
        /// The driver's name, or a component's file
        driver: String,
        /// What it may do for one resource
        #[arg(long, num_args = 2, value_names = ["PATH", "RID"])]
        effective: Option<Vec<String>>,
        #[command(flatten)]
        output: Output,
    },
    /// Install a component. It is granted nothing
    Install {
        /// The component
        file: std::path::PathBuf,
        /// Replace an installed driver of the same name
        #[arg(long)]
        force: bool,
    },
    /// Remove an installed driver
    Remove {
        /// Its name
        driver: String,
    },
    /// Allow what a driver asks for, or one grant more
    #[command(after_help = "Examples:\n  om driver allow ./appliance.wasm\n  om driver allow disk.appliance --add \
                            'exec = /usr/sbin/multipath -r'")]
    Allow {
        /// The driver's name, or a component's file, which is installed first
        driver: String,
        /// Grants to allow, in place of all that it asks for
        #[arg(long, value_name = "GRANT")]
        add: Vec<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Deny a grant, or everything
    Deny {
        /// The driver's name
        driver: String,
        /// Grants to deny, in place of everything
        #[arg(long, value_name = "GRANT")]
        grant: Vec<String>,
    },
    /// What drivers did, and were denied
    #[command(after_help = "Example:\n  om driver audit --object web --denied")]
    Audit(AuditArgs),
    /// Compile the drivers now, so that nobody waits for it later
    Warm,
}

/// Which records of the audit trail.
#[derive(Debug, Clone, Args)]
pub(crate) struct AuditArgs {
    /// Of which object
    #[arg(long, value_name = "PATH")]
    pub(crate) object: Option<String>,
    /// Of which resource
    #[arg(long)]
    pub(crate) rid: Option<String>,
    /// Of which driver
    #[arg(long, value_name = "NAME")]
    pub(crate) driver: Option<String>,
    /// Of which session: its first letters are enough
    #[arg(long)]
    pub(crate) sid: Option<String>,
    /// Only what was denied
    #[arg(long)]
    pub(crate) denied: bool,
    /// How many of the last records, 0 for all
    #[arg(long, short = 'n', default_value_t = 50, value_parser = super::acting::lines)]
    pub(crate) lines: usize,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Show node.conf
    #[command(name = "print", visible_alias = "show")]
    Print {
        /// `config`
        #[arg(default_value = "config", value_parser = ["config"])]
        what: String,
        #[command(flatten)]
        output: Output,
    },
    /// Set keywords
    Set(SetArgs),
    /// Remove keywords
    Unset(UnsetArgs),
    /// The value of a keyword, as written
    Get(GetArgs),
    /// The value of a keyword, evaluated
    Eval(GetArgs),
    /// Open node.conf in an editor
    Edit(EditArgs),
    /// Check node.conf
    #[command(visible_alias = "validate_config")]
    Validate(ValidateArgs),
    /// Anything else is not supported here yet
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum FileCommand {
    /// Check a file: everything that is wrong with it, at once
    Validate {
        /// The file, - for standard input
        file: std::path::PathBuf,
        /// As the configuration of this object
        #[arg(long, value_name = "PATH")]
        path: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// What a driver's sections, or DEFAULT, may say
    Doc(DocArgs),
}
