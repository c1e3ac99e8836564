//! How commands print.

use clap::builder::{EnumValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    #[value(aliases = ["auto", "text"])]
    Human,
    /// JSON
    Json,
    /// A line a value: `a.b[0] = "c"`
    #[value(name = "flat_json", aliases = ["flat-json", "flat"])]
    FlatJson,
    /// YAML
    Yaml,
    /// Graphviz dot, for plans
    Dot,
}

/// How to print.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Output {
    /// The form of the output
    #[arg(
        long,
        short = 'o',
        visible_alias = "output",
        value_parser = no_graph(),
        value_name = "FORMAT",
        default_value = "human"
    )]
    pub(crate) format: Format,
}

/// How to print a plan, or what an action came to.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlanOutput {
    /// The form of the output
    #[arg(long, short = 'o', visible_alias = "output", value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: Format,
}

/// The formats of what is no plan.
fn no_graph() -> impl TypedValueParser<Value = Format> {
    EnumValueParser::<Format>::new().try_map(|format| match format {
        Format::Dot => Err("only plans are graphs"),
        format => Ok(format),
    })
}

impl Format {
    /// Whether a program reads it.
    pub(crate) fn is_structured(self) -> bool {
        !matches!(self, Format::Human | Format::Dot)
    }
}

impl Output {
    /// Whether a program reads it.
    pub(crate) fn is_structured(&self) -> bool {
        self.format.is_structured()
    }
}
