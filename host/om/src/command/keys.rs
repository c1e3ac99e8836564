//! What the commands on the keys of stores take.

use std::path::PathBuf;

use clap::Args;

use super::Output;

#[derive(Debug, Clone, Args)]
pub(crate) struct PutArgs {
    /// Which key
    #[arg(long)]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) value: ValueArgs,
}

#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ValueArgs {
    /// Its value. Whoever lists processes sees it meanwhile: --from shows it to nobody
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// A file that holds its value, `-` for standard input: every byte of it
    #[arg(long, value_name = "FILE|-")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DecodeArgs {
    /// Which key
    #[arg(long)]
    pub(crate) key: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RemoveArgs {
    /// Which keys: may be repeated
    #[arg(long = "key", required = true, value_name = "KEY")]
    pub(crate) keys: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RenameArgs {
    /// Which key
    #[arg(long)]
    pub(crate) key: String,
    /// What it is called from now on
    #[arg(long, value_name = "KEY")]
    pub(crate) to: String,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    pub(crate) output: Output,
}
