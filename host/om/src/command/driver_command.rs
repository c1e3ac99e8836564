//! `om driver …`: the commands on drivers.

use clap::{Args, Subcommand};

use super::{LazyArgs, OutputArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum DriverCommand {
    /// List the drivers
    #[command(visible_alias = "list", after_help = "Example:\n  om driver ls")]
    Ls(LazyArgs<OutputArgs>),
    /// Show what a driver is, asks for and may do
    #[command(after_help = "Examples:\n  om driver inspect disk.loop\n  om driver inspect ./appliance.wasm\n  \
                            om driver inspect disk.loop --effective web disk#1")]
    Inspect {
        /// The driver's name, or the file of its component
        driver: String,
        /// Show what the driver may do for this resource
        #[arg(long, num_args = 2, value_names = ["PATH", "RID"])]
        effective: Option<Vec<String>>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Install a driver's component. It may do nothing until it is allowed to
    #[command(after_help = "Example:\n  om driver install ./appliance.wasm")]
    Install {
        /// The file of the component
        file: std::path::PathBuf,
        /// Replace an installed driver of the same name
        #[arg(long)]
        force: bool,
    },
    /// Remove an installed driver
    #[command(after_help = "Example:\n  om driver remove disk.appliance")]
    Remove {
        /// The driver's name
        driver: String,
        /// Remove it although resources need it
        #[arg(long)]
        force: bool,
    },
    /// Allow a driver what it asks for, or other grants
    #[command(
        after_help = "The grants are printed, and must be confirmed. Without a terminal, --yes confirms them.\n\n\
                            Examples:\n  om driver allow ./appliance.wasm\n  om driver allow disk.appliance --add \
                            'exec = /usr/sbin/multipath -r'"
    )]
    Allow {
        /// The driver's name, or the file of its component, which is then installed
        driver: String,
        /// Allow this grant, and not what the driver asks for. May be repeated
        #[arg(long, value_name = "GRANT")]
        add: Vec<String>,
        /// Do not ask for confirmation
        #[arg(long, short)]
        yes: bool,
    },
    /// Deny a driver everything, or some grants
    #[command(after_help = "Examples:\n  om driver deny disk.appliance\n  om driver deny disk.appliance --grant \
                            'exec = /usr/sbin/multipath -r'")]
    Deny {
        /// The driver's name
        driver: String,
        /// Deny this grant, and not everything. May be repeated
        #[arg(long, value_name = "GRANT")]
        grant: Vec<String>,
    },
    /// Show what drivers did on this node, and what they were denied
    #[command(after_help = "Example:\n  om driver audit --object web --denied")]
    Audit(LazyArgs<AuditArgs>),
    /// Compile all drivers now, so that no action has to wait for it
    #[command(after_help = "Example:\n  om driver warm")]
    Warm,
    /// Begin a driver of your own: a package that builds and passes its tests
    #[command(after_help = "Example:\n  om driver new app.ticket --sdk ~/hostler/sdk")]
    New {
        /// The driver's name
        driver: String,
        /// The directory sdk of a checkout of Hostler, or the URL of a git repository
        #[arg(long, value_name = "PLACE")]
        sdk: String,
        /// The new directory. The default is driver-GROUP-NAME
        #[arg(long, value_name = "DIRECTORY")]
        to: Option<std::path::PathBuf>,
    },
}

/// Which records of the audit trail to show.
#[derive(Debug, Clone, Args)]
pub(crate) struct AuditArgs {
    /// Only the records of one object
    #[arg(long, value_name = "PATH")]
    pub(crate) object: Option<String>,
    /// Only the records of one resource
    #[arg(long)]
    pub(crate) rid: Option<String>,
    /// Only the records of one driver
    #[arg(long, value_name = "NAME")]
    pub(crate) driver: Option<String>,
    /// Only the records of one session: the first characters of its id are enough
    #[arg(long)]
    pub(crate) sid: Option<String>,
    /// Only what was denied
    #[arg(long)]
    pub(crate) denied: bool,
    /// How many of the last records to show; 0 shows all
    #[arg(long, short = 'n', default_value_t = 50, value_parser = super::action_args::lines)]
    pub(crate) lines: usize,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
