//! The options that choose the format of the output.

use clap::builder::{EnumValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people
    #[default]
    #[value(aliases = ["auto", "text"])]
    Human,
    /// JSON
    Json,
    /// One line per value: `a.b[0] = "c"`
    #[value(name = "flat_json", aliases = ["flat-json", "flat"])]
    FlatJson,
    /// YAML
    Yaml,
    /// Graphviz dot, for plans
    Dot,
}

/// The format of what is not a plan.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OutputArgs {
    /// The format of the output
    #[arg(
        long,
        short = 'o',
        visible_alias = "output",
        value_parser = not_a_graph(),
        value_name = "FORMAT",
        default_value = "human"
    )]
    pub(crate) format: OutputFormat,
}

/// The format of a plan, or of the result of an action.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlanOutputArgs {
    /// The format of the output
    #[arg(long, short = 'o', visible_alias = "output", value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: OutputFormat,
}

/// Every format but the one that draws plans.
fn not_a_graph() -> impl TypedValueParser<Value = OutputFormat> {
    // Not a second enum without Dot: every command then reads the same words and aliases.
    EnumValueParser::<OutputFormat>::new().try_map(|format| match format {
        OutputFormat::Dot => Err("only plans are graphs"),
        format => Ok(format),
    })
}

impl OutputFormat {
    /// Whether the output is for a program.
    pub(crate) fn is_structured(self) -> bool {
        !matches!(self, OutputFormat::Human | OutputFormat::Dot)
    }
}

impl OutputArgs {
    /// Whether the output is for a program.
    pub(crate) fn is_structured(&self) -> bool {
        self.format.is_structured()
    }
}
