//! What the commands on configurations take.

use clap::Args;

use super::Output;

#[derive(Debug, Clone, Args)]
pub(crate) struct SetArgs {
    /// `[section.]keyword[@scope]` and `=`, `+=`, `-=`, `|=`, `^=` or `[i]=`, and a value
    #[arg(long = "kw", value_name = "KEY=VALUE")]
    pub(crate) keywords: Vec<String>,
    /// The same, as two options
    #[arg(long, requires = "value")]
    pub(crate) param: Option<String>,
    /// The value of --param
    #[arg(long, requires = "param", allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// Write even what `validate` calls an error
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct UnsetArgs {
    /// Keywords to remove
    #[arg(long = "kw", visible_alias = "param", value_name = "KEY")]
    pub(crate) keywords: Vec<String>,
    /// Sections to remove
    #[arg(long = "section", visible_alias = "delete", value_name = "SECTION")]
    pub(crate) sections: Vec<String>,
    /// Write even what `validate` calls an error
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct GetArgs {
    /// Which keywords
    #[arg(long = "kw", visible_alias = "param", value_name = "KEY", required = true)]
    pub(crate) keywords: Vec<String>,
    /// Evaluate: scopes, references, defaults
    #[arg(long)]
    pub(crate) eval: bool,
    /// As that node sees it
    #[arg(long, value_name = "NODE")]
    pub(crate) impersonate: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct EditArgs {
    /// `config`
    #[arg(default_value = "config", value_parser = ["config"], hide = true)]
    pub(crate) what: String,
    /// Keep the changes that an earlier edit left behind because they had errors
    #[arg(long)]
    pub(crate) recover: bool,
    /// Throw them away
    #[arg(long, conflicts_with = "recover")]
    pub(crate) discard: bool,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ValidateArgs {
    /// `config`
    #[arg(default_value = "config", value_parser = ["config"], hide = true)]
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DocArgs {
    /// A driver (fs.ext4), a group (fs), or DEFAULT. Nothing: the list of them
    pub(crate) about: Option<String>,
    /// Only this keyword
    #[arg(long = "kw", value_name = "KEYWORD")]
    pub(crate) keyword: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CreateArgs {
    /// A file, `-` for standard input, or an object to copy
    #[arg(long, visible_aliases = ["from", "template"], value_name = "FILE|-|PATH")]
    pub(crate) config: Option<String>,
    /// Keywords to set
    #[arg(long = "kw", value_name = "KEY=VALUE")]
    pub(crate) keywords: Vec<String>,
    /// Values of the [env] section
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// Create even with errors, and replace what is there
    #[arg(long)]
    pub(crate) force: bool,
    /// Provision at once
    #[arg(long)]
    pub(crate) provision: bool,
}
