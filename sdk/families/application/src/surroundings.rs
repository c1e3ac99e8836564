//! The settings of the commands in a configuration: directory, user, environment and limits.

use std::path::PathBuf;
use std::time::Duration;

use hostler_sdk::{Command, Error, Keywords, Mode, Problem, Result, Size};

use crate::StoreVariables;

/// The settings with which the commands of a configuration are run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Keywords)]
pub struct CommandSettings {
    /// The directory in which the commands run. The default is `/`.
    #[keyword(example = "/srv/{fqdn}")]
    pub cwd: Option<PathBuf>,
    /// The user that the commands run as.
    #[keyword(example = "www-data")]
    pub user: Option<String>,
    /// The group that the commands run as. The default is the user's group.
    #[keyword(example = "www-data")]
    pub group: Option<String>,
    /// The file mode creation mask. The default is 022.
    #[keyword(example = "027")]
    pub umask: Option<Mode>,
    /// Environment variables, in addition to `PATH`, `LANG`, the `HOME`, `USER`, `LOGNAME` and `SHELL` of the user, and the `HOSTLER_*`
    /// and `OPENSVC_*` names.
    #[keyword(kind = "words", example = "CONFIG=/etc/web.conf VERBOSE=1")]
    pub environment: Vec<String>,
    /// Environment variables from data stores.
    #[keyword(flatten)]
    pub stores: StoreVariables,
    /// The maximum address space of a process.
    #[keyword(alias = "limit_vmem", example = "2g")]
    pub limit_as: Option<Size>,
    /// The maximum size of a core file.
    #[keyword(example = "0")]
    pub limit_core: Option<Size>,
    /// The maximum processor time.
    #[keyword(example = "30s")]
    pub limit_cpu: Option<Duration>,
    /// The maximum data segment of a process.
    #[keyword(example = "128m")]
    pub limit_data: Option<Size>,
    /// The maximum size of a file that is written.
    #[keyword(example = "1g")]
    pub limit_fsize: Option<Size>,
    /// The maximum memory that may be locked.
    #[keyword(example = "64m")]
    pub limit_memlock: Option<Size>,
    /// The maximum number of open files.
    #[keyword(example = "1024")]
    pub limit_nofile: Option<u64>,
    /// The maximum number of processes of the user.
    #[keyword(example = "200")]
    pub limit_nproc: Option<u64>,
    /// The maximum resident set of a process.
    #[keyword(example = "512m")]
    pub limit_rss: Option<Size>,
    /// The maximum stack of a process.
    #[keyword(example = "8m")]
    pub limit_stack: Option<Size>,
}

impl CommandSettings {
    /// The problem with the keywords, if there is one.
    pub fn problems(&self) -> Option<Problem> {
        // The host has checked the names of those from stores, see `KeyReference`.
        let wrong = self.environment.iter().find_map(|variable| variable_of(variable).err())?;
        Some(Problem::new("environment", wrong))
    }

    /// Applies the settings to a command.
    pub fn apply(&self, mut command: Command) -> Result<Command> {
        if let Some(cwd) = &self.cwd {
            command = command.cwd(cwd);
        }
        if let Some(user) = &self.user {
            command = command.user(user);
        }
        if let Some(group) = &self.group {
            command = command.group(group);
        }
        // The stores come last, because the last variable of a name counts.
        for variable in self.environment.iter().chain(self.stores.all()) {
            let (name, value) = variable_of(variable)?;
            command = command.env(name, value);
        }
        if let Some(umask) = self.umask {
            // The name of a setting is the word of the contract, see wit/process.wit.
            command = command.setting("umask", umask.to_string());
        }
        for (name, value) in self.limits() {
            if let Some(value) = value {
                command = command.setting(name, value.to_string());
            }
        }
        Ok(command)
    }

    fn limits(&self) -> [(&'static str, Option<u64>); 10] {
        [
            ("limit.as", self.limit_as.map(Size::as_bytes)),
            ("limit.core", self.limit_core.map(Size::as_bytes)),
            // In whole seconds, see getrlimit(2).
            ("limit.cpu", self.limit_cpu.map(|limit| limit.as_secs())),
            ("limit.data", self.limit_data.map(Size::as_bytes)),
            ("limit.fsize", self.limit_fsize.map(Size::as_bytes)),
            ("limit.memlock", self.limit_memlock.map(Size::as_bytes)),
            ("limit.nofile", self.limit_nofile),
            ("limit.nproc", self.limit_nproc),
            ("limit.rss", self.limit_rss.map(Size::as_bytes)),
            ("limit.stack", self.limit_stack.map(Size::as_bytes)),
        ]
    }
}

/// The name and the value of a variable.
fn variable_of(word: &str) -> Result<(&str, &str)> {
    let wrong = |why: &str| Error::invalid_config(format!("environment holds {word:?}: {why}"));
    let (name, value) = word
        .split_once('=')
        .ok_or_else(|| wrong("expected NAME=VALUE, and quotes around the whole of it where the value has blanks"))?;
    let begins = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    // execve(2) would pass on any other name as well, and no shell could read it.
    if !begins || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Err(wrong("expected a name of letters, digits and _ before the ="));
    }
    if name.starts_with("HOSTLER_") || name.starts_with("OPENSVC_") {
        return Err(wrong("the agent sets the variables that begin with HOSTLER_ and OPENSVC_"));
    }
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_stores_count_and_of_those_the_secrets() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let stores = StoreVariables { configs_environment: words("B=2 C=2"), secrets_environment: words("C=3") };
        let surroundings = CommandSettings { environment: words("A=1 B=1 C=1"), stores, ..CommandSettings::default() };
        let command = surroundings.apply(Command::new("/bin/true")).unwrap();
        let in_order = [("A", "1"), ("B", "1"), ("C", "1"), ("B", "2"), ("C", "2"), ("C", "3")];
        let expected =
            in_order.iter().fold(Command::new("/bin/true"), |command, (name, value)| command.env(name, value));
        assert_eq!(command, expected);
    }

    #[test]
    fn a_variable_without_a_value_is_an_error() {
        let surroundings = CommandSettings { environment: vec!["A".to_owned()], ..CommandSettings::default() };
        assert!(surroundings.apply(Command::new("/bin/true")).is_err());
    }

    #[test]
    fn a_variable_that_cannot_be_set_is_found_before_the_start() {
        let check = |word: &str, expected: bool| {
            let settings = CommandSettings { environment: vec![word.to_owned()], ..CommandSettings::default() };
            assert_eq!(settings.problems().is_none(), expected, "{word}");
        };
        for word in ["A=1", "_=", "a1=b=c", "PATH_INFO=x y"] {
            check(word, true);
        }
        for word in ["B", "=1", "1A=2", "A-B=3", "HOSTLER_ID=web", "OPENSVC_RID=x"] {
            check(word, false);
        }
    }
}
