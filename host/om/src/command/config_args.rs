//! The options of the commands on configurations.

use clap::Args;

use super::OutputArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct SetArgs {
    /// A keyword and its value: `[SECTION.]KEYWORD[@SCOPE]=VALUE`. May be repeated
    ///
    /// Instead of `=`, which sets the value: `+=` appends a word to a list, `-=` removes one, `|=` appends one that is
    /// missing, `^=` toggles one, and `[N]=` inserts one at position N, counted from 0.
    #[arg(long = "kw", value_name = "KEY=VALUE")]
    pub(crate) keywords: Vec<String>,
    /// The keyword, where the value is given by --value
    #[arg(long, requires = "value")]
    pub(crate) param: Option<String>,
    /// The value of --param
    #[arg(long, requires = "param", allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// Save the change even if it causes errors
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct UnsetArgs {
    /// A keyword to remove: `[SECTION.]KEYWORD[@SCOPE]`. May be repeated
    #[arg(long = "kw", visible_alias = "param", value_name = "KEY")]
    pub(crate) keywords: Vec<String>,
    /// A section to remove. May be repeated
    #[arg(long = "section", visible_alias = "delete", value_name = "SECTION")]
    pub(crate) sections: Vec<String>,
    /// Save the change even if it causes errors
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct GetArgs {
    /// The keyword: `[SECTION.]KEYWORD`. May be repeated
    #[arg(long = "kw", visible_alias = "param", value_name = "KEY", required = true)]
    pub(crate) keywords: Vec<String>,
    /// Evaluate the value: apply scopes, references and defaults
    #[arg(long)]
    pub(crate) eval: bool,
    /// Evaluate the value as this node would
    #[arg(long, value_name = "NODE")]
    pub(crate) impersonate: Option<String>,
    /// Print secrets, too, which show as ***
    #[arg(long)]
    pub(crate) secrets: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct EditArgs {
    /// `config`
    #[arg(default_value = "config", value_parser = ["config"], hide = true)]
    pub(crate) what: String,
    /// Continue an earlier edit, which was not saved because it had errors
    #[arg(long)]
    pub(crate) recover: bool,
    /// Discard the changes of an earlier edit, and begin with the present configuration
    #[arg(long, conflicts_with = "recover")]
    pub(crate) discard: bool,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ValidateArgs {
    /// `config`
    #[arg(default_value = "config", value_parser = ["config"], hide = true)]
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct HistoryArgs {
    /// Only the last N versions
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DiffArgs {
    /// The version to compare with, as history numbers them
    #[arg(value_name = "FROM")]
    pub(crate) from: Option<u64>,
    /// The version that is compared
    #[arg(value_name = "TO")]
    pub(crate) to: Option<u64>,
    /// Show keywords with their values instead of lines
    #[arg(long)]
    pub(crate) keywords: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RollbackArgs {
    /// The version to put back, as history numbers them
    #[arg(value_name = "REVISION")]
    pub(crate) revision: u64,
    /// Put it back even if it causes errors
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ShowArgs {
    /// Print the values that hold on this node: scopes chosen, references resolved
    #[arg(long)]
    pub(crate) eval: bool,
    /// Print secrets, too, which show as ***: what is printed can be read by `create` then
    #[arg(long)]
    pub(crate) secrets: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DocArgs {
    /// A driver (fs.ext4), a group (fs) or DEFAULT. Without it, list them all
    pub(crate) about: Option<String>,
    /// Explain only this keyword
    #[arg(long = "kw", value_name = "KEYWORD")]
    pub(crate) keyword: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CreateArgs {
    /// The configuration: a file (text or JSON), `-` for standard input, or an object
    #[arg(long, visible_aliases = ["from", "template"], value_name = "FILE|-|PATH")]
    pub(crate) config: Option<String>,
    /// A keyword to set: `[SECTION.]KEYWORD=VALUE`. May be repeated
    #[arg(long = "kw", value_name = "KEY=VALUE")]
    pub(crate) keywords: Vec<String>,
    /// A value to set in the section [env]. May be repeated
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// Create the object even if its configuration has errors, and replace the configuration of an existing one
    #[arg(long)]
    pub(crate) force: bool,
    /// Provision the object once it is created
    #[arg(long)]
    pub(crate) provision: bool,
}
