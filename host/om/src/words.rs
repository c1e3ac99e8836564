//! From what hands type to what [`super::command`] parses: argv[0], the place of the selector, options before the
//! action, and the spellings of the ancestors.
//!
//! Only words move here. What they mean is decided by the parser behind.

use std::collections::BTreeSet;

/// A command line in the one form that the parser knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// `om driver ls`, `om --help`: words for the parser of subsystems.
    Subsystem(Vec<String>),
    /// `om web start --rid fs`: a selector, and words for the parser of actions.
    Object {
        /// Which objects.
        selector: String,
        /// The action, and behind it all its options.
        words: Vec<String>,
    },
}

/// The names that come first in place of a selector.
pub(crate) const SUBSYSTEMS: [&str; 14] = [
    "driver",
    "node",
    "daemon",
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

/// By which name the program was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// `om`, or a link named after a service.
    Om,
    /// As the ancestors' program for objects.
    Svcmgr,
    /// As the ancestors' program for the node.
    Nodemgr,
}

impl Program {
    pub(crate) fn of(argv: &[String]) -> Program {
        match argv.first().and_then(|program| program.rsplit('/').next()) {
            Some("svcmgr") => Program::Svcmgr,
            Some("nodemgr") => Program::Nodemgr,
            _ => Program::Om,
        }
    }

    /// A usage of `om`, as whoever typed this program's name knows it.
    pub(crate) fn name_in(self, usage: &str) -> String {
        match self {
            Program::Om => usage.to_owned(),
            Program::Svcmgr => usage.replace("om <SELECTOR>", "svcmgr -s <SELECTOR>"),
            Program::Nodemgr => usage.replace("om node", "nodemgr"),
        }
    }
}

/// Options that take a value, wherever they stand. The parser's own definitions are asked, so that none is forgotten.
pub(crate) struct ValueOptions(BTreeSet<String>);

impl ValueOptions {
    /// Those of a command and of all below it.
    pub(crate) fn of(command: &clap::Command) -> ValueOptions {
        let mut names = BTreeSet::new();
        collect(command, &mut names);
        ValueOptions(names)
    }

    /// Whether the next word belongs to this one.
    fn takes_next(&self, word: &str) -> bool {
        !word.contains('=') && self.0.contains(word)
    }
}

fn collect(command: &clap::Command, names: &mut BTreeSet<String>) {
    for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values() && !arg.is_positional()) {
        names.extend(arg.get_short_and_visible_aliases().into_iter().flatten().map(|c| format!("-{c}")));
        names.extend(arg.get_long_and_visible_aliases().into_iter().flatten().map(|name| format!("--{name}")));
        names.extend(arg.get_all_aliases().into_iter().flatten().map(|name| format!("--{name}")));
    }
    command.get_subcommands().for_each(|sub| collect(sub, names));
}

/// Finds out what is meant by a command line. `argv[0]` decides first: `svcmgr -s NAME`, `nodemgr`, or a link named after
/// a service, as the ancestors had them.
pub(crate) fn lower(argv: Vec<String>, options: &ValueOptions) -> Line {
    let mut argv = argv.into_iter();
    let program = argv.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words: Vec<String> = argv.collect();
    match program.as_str() {
        "om" | "" => om(words, options),
        "svcmgr" => match take_option(words, &["-s", "--service", "--selector"]) {
            (Some(selector), rest) => here(object(selector, rest, options)),
            (None, rest) => here(om(rest, options)),
        },
        "nodemgr" => {
            Line::Subsystem(std::iter::once("node".to_owned()).chain(rename(rest_first(words, options))).collect())
        }
        service => object(service.to_owned(), words, options),
    }
}

/// Actions of which `svcmgr` meant this node's part: no orchestrator hears of them.
const HERE: [&str; 12] = [
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

fn here(line: Line) -> Line {
    match line {
        Line::Object { selector, mut words } => {
            let is_action = words.first().is_some_and(|action| HERE.contains(&action.as_str()));
            if is_action && !words.iter().any(|word| word == "--cluster" || word == "--local") {
                words.insert(1, "--local".to_owned());
            }
            Line::Object { selector, words }
        }
        subsystem => subsystem,
    }
}

/// `om [options] WORD …`: the first word that is no option says which form it is.
fn om(words: Vec<String>, options: &ValueOptions) -> Line {
    let Some(at) = first_word(&words, options) else { return Line::Subsystem(words) };
    let (leading, rest) = (&words[..at], &words[at + 1..]);
    let first = words[at].clone();
    if SUBSYSTEMS.contains(&first.as_str()) {
        return Line::Subsystem(leading.iter().cloned().chain([first]).chain(rest.iter().cloned()).collect());
    }
    let is_kind = matches!(first.as_str(), "svc" | "vol" | "cfg" | "sec" | "usr" | "nscfg" | "ccfg" | "all");
    let words: Vec<String> = leading.iter().chain(rest).cloned().collect();
    if is_kind {
        let named = words.clone();
        if let (Some(selector), rest) = take_option(named, &["-s", "--selector"]) {
            return object(selector, rest, options);
        }
        let selector = if first == "all" { "**".to_owned() } else { format!("*/{first}/*") };
        return object(selector, words, options);
    }
    object(first, words, options)
}

fn object(selector: String, words: Vec<String>, options: &ValueOptions) -> Line {
    Line::Object { selector, words: rename(rest_first(words, options)) }
}

/// Moves options that stand before the action behind it: `--rid fs start` becomes `start --rid fs`.
fn rest_first(words: Vec<String>, options: &ValueOptions) -> Vec<String> {
    let Some(at) = first_word(&words, options) else { return words };
    if super::engine::is_client(&words[at]) {
        return client_first(words, at);
    }
    let mut moved: Vec<String> = words[at..].to_vec();
    let end = moved.iter().position(|word| word == "--").unwrap_or(moved.len());
    moved.splice(end..end, words[..at].iter().cloned());
    moved
}

/// What stands behind the name of an engine's client is the client's: of the options before it, those that say where to act
/// come right behind it, and all others stay.
fn client_first(words: Vec<String>, at: usize) -> Vec<String> {
    let (leading, rest) = words.split_at(at);
    let (place, others): (Vec<&String>, Vec<&String>) =
        leading.iter().partition(|word| matches!(word.as_str(), "--cluster" | "--local"));
    others.into_iter().chain(&rest[..1]).chain(place).chain(&rest[1..]).cloned().collect()
}

/// Where the first word stands that is neither an option nor an option's value.
fn first_word(words: &[String], options: &ValueOptions) -> Option<usize> {
    let mut at = 0;
    while at < words.len() {
        match words[at].as_str() {
            "-" => return Some(at),
            "--" => return None,
            word if options.takes_next(word) => at += 2,
            word if word.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
    None
}

/// The command as it was typed, for logs: values whose names say that they are secret are `***`.
pub(crate) fn as_typed(argv: &[String]) -> String {
    let (param, _) = take_option(argv.to_vec(), &["--param"]);
    let (key, _) = take_option(argv.to_vec(), &["--key"]);
    // What a store holds is nobody's to read, whatever it is called.
    let hide_param = key.is_some() || param.as_deref().is_some_and(is_secret);
    let before = std::iter::once("").chain(argv.iter().map(String::as_str));
    let shown = argv.iter().zip(before).map(|(word, before)| match (before, word.split_once('=')) {
        ("-e" | "--env" | "--kw", _) => hide_value(word),
        ("--value", _) if hide_param => HIDDEN.to_owned(),
        (_, Some(("--value", _))) if hide_param => format!("--value={HIDDEN}"),
        (_, Some((option @ ("-e" | "--env" | "--kw"), pair))) => format!("{option}={}", hide_value(pair)),
        _ => match word.strip_prefix("-e").filter(|_| !word.starts_with("-e=")) {
            Some(pair) => format!("-e{}", hide_value(pair)),
            None => word.clone(),
        },
    });
    shown.collect::<Vec<_>>().join(" ")
}

const HIDDEN: &str = "***";

/// `NAME=VALUE` without the value, if the name says that it is secret.
fn hide_value(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["password", "secret", "token", "key"].iter().any(|word| name.contains(word))
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
        if names.contains(&words[at].as_str()) && at + 1 < words.len() {
            let value = words.remove(at + 1);
            words.remove(at);
            return (Some(value), words);
        }
    }
    (None, words)
}

/// Old spellings of an action, and the groups that some of them stand for: `startfs` is `start --within disk,fs`.
fn rename(mut words: Vec<String>) -> Vec<String> {
    let Some(action) = words.first().cloned() else { return words };
    let plain: Option<&[&str]> = match action.as_str() {
        "unfreeze" => Some(&["thaw"]),
        "edit_config" => Some(&["edit"]),
        "validate_config" => Some(&["validate"]),
        "print_config" => Some(&["print", "config"]),
        "print_status" => Some(&["print", "status"]),
        "syncall" => Some(&["sync", "all"]),
        "syncnodes" => Some(&["sync", "nodes"]),
        "syncdrp" => Some(&["sync", "drp"]),
        "syncupdate" => Some(&["sync", "update"]),
        "syncfullsync" | "syncfull" => Some(&["sync", "full"]),
        "syncresync" => Some(&["sync", "resync"]),
        "syncverify" => Some(&["sync", "verify"]),
        "syncsplit" => Some(&["sync", "split"]),
        _ => None,
    };
    if let Some(new) = plain {
        words.splice(0..1, new.iter().map(|word| (*word).to_owned()));
        return words;
    }
    if let Some((verb, groups)) = group_action(&action) {
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        words.splice(end..end, ["--within".to_owned(), groups.to_owned()]);
        words[0] = verb.to_owned();
    }
    words
}

/// `startip`, `stopcontainer`, …: an action limited to groups. The ancestors' `startfs` took the disks along.
fn group_action(action: &str) -> Option<(&'static str, &'static str)> {
    let (verb, group) =
        [("start", "start"), ("stop", "stop"), ("provision", "provision"), ("unprovision", "unprovision")]
            .into_iter()
            .find_map(|(prefix, verb)| action.strip_prefix(prefix).map(|group| (verb, group)))?;
    let groups = match group {
        "ip" => "ip",
        "disk" => "disk",
        "fs" => "disk,fs",
        "share" => "share",
        "container" => "container",
        "app" => "app",
        _ => return None,
    };
    Some((verb, groups))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn check(line: &str, expected: &str) {
        let options = ValueOptions::of(&super::super::command::ObjectLine::command());
        let argv = line.split_whitespace().map(str::to_owned).collect();
        let lowered = match lower(argv, &options) {
            Line::Subsystem(words) => format!("om {}", words.join(" ")),
            Line::Object { selector, words } => format!("[{selector}] {}", words.join(" ")),
        };
        assert_eq!(lowered, expected, "{line}");
    }

    #[test]
    fn the_first_word_is_a_subsystem_or_a_selector() {
        check("om driver ls", "om driver ls");
        check("om --help", "om --help");
        check("om web start", "[web] start");
        check("om ns1/svc/web1 ls", "[ns1/svc/web1] ls");
        check("om - print status", "[-] print status");
        check("om svc -s web start", "[web] start");
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
    fn what_is_logged_has_no_secrets() {
        let check = |line: &str, expected: &str| {
            let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(as_typed(&argv), expected);
        };
        check("om web start -e A=1 -e DB_PASSWORD=x", "om web start -e A=1 -e DB_PASSWORD=***");
        check("om web start --env=API_TOKEN=x=y -eKEY=z", "om web start --env=API_TOKEN=*** -eKEY=***");
        check("om web set --kw env.secret=s --kw app=key", "om web set --kw env.secret=*** --kw app=key");
        check("om web set --param env.token --value t", "om web set --param env.token --value ***");
        check("om sec/db add --key pin --value 1", "om sec/db add --key pin --value ***");
        check("om sec/db add --value=1 --key=pin", "om sec/db add --value=*** --key=pin");
        check("om web set --param app --value t", "om web set --param app --value t");
        check("om web set --value=t --param app", "om web set --value=t --param app");
        check("om web set --value t --param=env.key", "om web set --value *** --param=env.key");
    }

    #[test]
    fn argv0_names_the_program() {
        check("/usr/bin/svcmgr -s spdsvc01 stop --tags pod08", "[spdsvc01] stop --local --tags pod08");
        check("mysvc1.opensvc.com start --local", "[mysvc1.opensvc.com] start --local");
        check("svcmgr -s web migrate --to n2", "[web] migrate --local --to n2");
        check("svcmgr -s web print status", "[web] print status");
        check("svcmgr -s web --local start", "[web] start --local");
        check("nodemgr set --param a --value b", "om node set --param a --value b");
    }

    #[test]
    fn a_usage_speaks_of_the_program_that_was_typed() {
        let check = |program: &str, usage: &str, expected: &str| {
            assert_eq!(Program::of(&[program.to_owned()]).name_in(usage), expected);
        };
        check("/usr/bin/svcmgr", "Usage: om <SELECTOR> start [OPTIONS]", "Usage: svcmgr -s <SELECTOR> start [OPTIONS]");
        check("nodemgr", "Usage: om node set [OPTIONS]", "Usage: nodemgr set [OPTIONS]");
        check("om", "Usage: om node set [OPTIONS]", "Usage: om node set [OPTIONS]");
    }

    #[test]
    fn old_spellings_become_new_ones() {
        check("svcmgr -s s stopcontainer --tags sm", "[s] stop --local --tags sm --within container");
        check("om s startfs", "[s] start --within disk,fs");
        check("om s unfreeze", "[s] thaw");
        check("om s startstandby", "[s] startstandby");
    }
}
