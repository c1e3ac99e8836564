//! The spellings of actions that OpenSVC had, and their present ones.

/// Old spellings, and the words that they stand for.
const SPELLINGS: [(&str, &[&str]); 14] = [
    ("unfreeze", &["thaw"]),
    ("edit_config", &["edit"]),
    ("validate_config", &["validate"]),
    ("print_config", &["print", "config"]),
    ("print_status", &["print", "status"]),
    ("syncall", &["sync", "all"]),
    ("syncnodes", &["sync", "nodes"]),
    ("syncdrp", &["sync", "drp"]),
    ("syncupdate", &["sync", "update"]),
    ("syncfullsync", &["sync", "full"]),
    ("syncfull", &["sync", "full"]),
    ("syncresync", &["sync", "resync"]),
    ("syncverify", &["sync", "verify"]),
    ("syncsplit", &["sync", "split"]),
];

/// The words in their present spelling. Some old spellings stand for an action on groups: `startfs` is
/// `start --within disk,fs`.
pub(super) fn modern(mut words: Vec<String>) -> Vec<String> {
    let Some(action) = words.first().cloned() else { return words };
    if let Some((_, modern)) = SPELLINGS.iter().find(|(old, _)| *old == action) {
        words.splice(0..1, modern.iter().map(|word| (*word).to_owned()));
        return words;
    }
    if let Some(view) = json_view(&mut words) {
        words.splice(0..1, ["print".to_owned(), view]);
        words.extend(["--format".to_owned(), "json".to_owned()]);
        return words;
    }
    if let Some((verb, groups)) = group_action(&action) {
        // Behind `--` stands a command, not options.
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        words.splice(end..end, ["--within".to_owned(), groups.to_owned()]);
        words[0] = verb.to_owned();
    }
    words
}

/// `json status` and `json_status`: takes the view out of the words.
fn json_view(words: &mut Vec<String>) -> Option<String> {
    if words[0] == "json" && words.len() > 1 {
        return Some(words.remove(1));
    }
    words[0].strip_prefix("json_").map(str::to_owned)
}

/// `startip`, `stopcontainer`, …: an action that is limited to groups. OpenSVC's `startfs` included the disks.
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
        // `startstandby`, and any other word that begins like an action on groups.
        _ => return None,
    };
    Some((verb, groups))
}
