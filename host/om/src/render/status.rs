//! The tree of `print status`: what makes the service available, then what accompanies it.

use agent::status::{InstanceStatus, ResourceStatus};
use anstyle::{AnsiColor, Style};
use driver::Level;
use model::status::{Provisioned, State};
use model::{Group, ObjectPath};
use serde_json::{Value, json};

/// A line of the tree.
struct Row {
    /// What is left of the name: `|  |- `.
    branch: String,
    name: String,
    flags: String,
    state: Option<State>,
    /// `//` for a subset whose members act at once.
    mark: &'static str,
    text: String,
    /// Lines below, without a branch of their own.
    messages: Vec<(Level, String)>,
    /// The branch that goes on beside the messages.
    below: String,
}

/// What programs are told of an object without an instance here.
pub(crate) fn absent(path: &ObjectPath, note: &str) -> Value {
    let na = State::Na.as_str();
    json!({ "path": path.to_string(), "avail": na, "overall": na, "provisioned": na, "notes": [note], "resources": {} })
}

/// The sentences below the tree.
fn notes(instance: &InstanceStatus) -> Vec<String> {
    instance.notes.iter().map(|note| super::note::sentence(&instance.path, note)).collect()
}

/// The tree, for people.
pub(crate) fn tree(instance: &InstanceStatus) -> String {
    let shown = |seen: &&ResourceStatus| instance.show_disabled || !seen.flags.disabled;
    let accessory =
        |seen: &&ResourceStatus| seen.flags.optional || matches!(seen.rid.group(), Group::Sync | Group::Task);
    let avail: Vec<&ResourceStatus> = instance.resources.iter().filter(shown).filter(|seen| !accessory(seen)).collect();
    let accessories: Vec<&ResourceStatus> = instance.resources.iter().filter(shown).filter(accessory).collect();

    let mut rows = vec![head("", "overall", Some(instance.sums.overall), words(instance))];
    let last = accessories.is_empty();
    rows.push(head(if last { "'- " } else { "|- " }, "avail", Some(instance.sums.avail), String::new()));
    branches(&avail, if last { "   " } else { "|  " }, &mut rows);
    if !last {
        rows.push(head("'- ", "accessory", None, String::new()));
        branches(&accessories, "   ", &mut rows);
    }
    let mut text = format!("{}\n", instance.path);
    text += &lines(&rows);
    notes(instance).iter().for_each(|note| text += &format!("{}{note}{}\n", WARN.render(), WARN.render_reset()));
    text
}

fn head(branch: &str, name: &str, state: Option<State>, text: String) -> Row {
    Row {
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

/// What is worth a word beside the sum.
fn words(instance: &InstanceStatus) -> String {
    let provisioned = match instance.sums.provisioned {
        Provisioned::False => Some("not provisioned"),
        Provisioned::Mixed => Some("part provisioned"),
        _ => None,
    };
    [instance.frozen.then_some("frozen"), provisioned].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The resources below a branch, the members of parallel subsets below a branch of their own.
fn branches(resources: &[&ResourceStatus], indent: &str, rows: &mut Vec<Row>) {
    let mut rest = resources.to_vec();
    while let Some(&first) = rest.first() {
        // The members of a subset belong together, whichever rids lie between.
        let together =
            |seen: &&ResourceStatus| parallel(first).map_or(seen.rid == first.rid, |of| parallel(seen) == Some(of));
        let (members, after): (Vec<&ResourceStatus>, Vec<&ResourceStatus>) = rest.into_iter().partition(together);
        let (branch, below) = if after.is_empty() { ("'- ", "   ") } else { ("|- ", "|  ") };
        let below = format!("{indent}{below}");
        match parallel(first) {
            None => rows.push(leaf(first, format!("{indent}{branch}"), below)),
            Some((group, name)) => {
                let subset = head(&format!("{indent}{branch}"), &format!("{group}:{name}"), None, String::new());
                rows.push(Row { mark: "//", ..subset });
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
fn parallel(seen: &ResourceStatus) -> Option<(Group, &str)> {
    let (name, parallel) = seen.subset.as_ref()?;
    parallel.then_some((seen.rid.group(), name.as_str()))
}

fn leaf(seen: &ResourceStatus, branch: String, below: String) -> Row {
    let mut messages: Vec<_> = seen.messages.iter().map(|message| (message.level, message.text.clone())).collect();
    messages.extend(seen.fault.iter().map(|fault| (Level::Error, fault.to_string())));
    Row {
        branch,
        name: seen.rid.to_string(),
        flags: seen.flags.to_string(),
        state: Some(seen.state),
        mark: "",
        text: seen.label.clone(),
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

fn lines(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.branch.len() + row.name.len()).max().unwrap_or(0);
    let indent = width + 1 + 8 + 1 + 11;
    let mut text = String::new();
    for row in rows {
        let name = format!("{}{}", row.branch, row.name);
        let state = row.state.map_or(row.mark, State::as_str);
        let style = row.state.map_or(DIM, colour);
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
                Level::Error => ("error", BAD),
                Level::Warn => ("warn", WARN),
                _ => ("info", DIM),
            };
            for line in message.lines() {
                text += &format!("{:<indent$}{style}{word}: {line}{style:#}\n", row.below);
            }
        }
    }
    text
}

/// The same, for programs.
pub(crate) fn value(instance: &InstanceStatus) -> Value {
    let resources: serde_json::Map<String, Value> =
        instance.resources.iter().map(|seen| (seen.rid.to_string(), resource(seen))).collect();
    json!({
        "path": instance.path.to_string(),
        "node": instance.node.as_str(),
        "avail": instance.sums.avail.as_str(),
        "overall": instance.sums.overall.as_str(),
        "optional": instance.sums.optional.as_str(),
        "provisioned": instance.sums.provisioned.as_str(),
        "frozen": instance.frozen,
        "updated_at": instance.seen_at,
        "notes": notes(instance),
        "resources": resources,
    })
}

fn resource(seen: &ResourceStatus) -> Value {
    let log: Vec<Value> = seen
        .messages
        .iter()
        .map(|message| json!({"level": level(message.level), "message": message.text}))
        .chain(seen.fault.iter().map(|fault| json!({"level": "error", "message": fault.to_string()})))
        .collect();
    let pairs = |list: &[(String, String)]| -> Vec<Value> {
        list.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    };
    json!({
        "type": seen.driver.to_string(),
        "status": seen.state.as_str(),
        "label": seen.label,
        "log": log,
        "provisioned": seen.flags.provisioned.as_str(),
        "monitor": seen.flags.monitored,
        "disable": seen.flags.disabled,
        "optional": seen.flags.optional,
        "encap": seen.flags.encap,
        "standby": seen.flags.standby,
        "subset": seen.subset.as_ref().map(|(name, _)| name),
        "tags": seen.tags,
        "exposes": pairs(&seen.exposes),
        "uses": pairs(&seen.uses),
    })
}

pub(crate) fn level(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::status::{Flags, RestartsLeft};

    fn seen(rid: &str, subset: Option<&str>) -> ResourceStatus {
        let flags = Flags {
            running: false,
            monitored: false,
            disabled: false,
            optional: false,
            encap: false,
            provisioned: Provisioned::True,
            standby: false,
            restarts_left: RestartsLeft::None,
        };
        ResourceStatus {
            rid: rid.parse().unwrap(),
            driver: "fs.flag".parse().unwrap(),
            subset: subset.map(|name| (name.to_owned(), true)),
            tags: Vec::new(),
            state: State::Up,
            flags,
            label: String::new(),
            messages: Vec::new(),
            exposes: Vec::new(),
            uses: Vec::new(),
            fault: None,
        }
    }

    #[test]
    fn a_parallel_subset_is_one_branch_whatever_lies_between_its_members() {
        let all = [seen("fs#1", Some("a")), seen("fs#2", None), seen("fs#3", Some("a")), seen("fs#4", Some("b"))];
        let mut rows = Vec::new();
        branches(&all.iter().collect::<Vec<_>>(), "", &mut rows);
        let shown: Vec<String> = rows.iter().map(|row| format!("{}{}", row.branch, row.name)).collect();
        assert_eq!(shown, ["|- fs:a", "|  |- fs#1", "|  '- fs#3", "|- fs#2", "'- fs:b", "   '- fs#4"]);
    }
}
