//! The commands that are typed behind `:`, with OpenSVC's `do` and `go` before them or without.

use model::ObjectPath;

/// A command that was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WatchCommand {
    Quit,
    /// The words of a command of `om` about the object that only shows something.
    Show(Vec<&'static str>),
    Act(ActionWish),
}

/// An action that has to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ActionWish {
    path: ObjectPath,
    action: String,
    options: Vec<String>,
    destroys: bool,
}

const SHOWN: [(&str, &[&str]); 5] = [
    ("status", &["print", "status"]),
    ("explain", &["explain"]),
    ("logs", &["logs", "--lines", "200"]),
    ("config", &["print", "config"]),
    ("plan", &["plan", "start"]),
];

const ACTIONS: [&str; 10] =
    ["start", "stop", "restart", "freeze", "thaw", "clear", "abort", "provision", "takeover", "giveback"];

/// They destroy what cannot be made again.
const DESTRUCTIVE: [&str; 3] = ["unprovision", "purge", "delete"];

/// Reads a command about an object.
pub(super) fn command(path: &ObjectPath, typed: &str) -> Result<WatchCommand, String> {
    let words: Vec<&str> = typed.split_whitespace().skip_while(|word| ["do", "go"].contains(word)).collect();
    let act = |action: &str, options: Vec<String>, destroys| {
        let (path, action) = (path.clone(), action.to_owned());
        Ok(WatchCommand::Act(ActionWish { path, action, options, destroys }))
    };
    match words[..] {
        ["q" | "quit"] => Ok(WatchCommand::Quit),
        ["switch", node] => act("switch", vec!["--node".to_owned(), node.to_owned()], false),
        [one] => {
            if let Some((_, words)) = SHOWN.iter().find(|(name, _)| *name == one) {
                return Ok(WatchCommand::Show(words.to_vec()));
            }
            match (ACTIONS.contains(&one), DESTRUCTIVE.contains(&one)) {
                (true, _) => act(one, Vec::new(), false),
                // A delete has no such option: it destroys no data, unless it is told to.
                (_, true) if one == "delete" => act(one, Vec::new(), true),
                (_, true) => act(one, vec!["--confirm".to_owned()], true),
                _ => Err(format!("{one}: not a command here (h lists them)")),
            }
        }
        [] => Err("no command was typed (h lists them)".to_owned()),
        _ => Err(format!("{typed:?}: not a command here (h lists them)")),
    }
}

impl ActionWish {
    /// What the operator is asked.
    pub(super) fn question(&self) -> String {
        let ActionWish { path, action, .. } = self;
        match self.destroys {
            true => format!("{action} destroys data. To {action} {path}, type its name:"),
            false => format!("{action} {path}? y:"),
        }
    }

    /// What has to be typed.
    pub(super) fn word(&self) -> String {
        if self.destroys { self.path.to_string() } else { "y".to_owned() }
    }

    /// As a command of `om`.
    pub(super) fn words(&self) -> Vec<String> {
        let ActionWish { path, action, options, .. } = self;
        [path.to_string(), action.clone()].into_iter().chain(options.iter().cloned()).collect()
    }
}
