//! The options of the commands on the keys of stores.

use std::path::PathBuf;

use clap::Args;

use super::OutputArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct PutArgs {
    /// The name of the key
    #[arg(long)]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) value: ValueArgs,
}

#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ValueArgs {
    /// The value. It is visible in the process list while the command runs; --from is not
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// The file that holds the value, every byte of it; `-` for standard input
    #[arg(long, value_name = "FILE|-")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DecodeArgs {
    /// The name of the key
    #[arg(long)]
    pub(crate) key: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RemoveArgs {
    /// The name of a key. May be repeated
    #[arg(long = "key", required = true, value_name = "KEY")]
    pub(crate) keys: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RenameArgs {
    /// The name of the key
    #[arg(long)]
    pub(crate) key: String,
    /// The new name of the key
    #[arg(long, value_name = "KEY")]
    pub(crate) to: String,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
