//! Command lines after binding, and how the arguments of a program are compared with them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::operation::RunProgram;
use super::root;
use crate::capability::definition::LinePattern;
use crate::line::address::NameResolution;
use crate::line::glob::{Glob, GlobPart};
use crate::line::path_glob::PathGlob;
use crate::operation::Operation;

/// The allowed form of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ArgPattern {
    /// One argument that the word stands for.
    Exact(Glob),
    /// One argument that one of the words stands for: as it is written, and with the place to which the path in it leads.
    AtPlace(Glob, Glob),
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
        let program = self.program.relocated(follow);
        let args: Vec<ArgPattern> = self.args.iter().map(|arg| arg.at_place(follow)).collect();
        if program.is_none() && args == self.args {
            return None;
        }
        Some(Arc::new(CommandPattern { program: program.unwrap_or_else(|| self.program.clone()), args }))
    }

    fn root_equivalent(&self, _: bool) -> Option<&'static str> {
        if self.args.contains(&ArgPattern::Rest) {
            return Some(root::ANY_ARGUMENT);
        }
        match self.program.literal() {
            None => Some(root::ANY_PROGRAM),
            Some(program) if !self.args.is_empty() && root::is_interpreter(&program) => Some(root::INTERPRETER),
            Some(program) => {
                let words: Vec<String> = self.args.iter().flat_map(ArgPattern::literals).collect();
                root::by_words(&program, words.iter().map(String::as_str))
            }
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

impl ArgPattern {
    /// The words that it stands for, as far as they are fixed.
    fn literals(&self) -> Vec<String> {
        match self {
            ArgPattern::Exact(glob) | ArgPattern::AtPlace(glob, _) => glob.literal().into_iter().collect(),
            ArgPattern::Optional(inner) => inner.iter().flat_map(ArgPattern::literals).collect(),
            ArgPattern::Any | ArgPattern::Rest => Vec::new(),
        }
    }

    /// The same, also with the place to which the path in it leads, alone or behind such as `of=` or `n2:`.
    fn at_place(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> ArgPattern {
        match self {
            ArgPattern::Exact(glob) => match relocated_word(glob, follow) {
                Some(place) => ArgPattern::AtPlace(glob.clone(), place),
                None => self.clone(),
            },
            ArgPattern::Optional(inner) => ArgPattern::Optional(inner.iter().map(|arg| arg.at_place(follow)).collect()),
            ArgPattern::AtPlace(..) | ArgPattern::Any | ArgPattern::Rest => self.clone(),
        }
    }
}

fn relocated_word(glob: &Glob, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<Glob> {
    let mut parts = glob.0.clone();
    let Some(GlobPart::Text(first)) = parts.first_mut() else { return None };
    let before = first[..first.find('/')?].to_owned();
    first.drain(..before.len());
    let place = PathGlob::new(parts, false).ok()?.relocated(follow)?;
    Some(Glob(std::iter::once(GlobPart::Text(before)).chain(place.parts()).collect()))
}

/// Computes which numbers of arguments the patterns can use up, if those in `reached` were used up before them.
///
/// All ways are followed at once, one column per number of arguments: trying one way after the other would take time that
/// grows exponentially with the number of optional patterns.
fn run(patterns: &[ArgPattern], reached: Vec<bool>, args: &[String], names: NameResolution<'_>) -> Vec<bool> {
    patterns.iter().fold(reached, |reached, pattern| match pattern {
        ArgPattern::Exact(glob) => one(&reached, args, |at| {
            names.any_argument(&args[at], |name| glob.matches(name)) || names.is_led_from(&args[at], glob.literal())
        }),
        ArgPattern::AtPlace(written, place) => one(&reached, args, |at| {
            names.any_argument(&args[at], |name| written.matches(name) || place.matches(name))
                || names.is_led_from(&args[at], written.literal())
        }),
        ArgPattern::Any => {
            // Behind a `--` the program reads no options (POSIX, XBD 12.2, guideline 10).
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
            ArgPattern::Exact(glob) | ArgPattern::AtPlace(glob, _) => glob.fmt(f),
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
