//! The operations on programs and processes, and the lines that allow and forbid them.

use std::path::{Path, PathBuf};

use super::pattern::CommandPattern;
use super::template::{EXEC, SPAWN};
use crate::capability::files::path_text;
use crate::line::address::NameResolution;
use crate::line::rule::GrantRule;
use crate::line::token::quoted;
use crate::operation::{Access, Operation, RuleMatch};

/// As whom a program runs, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramTerms {
    /// The user, if the driver named one.
    pub user: Option<String>,
    /// The group, if it is not among those of the user.
    pub group: Option<String>,
    /// The working directory, if it is not `/`.
    pub cwd: Option<PathBuf>,
}

impl ProgramTerms {
    /// As the attributes of a line, without parentheses.
    fn attributes(&self) -> Vec<String> {
        let user = self.user.iter().map(|user| format!("user={}", quoted(user)));
        let group = self.group.iter().map(|group| format!("group={}", quoted(group)));
        let cwd = self.cwd.iter().map(|cwd| format!("cwd={}", path_text(cwd)));
        user.chain(group).chain(cwd).collect()
    }
}

/// Run a program and wait for it. Grant `exec`; with `exec(read)` also in status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunProgram {
    /// Absolute.
    pub program: PathBuf,
    /// Without the program's name.
    pub args: Vec<String>,
    /// As whom and where.
    pub terms: ProgramTerms,
}

/// Start a program that outlives the call. Grant `spawn`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartProgram {
    /// Absolute.
    pub program: PathBuf,
    /// Without the program's name.
    pub args: Vec<String>,
    /// As whom and where.
    pub terms: ProgramTerms,
}

/// See the resource's own processes. Any `spawn` or `exec` grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeProcesses;

/// Kill the resource's own processes. Any `spawn` or `exec` grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillProcesses;

/// The length from which on a command line is not shown whole.
const LONGEST_LINE: usize = 2048;

fn command_line(capability: &str, terms: &ProgramTerms, program: &Path, args: &[String]) -> String {
    let attributes = terms.attributes().join(", ");
    let attributes = if attributes.is_empty() { attributes } else { format!("({attributes})") };
    let mut line = format!("{capability}{attributes} = {}", path_text(program));
    for arg in args {
        // Nobody reads on, and a refused command line must cost little.
        if line.len() > LONGEST_LINE || arg.len() > LONGEST_LINE {
            line.push_str(" …");
            break;
        }
        line.push(' ');
        line.push_str(&quoted(arg));
    }
    line
}

/// Whether the rule's command line and its terms are these.
fn matches(rule: &GrantRule, program: &Path, args: &[String], terms: &ProgramTerms, names: NameResolution<'_>) -> bool {
    // A line without a user leaves the user to the driver.
    let fits = rule.attributes.allow_user(terms.user.as_deref())
        && rule.attributes.allow_group(terms.group.as_deref())
        && rule.attributes.allow_cwd(terms.cwd.as_deref());
    fits && is_command(rule, program, args, names)
}

/// Whether the rule's command line is this one.
fn is_command(rule: &GrantRule, program: &Path, args: &[String], names: NameResolution<'_>) -> bool {
    rule.pattern::<CommandPattern>().is_some_and(|own| own.matches(program, args, names))
}

impl Operation for RunProgram {
    fn in_directory(&self, cwd: &Path) -> Option<Box<dyn Operation>> {
        let terms = ProgramTerms { cwd: Some(cwd.to_owned()), ..self.terms.clone() };
        Some(Box::new(RunProgram { terms, ..self.clone() }))
    }

    fn with_arguments(&self, args: &[String]) -> Option<Box<dyn Operation>> {
        Some(Box::new(RunProgram { args: args.to_vec(), ..self.clone() }))
    }

    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        command_line(EXEC.name, &self.terms, &self.program, &self.args)
    }
}

impl RuleMatch for RunProgram {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        rule.is(&EXEC) && matches(rule, &self.program, &self.args, &self.terms, names)
    }

    /// As any user and anywhere: a `deny` takes no attributes.
    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        rule.is(&EXEC) && is_command(rule, &self.program, &self.args, names)
    }

    fn may_be_declared_read(&self) -> bool {
        true
    }
}

impl Operation for StartProgram {
    fn in_directory(&self, cwd: &Path) -> Option<Box<dyn Operation>> {
        let terms = ProgramTerms { cwd: Some(cwd.to_owned()), ..self.terms.clone() };
        Some(Box::new(StartProgram { terms, ..self.clone() }))
    }

    fn with_arguments(&self, args: &[String]) -> Option<Box<dyn Operation>> {
        Some(Box::new(StartProgram { args: args.to_vec(), ..self.clone() }))
    }

    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        command_line(SPAWN.name, &self.terms, &self.program, &self.args)
    }
}

impl RuleMatch for StartProgram {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        rule.is(&SPAWN) && matches(rule, &self.program, &self.args, &self.terms, names)
    }

    /// A program that may not be run may not be started to stay either.
    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        is_command(rule, &self.program, &self.args, names)
    }
}

impl Operation for SeeProcesses {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        "spawn = <program>".to_owned()
    }
}

impl RuleMatch for SeeProcesses {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<CommandPattern>().is_some()
    }

    fn is_forbidden_by(&self, _: &GrantRule, _: NameResolution<'_>) -> bool {
        false
    }

    fn shows_attributes(&self) -> bool {
        false
    }
}

impl Operation for KillProcesses {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        "spawn = <program>".to_owned()
    }
}

impl RuleMatch for KillProcesses {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<CommandPattern>().is_some()
    }

    fn is_forbidden_by(&self, _: &GrantRule, _: NameResolution<'_>) -> bool {
        false
    }

    fn shows_attributes(&self) -> bool {
        false
    }
}
