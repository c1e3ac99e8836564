//! `om completion SHELL`: scripts that ask `om` itself at every Tab, so that they know the objects too.

mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::command::{GlobalArgs, ObjectLine, OmLine};
use crate::exit::Outcome;
use crate::session::Session;
use crate::terminal::{print, print_bytes};
use crate::words::{CommandLine, Target, ValueOptions, normalise};
use values::ValueKind;

const BASH: &str = r#"_om() {
    mapfile -t COMPREPLY < <(om completion bash --at "$COMP_CWORD" -- "${COMP_WORDS[@]}" 2>/dev/null)
}
complete -o default -F _om om svcmgr nodemgr
"#;

const ZSH: &str = r#"#compdef om svcmgr nodemgr
_om() {
    local -a found
    found=("${(@f)$(om completion zsh --at $((CURRENT - 1)) -- "${words[@]}" 2>/dev/null)}")
    compadd -- $found
}
compdef _om om svcmgr nodemgr
"#;

const FISH: &str = "function __om
    set -l words (commandline -opc) (commandline -ct)
    om completion fish --at (math (count $words) - 1) -- $words 2>/dev/null
end
for name in om svcmgr nodemgr
    complete -c $name -f -a '(__om)'
end
";

/// Prints the script of a shell.
pub(crate) fn script(shell: Shell) -> Outcome {
    match shell {
        Shell::Bash => print(BASH),
        Shell::Zsh => print(ZSH),
        Shell::Fish => print(FISH),
        // For Elvish and PowerShell there is only clap's static script, which cannot ask for objects.
        other => {
            let mut script = Vec::new();
            clap_complete::generate(other, &mut OmLine::command(), "om", &mut script);
            print_bytes(&script);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what the word at `at` could be, a candidate a line.
pub(crate) fn candidates(global: &GlobalArgs, shell: Shell, at: usize, words: &[String]) -> Outcome {
    // Opened only where names are needed, and never an error: a message would appear in the middle of the prompt.
    let open = || Session::open(global.clone(), String::new()).ok();
    let objects = || open().and_then(|session| objects(&session)).unwrap_or_default();
    let found = match value(at, words) {
        Some(asked) => open().map(|session| asked.candidates(&session)).unwrap_or_default(),
        None => complete(at, words, objects)?,
    };
    // A line break would make two candidates of one, and other control characters would reach the terminal.
    let fits = found.iter().filter(|candidate| !candidate.chars().any(char::is_control));
    print(&fits.map(|candidate| format!("{}\n", typed_in(shell, candidate))).collect::<String>());
    Ok(ExitCode::SUCCESS)
}

/// A candidate as it is to be typed. Bash puts it on the line as it is, and would run what `$(…)` in the name of a key says; the other
/// shells quote it themselves.
fn typed_in(shell: Shell, candidate: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_@%+=:,./#-".contains(c);
    match shell {
        Shell::Bash => candidate.chars().fold(String::new(), |mut typed, c| {
            typed.extend((!is_plain(c)).then_some('\\'));
            typed.push(c);
            typed
        }),
        _ => candidate.to_owned(),
    }
}

/// The value of an option, or an argument, that is being typed.
#[derive(Debug)]
struct ValueRequest {
    value: ValueKind,
    /// The objects whose values may stand here.
    target: Option<Target>,
    /// The text before the part that is being typed: `--rid=`, `fs#1,`.
    before: String,
    typed: String,
}

impl ValueRequest {
    fn candidates(&self, session: &Session) -> Vec<String> {
        let selected = self.target.as_ref().and_then(|target| session.select(target).ok()).unwrap_or_default();
        let all = self.value.all(session, &selected).into_iter().filter(|word| word.starts_with(&self.typed));
        all.map(|word| format!("{}{word}", self.before)).collect()
    }
}

/// The value that is being typed, if it is one whose names only the agent knows.
fn value(at: usize, words: &[String]) -> Option<ValueRequest> {
    let (before, typed) = (words.get(..at).unwrap_or(words), words.get(at).cloned().unwrap_or_default());
    // The word before comes first: behind `--kw`, a word that contains `=` is a value and not an option.
    let option = before.last().and_then(|option| ValueKind::of_option(option)).map(|value| (value, String::new()));
    let joined = || {
        let (option, _) = typed.split_once('=')?;
        Some((ValueKind::of_option(option)?, format!("{option}=")))
    };
    // Read like a whole line, so that `svcmgr -s web` and options before the action name their object too.
    let line = normalise(before.to_vec(), &ValueOptions::of(ObjectLine::command)).ok()?;
    let (target, argument) = match line {
        CommandLine::Object { target, .. } => (Some(target), None),
        CommandLine::Subsystem(words) => (None, ValueKind::of_argument(&words).filter(|_| !typed.starts_with('-'))),
    };
    let (value, option) = option.or_else(joined).or(argument.map(|value| (value, String::new())))?;
    let rest = &typed[option.len()..];
    // Only the last name of a list is completed, but the shell replaces the whole word: the rest is given back.
    let from = rest.rfind(value.separators()).map_or(0, |last| last + 1);
    Some(ValueRequest { value, target, before: format!("{option}{}", &rest[..from]), typed: rest[from..].to_owned() })
}

/// The kinds of words that may follow.
enum ExpectedWord {
    /// The name of an object, or of a subsystem.
    First { subsystems: bool },
    /// A word that the parser of `command` accepts after these words.
    Parsed { command: Box<Command>, before: Vec<String> },
}

fn complete(at: usize, words: &[String], objects: impl Fn() -> Vec<String>) -> anyhow::Result<Vec<String>> {
    let typed = words.get(at).cloned().unwrap_or_default();
    let (command, before) = match expected(words.get(..at).unwrap_or(words)) {
        ExpectedWord::First { subsystems } if !typed.starts_with('-') => {
            let om = OmLine::command();
            let names = om.get_subcommands().filter(|command| subsystems && !command.is_hide_set());
            let all = names
                .map(|command| command.get_name().to_owned())
                .chain(objects())
                .filter(|name| name.starts_with(&typed));
            return Ok(all.collect());
        }
        // A dash begins an option, and only the parser knows the options.
        ExpectedWord::First { .. } => (OmLine::command(), Vec::new()),
        ExpectedWord::Parsed { command, before } => (*command, before),
    };
    let names = subcommands(&command, &before, &typed);
    let mut line: Vec<OsString> = std::iter::once("om".to_owned()).chain(before).map(OsString::from).collect();
    line.push(typed.into());
    let (at, mut command) = (line.len() - 1, command.bin_name("om"));
    let found = clap_complete::engine::complete(&mut command, line, at, None).context("cannot complete")?;
    let found = found.into_iter().filter(|c| !c.is_hide_set()).map(|c| c.get_value().to_string_lossy().into_owned());
    let mut found: Vec<String> = found.collect();
    // The engine lists only one name of a command that has several.
    found.extend(names.into_iter().filter(|name| !found.contains(name)).collect::<Vec<_>>());
    Ok(found)
}

/// The commands that may stand here, by all of their names.
fn subcommands(command: &Command, before: &[String], typed: &str) -> Vec<String> {
    let mut at = command;
    for word in before.iter().filter(|word| !word.starts_with('-')) {
        match at.find_subcommand(word) {
            Some(below) => at = below,
            // An argument, or the value of an option: from here on only the engine knows what may follow.
            None => return Vec::new(),
        }
    }
    let names = at.get_subcommands().filter(|command| !command.is_hide_set()).flat_map(|command| {
        std::iter::once(command.get_name()).chain(command.get_visible_aliases()).map(str::to_owned).collect::<Vec<_>>()
    });
    names.filter(|name| name.starts_with(typed)).collect()
}

/// The words that may follow these, argv[0] included. They are read in the same way as a whole line.
fn expected(before: &[String]) -> ExpectedWord {
    let [program, rest @ ..] = before else { return ExpectedWord::First { subsystems: true } };
    // Behind `svcmgr -s` stands a selector, which is never a subsystem.
    let service_manager = program.ends_with("svcmgr");
    if service_manager && rest.last().is_some_and(|last| matches!(last.as_str(), "-s" | "--service" | "--selector")) {
        return ExpectedWord::First { subsystems: false };
    }
    let options = ValueOptions::of(ObjectLine::command);
    match normalise(before.to_vec(), &options) {
        // Only options so far, such as `om --quiet`: an object may follow as well as a subsystem.
        Ok(CommandLine::Subsystem(words)) if words.iter().all(|word| word.starts_with('-')) && !service_manager => {
            ExpectedWord::First { subsystems: true }
        }
        Ok(CommandLine::Subsystem(words)) => ExpectedWord::Parsed { command: OmLine::command().into(), before: words },
        Ok(CommandLine::Object { words, .. }) => {
            ExpectedWord::Parsed { command: ObjectLine::command().into(), before: words }
        }
        // The selector is not finished yet, or cannot be read: the action after it is the same.
        Err(_) => ExpectedWord::Parsed { command: ObjectLine::command().into(), before: Vec::new() },
    }
}

fn objects(session: &Session) -> Option<Vec<String>> {
    // Not `*`, which selects only services.
    Some(session.select(&Target::parse("**").ok()?).ok()?.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::NameKind;

    fn check(line: &str, some: &[&str], none: &[&str]) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let found = complete(words.len() - 1, &words, || vec!["web".to_owned(), "ns1/svc/db".to_owned()]).unwrap();
        for expected in some {
            assert!(found.iter().any(|word| word == expected), "{line}: no {expected} in {found:?}");
        }
        for unexpected in none {
            assert!(!found.iter().any(|word| word == unexpected), "{line}: {unexpected} in {found:?}");
        }
    }

    #[test]
    fn the_first_word_is_a_subsystem_or_an_object() {
        check("om ", &["driver", "web", "ns1/svc/db"], &["start"]);
        check("om w", &["web"], &["driver"]);
        check("svcmgr -s ", &["web"], &["driver"]);
    }

    #[test]
    fn words_behind_a_subsystem_or_an_object_are_those_of_its_parser() {
        check("om driver ", &["ls", "list", "inspect"], &["web", "start"]);
        check("om daemon st", &["start", "stop", "status"], &["web"]);
        check("om events --", &["--filter", "--wait", "--replay"], &["--rid"]);
        check("om web s", &["start", "switch"], &["daemon"]);
        check("om web l", &["ls", "list", "logs"], &["start"]);
        check("om web instance ", &["ls", "start"], &[]);
        check("om web st", &["start", "stop", "status"], &["driver"]);
        check("om web start --dry", &["--dry-run"], &[]);
        check("om web print ", &["status", "config"], &[]);
        check("svcmgr -s web st", &["start", "stop"], &[]);
        check("nodemgr s", &["set"], &["start"]);
    }

    #[test]
    fn values_are_those_of_the_object_and_the_last_of_a_list_is_completed() {
        let asked =
            |line: &str| value(line.split(' ').count() - 1, &line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let check = |line: &str, expected: ValueKind, selector: Option<&str>, before: &str, typed: &str| {
            let found = asked(line).unwrap_or_else(|| panic!("{line}: nothing to complete"));
            let target = found.target.map(|target| target.to_string());
            assert_eq!((found.value, target.as_deref()), (expected, selector), "{line}");
            assert_eq!((found.before.as_str(), found.typed.as_str()), (before, typed), "{line}");
        };
        check("om web start --rid ", ValueKind::Named(NameKind::Resource), Some("web"), "", "");
        check("om web start --rid fs#1,ap", ValueKind::Named(NameKind::Resource), Some("web"), "fs#1,", "ap");
        check("om web stop --rid=!f", ValueKind::Named(NameKind::Resource), Some("web"), "--rid=!", "f");
        check("om web start --tags a+b", ValueKind::Named(NameKind::Tag), Some("web"), "a+", "b");
        check("om web set --kw fs#1.", ValueKind::Named(NameKind::Keyword), Some("web"), "", "fs#1.");
        check("om driver inspect fs", ValueKind::Driver, None, "", "fs");
        check("om driver audit --driver fs", ValueKind::Driver, None, "", "fs");
        check("om sec/db decode --key pa", ValueKind::Named(NameKind::Key), Some("sec/db"), "", "pa");
        assert!(asked("om web st").is_none());
        assert!(asked("om driver inspect --f").is_none());
    }
}
