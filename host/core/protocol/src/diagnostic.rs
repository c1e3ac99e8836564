//! The problems of a configuration.

use config::diagnostic::{Diagnostic, Severity, Span};
use serde::{Deserialize, Serialize};

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemSeverity {
    /// The configuration cannot be used.
    Error,
    /// The configuration can be used, but an operator should look at it.
    Warning,
}

/// A problem of a configuration, by its place in the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigProblem {
    /// The first byte that the problem is about, and the first after it.
    pub start: usize,
    pub end: usize,
    pub severity: ProblemSeverity,
    pub message: String,
    /// The words beside the marked text, mostly what was expected there. May be empty.
    pub label: String,
}

/// A problem of a configuration, by its line. `om … validate --format json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatedProblem {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub severity: ProblemSeverity,
    pub message: String,
    pub label: String,
}

/// A text that was checked, and its problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigCheck {
    /// The name of the text in messages.
    pub name: String,
    pub text: String,
    pub problems: Vec<ConfigProblem>,
}

impl ConfigProblem {
    /// Whether the configuration cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == ProblemSeverity::Error
    }

    /// The part of the text that it is about.
    pub fn span(&self) -> Span {
        Span::new(self.start, self.end)
    }
}

impl ConfigCheck {
    /// The number of errors.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.is_error()).count()
    }
}

impl From<&Diagnostic> for ConfigProblem {
    fn from(diagnostic: &Diagnostic) -> ConfigProblem {
        let severity = match diagnostic.severity {
            Severity::Error => ProblemSeverity::Error,
            Severity::Warning => ProblemSeverity::Warning,
        };
        let (start, end) = (diagnostic.span.start, diagnostic.span.end);
        ConfigProblem { start, end, severity, message: diagnostic.message.clone(), label: diagnostic.label.clone() }
    }
}
