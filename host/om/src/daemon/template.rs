//! The template of `om events --template`: `{{.kind}} {{.path}} {{.data.avail}}`. Of Go's templates, which OpenSVC 3 has there, it knows
//! members and nothing else: what chooses and repeats belongs in `--filter` and in the reader of `--format json`.

use std::str::FromStr;

use anyhow::{anyhow, bail};
use protocol::daemon::DaemonEvent;

use super::filter::{member, plain};

/// A line to be filled in for each event.
#[derive(Debug)]
pub(super) struct EventTemplate(Vec<TemplatePart>);

#[derive(Debug)]
enum TemplatePart {
    Text(String),
    /// A member of the event, by the names on the way to it. Without any: the whole event.
    Member(Vec<String>),
}

impl EventTemplate {
    /// The template with the values of an event. A member that the event does not have is empty.
    pub(super) fn fill(&self, event: &DaemonEvent) -> String {
        let document = serde_json::to_value(event).unwrap_or_default();
        let part = |part: &TemplatePart| match part {
            TemplatePart::Text(text) => text.clone(),
            TemplatePart::Member(path) => {
                member(&document, path).filter(|value| !value.is_null()).map(plain).unwrap_or_default()
            }
        };
        self.0.iter().map(part).collect()
    }
}

impl FromStr for EventTemplate {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<EventTemplate> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once("{{") {
            let (inside, after) =
                behind.split_once("}}").ok_or_else(|| anyhow!("--template {text:?}: `{{{{` without `}}}}`"))?;
            parts.extend([TemplatePart::Text(unescaped(before)), TemplatePart::Member(path(inside, text)?)]);
            rest = after;
        }
        parts.push(TemplatePart::Text(unescaped(rest)));
        Ok(EventTemplate(parts))
    }
}

/// `.data.avail`, or `.` for all of it.
fn path(inside: &str, text: &str) -> anyhow::Result<Vec<String>> {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    match inside.trim().strip_prefix('.') {
        Some("") => Ok(Vec::new()),
        Some(names) if names.split('.').all(is_name) => Ok(names.split('.').map(str::to_owned).collect()),
        _ => bail!("--template {text:?}: {inside:?}: expected a member, such as {{{{.data.avail}}}}"),
    }
}

/// A shell does not make these of what is typed between single quotes.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::daemon::EventKind;
    use serde_json::json;

    fn event() -> DaemonEvent {
        DaemonEvent {
            id: 7,
            at: 1.5,
            kind: EventKind::InstanceStatus,
            node: "n1".parse().unwrap(),
            path: Some("web".parse().unwrap()),
            data: json!({"avail": "up", "steps": [{"action": "start"}], "error": null}),
        }
    }

    #[test]
    fn members_of_the_event_are_filled_in() {
        let check = |template: &str, expected: &str| {
            assert_eq!(template.parse::<EventTemplate>().unwrap().fill(&event()), expected, "{template}");
        };
        check("{{.kind}} of {{ .path }}: {{.data.avail}}", "instance.status of web: up");
        check("{{.id}}\\t{{.data.steps.0.action}}", "7\tstart");
        check("{{.data.steps}}", r#"[{"action":"start"}]"#);
        check("[{{.data.nothing}}{{.data.error}}]", "[]");
        check("{ } no member", "{ } no member");
        assert!("{{.}}".parse::<EventTemplate>().unwrap().fill(&event()).starts_with('{'));
    }

    #[test]
    fn what_is_no_member_is_refused() {
        let check = |template: &str, expected: &str| {
            let error = template.parse::<EventTemplate>().unwrap_err().to_string();
            assert!(error.contains(expected), "{template}: {error}");
        };
        check("{{.kind", "`{{` without `}}`");
        check("{{range .data}}", "expected a member, such as {{.data.avail}}");
        check("{{.data..x}}", "expected a member");
    }
}
