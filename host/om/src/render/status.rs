//! The tree of `print status`: what makes the service available, then what accompanies it.

use anstyle::{AnsiColor, Style};
use model::Group;
use model::status::{Provisioned, State};
use model::text::{harmless, harmless_lines};
use protocol::{InstanceDocument, LogLevel, ResourceDocument};
use serde_json::Value;

/// A line of the tree.
struct TreeRow {
    /// The branch to the left of the name: `|  |- `.
    branch: String,
    name: String,
    flags: String,
    state: Option<State>,
    /// `//` for a subset whose members act at once.
    mark: &'static str,
    text: String,
    /// Lines below, without a branch of their own.
    messages: Vec<(LogLevel, String)>,
    /// The branch that goes on beside the messages.
    below: String,
}

/// The tree, for people.
pub(crate) fn tree(instance: &InstanceDocument) -> String {
    let shown = |seen: &&ResourceDocument| instance.show_disabled() || !seen.disable;
    // What is optional, copied or run at times does not make the service available.
    let accessory = |seen: &&ResourceDocument| seen.optional || matches!(seen.rid.group(), Group::Sync | Group::Task);
    let avail: Vec<&ResourceDocument> =
        instance.resources.iter().filter(shown).filter(|seen| !accessory(seen)).collect();
    let accessories: Vec<&ResourceDocument> = instance.resources.iter().filter(shown).filter(accessory).collect();

    let mut rows = vec![head("", "overall", Some(instance.overall), words(instance))];
    let last = accessories.is_empty();
    rows.push(head(if last { "'- " } else { "|- " }, "avail", Some(instance.avail), String::new()));
    branches(&avail, if last { "   " } else { "|  " }, &mut rows);
    if !last {
        rows.push(head("'- ", "accessory", None, String::new()));
        branches(&accessories, "   ", &mut rows);
    }
    let mut text = format!("{}\n", instance.path);
    text += &lines(&rows);
    notes(instance)
        .iter()
        .for_each(|note| text += &format!("{}{}{}\n", WARN.render(), harmless(note), WARN.render_reset()));
    text
}

fn head(branch: &str, name: &str, state: Option<State>, text: String) -> TreeRow {
    TreeRow {
        branch: branch.to_owned(),
        name: name.to_owned(),
        flags: String::new(),
        state,
        mark: "",
        text,
        messages: Vec::new(),
        below: String::new(),
    }
}

/// The words beside the overall state: frozen, not provisioned.
fn words(instance: &InstanceDocument) -> String {
    let provisioned = match instance.provisioned {
        Provisioned::False => Some("not provisioned"),
        Provisioned::Mixed => Some("part provisioned"),
        _ => None,
    };
    [instance.frozen.then_some("frozen"), provisioned].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The resources below a branch, the members of parallel subsets below a branch of their own.
fn branches(resources: &[&ResourceDocument], indent: &str, rows: &mut Vec<TreeRow>) {
    let mut rest = resources.to_vec();
    while let Some(&first) = rest.first() {
        // The members of a subset belong together, whichever rids lie between.
        let together =
            |seen: &&ResourceDocument| parallel(first).map_or(seen.rid == first.rid, |of| parallel(seen) == Some(of));
        let (members, after): (Vec<&ResourceDocument>, Vec<&ResourceDocument>) = rest.into_iter().partition(together);
        let (branch, below) = if after.is_empty() { ("'- ", "   ") } else { ("|- ", "|  ") };
        let below = format!("{indent}{below}");
        match parallel(first) {
            None => rows.push(leaf(first, format!("{indent}{branch}"), below)),
            Some((group, name)) => {
                let subset = head(&format!("{indent}{branch}"), &format!("{group}:{name}"), None, String::new());
                rows.push(TreeRow { mark: "//", ..subset });
                for (i, seen) in members.iter().enumerate() {
                    let (branch, beside) = if i + 1 == members.len() { ("'- ", "   ") } else { ("|- ", "|  ") };
                    rows.push(leaf(seen, format!("{below}{branch}"), format!("{below}{beside}")));
                }
            }
        }
        rest = after;
    }
}

/// The parallel subset that a resource is a member of.
fn parallel(seen: &ResourceDocument) -> Option<(Group, &str)> {
    Some((seen.rid.group(), seen.parallel_subset()?))
}

fn leaf(seen: &ResourceDocument, branch: String, below: String) -> TreeRow {
    let messages =
        seen.log.iter().map(|message| (message.level, harmless_lines(&message.message).into_owned())).collect();
    TreeRow {
        branch,
        name: seen.rid.to_string(),
        flags: seen.flags().to_string(),
        state: Some(seen.status),
        mark: "",
        text: harmless(&seen.label).into_owned(),
        messages,
        below,
    }
}

const WARN: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();

fn colour(state: State) -> Style {
    match state {
        State::Up | State::StdbyUp => GOOD,
        State::Down | State::StdbyDown => BAD,
        State::Warn => WARN,
        State::Na | State::Undef => DIM,
    }
}

fn lines(rows: &[TreeRow]) -> String {
    let width = rows.iter().map(|row| row.branch.len() + row.name.len()).max().unwrap_or(0);
    // Where the text of a row begins: behind the name, the flags (8) and the state (10), each followed by a blank.
    let indent = width + 1 + 8 + 1 + 11;
    let mut text = String::new();
    for row in rows {
        let name = format!("{}{}", row.branch, row.name);
        let state = row.state.map_or(row.mark, State::as_str);
        let style = row.state.map_or(DIM, colour);
        // The padding stands outside of the colour, so that only the word is coloured.
        let padding = 10_usize.saturating_sub(state.len());
        let line = format!(
            "{name:<width$} {flags:<8} {style}{state}{style:#}{:padding$} {}",
            "",
            row.text,
            flags = row.flags,
        );
        text += line.trim_end();
        text.push('\n');
        for (level, message) in &row.messages {
            let (word, style) = match level {
                LogLevel::Error => ("error", BAD),
                LogLevel::Warn => ("warn", WARN),
                // The contract with drivers says so: a message of any other level is information.
                _ => ("info", DIM),
            };
            for line in message.lines() {
                text += &format!("{:<indent$}{style}{word}: {line}{style:#}\n", row.below);
            }
        }
    }
    text
}

/// The status for programs.
pub(crate) fn published(instance: InstanceDocument) -> Value {
    let notes = notes(&instance);
    // The sentences must be made first: publishing removes the notes that they are made from.
    let document = InstanceDocument { notes, ..instance }.published();
    serde_json::to_value(document).unwrap_or_default()
}

/// The sentences of the notes.
fn notes(instance: &InstanceDocument) -> Vec<String> {
    let notes = instance.internal.iter().flat_map(|internal| &internal.notes);
    let notes = notes.map(|note| super::note::sentence(&instance.path, note));
    notes.chain(instance.orphans.iter().map(super::note::of_orphan)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::InternalResourceDocument;

    fn resource(rid: &str, subset: Option<&str>) -> ResourceDocument {
        ResourceDocument {
            rid: rid.parse().unwrap(),
            driver: "fs.flag".parse().unwrap(),
            status: State::Up,
            label: String::new(),
            log: Vec::new(),
            provisioned: Provisioned::True,
            monitor: false,
            disable: false,
            optional: false,
            encap: false,
            standby: false,
            subset: subset.map(str::to_owned),
            tags: Vec::new(),
            exposes: Vec::new(),
            uses: Vec::new(),
            internal: Some(InternalResourceDocument {
                parallel: true,
                running: false,
                restarts_left: model::status::RemainingRestarts::None,
                fault: None,
            }),
        }
    }

    #[test]
    fn a_parallel_subset_is_one_branch_whatever_lies_between_its_members() {
        let all = [
            resource("fs#1", Some("a")),
            resource("fs#2", None),
            resource("fs#3", Some("a")),
            resource("fs#4", Some("b")),
        ];
        let mut rows = Vec::new();
        branches(&all.iter().collect::<Vec<_>>(), "", &mut rows);
        let shown: Vec<String> = rows.iter().map(|row| format!("{}{}", row.branch, row.name)).collect();
        assert_eq!(shown, ["|- fs:a", "|  |- fs#1", "|  '- fs#3", "|- fs#2", "'- fs:b", "   '- fs#4"]);
    }
}
