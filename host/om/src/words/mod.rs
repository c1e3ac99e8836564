//! From what an operator types to what [`crate::command`] parses: the name of the program, the place of the selector,
//! options before the action, and the spellings of OpenSVC.
//!
//! Only words move here. What they mean is decided by the parser behind.

mod history;
mod program;
mod spelling;
mod target;
mod value_options;

pub(crate) use history::without_secrets;
pub(crate) use program::ProgramName;
pub(crate) use target::{ObjectQuery, Target};
pub(crate) use value_options::ValueOptions;

use spelling::modern;

/// A command line in the one form that the parser knows.
#[derive(Debug)]
pub(crate) enum CommandLine {
    /// `om driver ls`, `om --help`: words for the parser of subsystems.
    Subsystem(Vec<String>),
    /// `om web start --rid fs`: the objects, and words for the parser of actions.
    Object {
        target: Target,
        /// The action, followed by all of its options.
        words: Vec<String>,
    },
}

/// The names that come first in place of a selector.
const SUBSYSTEMS: [&str; 16] = [
    "driver",
    "node",
    "pool",
    "daemon",
    "events",
    "cluster",
    "mon",
    "monitor",
    "config",
    "exec",
    "completion",
    "man",
    "demo",
    "sim",
    "help",
    "compile-driver",
];

/// The actions of `svcmgr` that are about this node alone: they involve no orchestrator.
const LOCAL_ACTIONS: [&str; 12] = [
    "start",
    "stop",
    "restart",
    "shutdown",
    "startstandby",
    "provision",
    "unprovision",
    "migrate",
    "freeze",
    "thaw",
    "clear",
    "delete",
];

/// Brings a command line into the form that the parser knows. `argv[0]` decides first: `svcmgr -s NAME`, `nodemgr`, or a
/// link named after a service, as OpenSVC had them.
///
/// Fails if the selector cannot be read.
pub(crate) fn normalise(argv: Vec<String>, options: &ValueOptions) -> anyhow::Result<CommandLine> {
    let mut argv = argv.into_iter();
    let program = argv.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words: Vec<String> = argv.collect();
    match program.as_str() {
        "om" | "" => om(words, options),
        "svcmgr" => match take_option(words, &["-s", "--service", "--selector"]) {
            // OpenSVC's svcmgr acted on this node alone.
            (Some(selector), rest) => Ok(local(object(Target::parse(&selector)?, rest, options))),
            // Without -s, the line is read as a line of om.
            (None, rest) => Ok(local(om(rest, options)?)),
        },
        "nodemgr" => Ok(CommandLine::Subsystem(
            std::iter::once("node".to_owned()).chain(modern(action_first(words, options))).collect(),
        )),
        service => Ok(object(Target::parse(service)?, words, options)),
    }
}

/// Adds `--local` to an action that `svcmgr` means for this node alone.
fn local(line: CommandLine) -> CommandLine {
    match line {
        CommandLine::Object { target, mut words } => {
            let is_action = words.first().is_some_and(|action| LOCAL_ACTIONS.contains(&action.as_str()));
            if is_action && !words.iter().any(|word| word == "--cluster" || word == "--local") {
                // Right behind the action: at the end of the line it could fall behind `--`.
                words.insert(1, "--local".to_owned());
            }
            CommandLine::Object { target, words }
        }
        subsystem => subsystem,
    }
}

/// `om [options] WORD …`: the first word that is not an option is a subsystem, a kind of objects or a selector.
fn om(words: Vec<String>, options: &ValueOptions) -> anyhow::Result<CommandLine> {
    let Some(at) = options.first_word(&words) else { return Ok(CommandLine::Subsystem(words)) };
    let (leading, rest) = (&words[..at], &words[at + 1..]);
    let first = words[at].as_str();
    // A subsystem wins over a service of its name, which is still reached as svc/NAME.
    if SUBSYSTEMS.contains(&first) {
        let all = leading.iter().cloned().chain([first.to_owned()]).chain(rest.iter().cloned());
        return Ok(CommandLine::Subsystem(all.collect()));
    }
    // Options before the selector are the action's too, as in `om --quiet web start`.
    let others: Vec<String> = leading.iter().chain(rest).cloned().collect();
    // A kind is tried before a selector: no object may be named like a kind.
    let Some(target) = Target::of_kind(first) else { return Ok(object(Target::parse(first)?, others, options)) };
    // `om svc -s web start`, as OpenSVC had it.
    match take_option(others, &["-s", "--selector"]) {
        (Some(selector), rest) => Ok(object(Target::parse(&selector)?, rest, options)),
        (None, others) => Ok(object(target, others, options)),
    }
}

fn object(target: Target, words: Vec<String>, options: &ValueOptions) -> CommandLine {
    CommandLine::Object { target, words: modern(action_first(words, options)) }
}

/// Moves options that stand before the action behind it: `--rid fs start` becomes `start --rid fs`.
fn action_first(words: Vec<String>, options: &ValueOptions) -> Vec<String> {
    let Some(at) = options.first_word(&words) else { return words };
    // Options of docker and podman look like ours, and must stay where they are.
    if crate::object::engine::is_client(&words[at]) {
        return client_first(words, at);
    }
    let mut moved: Vec<String> = words[at..].to_vec();
    // Behind `--` stands the command that is run inside a container: it must not get our options.
    let end = moved.iter().position(|word| word == "--").unwrap_or(moved.len());
    moved.splice(end..end, words[..at].iter().cloned());
    moved
}

/// The words behind the name of an engine's client belong to the client. Of the options before the name, those that say where
/// to act move directly behind it, and all others stay.
fn client_first(words: Vec<String>, at: usize) -> Vec<String> {
    let (leading, rest) = words.split_at(at);
    let (place, others): (Vec<&String>, Vec<&String>) =
        leading.iter().partition(|word| matches!(word.as_str(), "--cluster" | "--local"));
    others.into_iter().chain(&rest[..1]).chain(place).chain(&rest[1..]).cloned().collect()
}

/// Takes `-s VALUE` or `--service=VALUE` out of the words.
fn take_option(mut words: Vec<String>, names: &[&str]) -> (Option<String>, Vec<String>) {
    for at in 0..words.len() {
        if let Some((name, value)) = words[at].split_once('=')
            && names.contains(&name)
        {
            let value = value.to_owned();
            words.remove(at);
            return (Some(value), words);
        }
        // An option without its value stays where it is, so that the parser can complain about it.
        if names.contains(&words[at].as_str()) && at + 1 < words.len() {
            let value = words.remove(at + 1);
            words.remove(at);
            return (Some(value), words);
        }
    }
    (None, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::ObjectLine;
    use clap::CommandFactory;

    fn check(line: &str, expected: &str) {
        let options = ValueOptions::of(ObjectLine::command);
        let argv = line.split_whitespace().map(str::to_owned).collect();
        let normalised = match normalise(argv, &options).unwrap() {
            CommandLine::Subsystem(words) => format!("om {}", words.join(" ")),
            CommandLine::Object { target, words } => format!("[{target}] {}", words.join(" ")),
        };
        assert_eq!(normalised, expected, "{line}");
    }

    #[test]
    fn the_first_word_is_a_subsystem_or_a_selector() {
        check("om driver ls", "om driver ls");
        check("om --help", "om --help");
        check("om web start", "[web] start");
        check("om ns1/svc/web1 ls", "[ns1/svc/web1] ls");
        check("om - print status", "[-] print status");
        check("om svc -s web start", "[web] start");
        check("om sec ls", "[*/sec/*] ls");
        check("om all ls", "[**] ls");
    }

    #[test]
    fn options_before_the_action_move_behind_it() {
        check("om svc1 --rid fs start", "[svc1] start --rid fs");
        check("om svc1 --rid=fs start --force", "[svc1] start --force --rid=fs");
        check("om svc1 --dry-run stop", "[svc1] stop --dry-run");
        check("svcmgr -s spdsvc01 --cluster provision", "[spdsvc01] provision --cluster");
        check("om svc1 --local run -- a", "[svc1] run --local -- a");
        check("svcmgr -s s --cluster docker rm -f %instances%", "[s] docker --cluster rm -f %instances%");
        check("om --root /x s docker ps", "[s] --root /x docker ps");
    }

    #[test]
    fn argv0_names_the_program() {
        check("/usr/bin/svcmgr -s spdsvc01 stop --tags pod08", "[spdsvc01] stop --local --tags pod08");
        check("mysvc1.opensvc.com start --local", "[mysvc1.opensvc.com] start --local");
        check("svcmgr -s web migrate --to n2", "[web] migrate --local --to n2");
        check("svcmgr -s web print status", "[web] print status");
        check("svcmgr -s web --local start", "[web] start --local");
        check("svcmgr -s web json status", "[web] print status --format json");
        check("svcmgr -s web json_config", "[web] print config --format json");
        check("nodemgr set --param a --value b", "om node set --param a --value b");
    }

    #[test]
    fn old_spellings_become_new_ones() {
        check("svcmgr -s s stopcontainer --tags sm", "[s] stop --local --tags sm --within container");
        check("om s startfs", "[s] start --within disk,fs");
        check("om s unfreeze", "[s] thaw");
        check("om s startstandby", "[s] startstandby");
    }
}
