//! `om daemon auth`, `whoami`, `cert` and `audit`: who may ask the daemon from elsewhere, and who did.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::OutputArgs;
use super::action_args::duration;

#[derive(Debug, Clone, Default, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AuthArgs {
    #[command(subcommand)]
    pub(crate) command: Option<AuthCommand>,
    /// For this user, which is a usr object. By default for the user who asks; only root may name another
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// What the token is good for: root, or admin, operator and guest, each with :NAMESPACE or without. May be repeated. By
    /// default all that the user may do
    #[arg(long, value_name = "ROLE[:NAMESPACE]")]
    pub(crate) role: Vec<String>,
    /// How long it is good for: ten minutes by default, 90 days at most
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum AuthCommand {
    /// List the tokens that have not expired
    Ls(OutputArgs),
    /// Revoke tokens: no request is answered with them any more
    Revoke {
        /// The ids of the tokens, as om daemon auth ls shows them
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertCommand {
    /// List the certificates that this node's authority has issued
    Ls(OutputArgs),
    /// Make a key and a certificate for a user, and write them and the authority's certificate to files
    #[command(after_help = "Example:\n  om daemon cert create alice --to /root/alice")]
    Create {
        /// The user, which is a usr object
        user: String,
        /// The directory to write USER.key, USER.pem and ca.pem to. By default this one
        #[arg(long, value_name = "DIR", default_value = ".")]
        to: PathBuf,
    },
    /// Make a new certificate for the daemon now. It does so by itself when 30 days are left
    Renew,
    /// Revoke certificates: no request is answered with them any more
    Revoke {
        /// The serial numbers, as om daemon cert ls shows them, or names of users
        #[arg(required = true, value_name = "SERIAL|USER")]
        which: Vec<String>,
    },
}

/// Which records of the trail to show.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TrailArgs {
    /// Only what this user did
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Only what was done to this object
    #[arg(long, value_name = "PATH")]
    pub(crate) object: Option<String>,
    /// Only what was refused
    #[arg(long)]
    pub(crate) denied: bool,
    /// How many of the last records to show; 0 shows all
    #[arg(long, short = 'n', default_value_t = 50, value_parser = super::action_args::lines)]
    pub(crate) lines: usize,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
