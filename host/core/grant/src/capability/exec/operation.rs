//! The operations on programs and processes, and the lines that allow and forbid them.

use std::path::{Path, PathBuf};

use super::pattern::CommandPattern;
use super::template::{EXEC, SPAWN};
use crate::capability::files::path_text;
use crate::line::address::NameResolution;
use crate::line::rule::GrantRule;
use crate::line::token::quoted;
use crate::operation::{Access, Operation, RuleMatch};

/// Run a program and wait for it. Grant `exec`; with `exec(read)` also in status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunProgram {
    /// Absolute.
    pub program: PathBuf,
    /// Without the program's name.
    pub args: Vec<String>,
    /// The user to run as, if the driver named one.
    pub user: Option<String>,
}

/// Start a program that outlives the call. Grant `spawn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartProgram {
    /// Absolute.
    pub program: PathBuf,
    /// Without the program's name.
    pub args: Vec<String>,
    /// The user to run as, if the driver named one.
    pub user: Option<String>,
}

/// See the resource's own processes. Any `spawn` or `exec` grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeProcesses;

/// Kill the resource's own processes. Any `spawn` or `exec` grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillProcesses;

/// The length from which on a command line is not shown whole.
const LONGEST_LINE: usize = 2048;

fn command_line(capability: &str, program: &Path, args: &[String]) -> String {
    let mut line = format!("{capability} = {}", path_text(program));
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

/// Whether the rule's command line and its user are these.
fn matches(rule: &GrantRule, program: &Path, args: &[String], user: Option<&str>, names: NameResolution<'_>) -> bool {
    // A line without a user leaves the user to the driver.
    let own = rule.pattern::<CommandPattern>().filter(|_| rule.attributes.allow_user(user));
    own.is_some_and(|own| own.matches(program, args, names))
}

impl Operation for RunProgram {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        command_line(EXEC.name, &self.program, &self.args)
    }
}

impl RuleMatch for RunProgram {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        rule.is(&EXEC) && matches(rule, &self.program, &self.args, self.user.as_deref(), names)
    }

    fn may_be_declared_read(&self) -> bool {
        true
    }
}

impl Operation for StartProgram {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        command_line(SPAWN.name, &self.program, &self.args)
    }
}

impl RuleMatch for StartProgram {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        rule.is(&SPAWN) && matches(rule, &self.program, &self.args, self.user.as_deref(), names)
    }

    /// A program that may not be run may not be started to stay either.
    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        matches(rule, &self.program, &self.args, self.user.as_deref(), names)
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
