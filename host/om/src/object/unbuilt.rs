//! Actions of OpenSVC that this version does not have yet, as opposed to typing mistakes.

use clap::CommandFactory;
use config::nearest;

use crate::command::ObjectLine;
use crate::exit::Failure;
use crate::words::Target;

/// Actions that OpenSVC has and this version does not yet. Some take a second word: `pg freeze`, once `pg_freeze`.
const UNBUILT: [&str; 21] = [
    "boot",
    "collector",
    "compliance",
    "deploy",
    "dns",
    "frozen",
    "install",
    "move",
    "pg",
    "postsync",
    "presync",
    "prstatus",
    "pull",
    "push",
    "resource_monitor",
    "resync",
    "scale",
    "set_provisioned",
    "set_unprovisioned",
    "support",
    "toc",
];

/// The second words of OpenSVC that this version does not have yet, by their first: of those of several words the first one.
const UNBUILT_SECOND: [(&str, &[&str]); 5] = [
    ("cluster", &["abort", "cert", "engine", "freeze", "key", "logs", "ssh", "thaw", "unfreeze"]),
    ("print", &["base", "exposed", "sub", "resource"]),
    ("instance", &["move", "scale", "boot", "resync"]),
    ("daemon", &["blacklist", "dns", "join", "leave", "listener", "lock", "mutex", "rejoin", "relay"]),
    (
        "node",
        &[
            "abort",
            "array",
            "auto",
            "checks",
            "clear",
            "collect",
            "collector",
            "compliance",
            "dequeue",
            "events",
            "logs",
            "ls",
            "ping",
            "pool",
            "prkey",
            "pushasset",
            "pushchecks",
            "pushdisks",
            "pushpatch",
            "pushpkg",
            "pushstats",
            "reboot",
            "register",
            "rotate",
            "scan",
            "scanscsi",
            "schedule",
            "shutdown",
            "snooze",
            "ssh",
            "sysreport",
            "unschedule",
            "unsnooze",
            "update",
            "updatecomp",
            "updatepkg",
            "wait",
            "wol",
        ],
    ),
];

/// The failure of the second word of a command such as `print`: mistyped if one that exists is near, or else not built yet.
pub(crate) fn second_word(mut parent: clap::Command, family: &str, words: &[String]) -> Failure {
    let typed = words.first().map_or("", String::as_str);
    // Commands are defined as the parser comes to them; here no parser came.
    parent.build();
    let names = parent.find_subcommand(family).into_iter().flat_map(clap::Command::get_subcommands);
    match nearest(typed, names.flat_map(|command| command.get_name_and_visible_aliases())) {
        Some(meant) => Failure::failed(format!("unknown command {family} {typed:?}: did you mean {meant}?")),
        None if is_unbuilt(family, typed) => Failure::not_supported(&format!("{family} {typed}")),
        None => Failure::failed(format!("unknown command {family} {typed:?}: see om {family} --help")),
    }
}

fn is_unbuilt(family: &str, typed: &str) -> bool {
    UNBUILT_SECOND.iter().any(|(first, words)| *first == family && words.contains(&typed))
}

/// The failure of an action that is not built yet, or that is mistyped.
pub(super) fn failure(target: &Target, words: &[String]) -> Failure {
    let typed = super::first(words);
    // `pg_freeze` is the old spelling of `pg freeze`.
    let family = typed.split('_').next().unwrap_or_default();
    if UNBUILT.contains(&typed) || UNBUILT.contains(&family) {
        return Failure::not_supported(typed);
    }
    // clap suggests nothing where external subcommands are allowed, so the suggestion is made here.
    let known = ObjectLine::command();
    let is_action = |word: &str| known.find_subcommand(word).is_some();
    if is_action(&target.to_string()) {
        return Failure::failed(format!("unknown action {typed:?}: the object comes first: om {typed} {target}"));
    }
    let names = known.get_subcommands().flat_map(|action| action.get_name_and_visible_aliases());
    let hint = match nearest(typed, names) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "see om SELECTOR --help".to_owned(),
    };
    Failure::failed(format!("unknown action {typed:?}: {hint}"))
}
