//! Command lines after binding, and how the arguments of a program are compared with them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::operation::RunProgram;
use super::root;
use crate::capability::definition::LinePattern;
use crate::line::address::NameResolution;
use crate::line::glob::Glob;
use crate::line::path_glob::PathGlob;
use crate::operation::Operation;

/// The allowed form of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ArgPattern {
    /// One argument that the word stands for.
    Exact(Glob),
    /// Any one argument, but not an option unless a `--` went before.
    Any,
    /// All that are left.
    Rest,
    /// These, or none of them.
    Optional(Vec<ArgPattern>),
}

/// A command line after binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommandPattern {
    pub(super) program: PathGlob,
    pub(super) args: Vec<ArgPattern>,
}

impl LinePattern for CommandPattern {
    fn example(&self) -> Option<Box<dyn Operation>> {
        let word = |arg: &ArgPattern| match arg {
            ArgPattern::Exact(glob) => glob.literal(),
            _ => None,
        };
        let args = self.args.iter().map(word).collect::<Option<Vec<String>>>()?;
        let program = PathBuf::from(self.program.literal().filter(|_| !self.program.is_tree())?);
        Some(Box::new(RunProgram { program, args, ..RunProgram::default() }))
    }

    fn relocated(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<Arc<dyn LinePattern>> {
        Some(Arc::new(CommandPattern { program: self.program.relocated(follow)?, args: self.args.clone() }))
    }

    fn root_equivalent(&self, _: bool) -> Option<&'static str> {
        if self.args.contains(&ArgPattern::Rest) {
            return Some(root::ANY_ARGUMENT);
        }
        match self.program.literal() {
            None => Some(root::ANY_PROGRAM),
            Some(program) => (!self.args.is_empty() && root::is_interpreter(&program)).then_some(root::INTERPRETER),
        }
    }
}

impl CommandPattern {
    /// Whether the pattern stands for this command line.
    pub(super) fn matches(&self, program: &Path, args: &[String], names: NameResolution<'_>) -> bool {
        // execve(2) would end an argument at its zero byte, so the program would see another one.
        if !self.program.matches(program) || args.iter().any(|arg| arg.contains('\0')) {
            return false;
        }
        let mut reached = vec![false; args.len() + 1];
        reached[0] = true;
        run(&self.args, reached, args, names)[args.len()]
    }
}

/// Computes which numbers of arguments the patterns can use up, if those in `reached` were used up before them.
///
/// All ways are followed at once, one column per number of arguments: trying one way after the other would take time that
/// grows exponentially with the number of optional patterns.
fn run(patterns: &[ArgPattern], reached: Vec<bool>, args: &[String], names: NameResolution<'_>) -> Vec<bool> {
    patterns.iter().fold(reached, |reached, pattern| match pattern {
        ArgPattern::Exact(glob) => one(&reached, args, |at| names.any_argument(&args[at], |name| glob.matches(name))),
        ArgPattern::Any => {
            one(&reached, args, |at| !args[at].starts_with('-') || args[..at].iter().any(|arg| arg == "--"))
        }
        ArgPattern::Rest => {
            // From the first number that was reached, the rest takes any number of arguments more.
            let first = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
            (0..reached.len()).map(|at| at >= first).collect()
        }
        ArgPattern::Optional(inner) => {
            let skipped = reached.clone();
            run(inner, reached, args, names).iter().zip(skipped).map(|(taken, skipped)| *taken || skipped).collect()
        }
    })
}

fn one(reached: &[bool], args: &[String], fits: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    for at in (0..args.len()).filter(|&at| reached[at]) {
        next[at + 1] = fits(at);
    }
    next
}

impl fmt::Display for ArgPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgPattern::Exact(glob) => glob.fmt(f),
            ArgPattern::Any => f.write_str("*"),
            ArgPattern::Rest => f.write_str("**"),
            ArgPattern::Optional(run) => {
                f.write_str("[")?;
                for (i, arg) in run.iter().enumerate() {
                    write!(f, "{}{arg}", if i > 0 { " " } else { "" })?;
                }
                f.write_str("]")
            }
        }
    }
}

impl fmt::Display for CommandPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.program.fmt(f)?;
        self.args.iter().try_for_each(|arg| write!(f, " {arg}"))
    }
}
