//! The filters of `om events`: `instance.status,path=web,.data.avail=up`. The grammar is that of OpenSVC 3.

use std::str::FromStr;

use anyhow::{anyhow, bail};
use model::select::GlobPattern;
use protocol::daemon::{DaemonEvent, EventKind};
use serde_json::Value;

/// Conditions that must all hold.
#[derive(Debug)]
pub(super) struct EventFilter {
    text: String,
    conditions: Vec<EventCondition>,
}

#[derive(Debug)]
enum EventCondition {
    Kind(GlobPattern),
    Path(GlobPattern),
    Node(GlobPattern),
    Member { path: Vec<String>, operator: ValueOperator, value: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueOperator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Those of two characters first, as they begin like those of one.
const OPERATORS: [(&str, ValueOperator); 6] = [
    ("!=", ValueOperator::Unequal),
    ("<=", ValueOperator::AtMost),
    (">=", ValueOperator::AtLeast),
    ("=", ValueOperator::Equal),
    ("<", ValueOperator::Less),
    (">", ValueOperator::More),
];

impl EventFilter {
    pub(super) fn accepts(&self, event: &DaemonEvent) -> bool {
        // Made only where a member is asked for: there may be many events.
        let mut document = None;
        self.conditions.iter().all(|condition| match condition {
            EventCondition::Kind(pattern) => pattern.matches(event.kind.as_str()),
            EventCondition::Path(pattern) => event.path.as_ref().is_some_and(|path| pattern.matches(&path.to_string())),
            EventCondition::Node(pattern) => pattern.matches(event.node.as_str()),
            EventCondition::Member { path, operator, value } => {
                let document = document.get_or_insert_with(|| serde_json::to_value(event).unwrap_or_default());
                member(document, path).is_some_and(|found| operator.holds(found, value))
            }
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for EventFilter {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<EventFilter> {
        let conditions = text.split(',').map(str::trim).map(condition).collect::<anyhow::Result<_>>()?;
        Ok(EventFilter { text: text.to_owned(), conditions })
    }
}

fn condition(text: &str) -> anyhow::Result<EventCondition> {
    if let Some(rest) = text.strip_prefix('.') {
        return comparison(rest);
    }
    match text.split_once('=') {
        Some(("path" | "object", pattern)) => Ok(EventCondition::Path(GlobPattern::new(pattern)?)),
        Some(("node", pattern)) => Ok(EventCondition::Node(GlobPattern::new(pattern)?)),
        Some((label, _)) => bail!("--filter {label}=…: expected path=, node=, or .data.MEMBER="),
        None => kind(text),
    }
}

fn kind(text: &str) -> anyhow::Result<EventCondition> {
    let pattern = GlobPattern::new(text)?;
    // A filter that nothing can match would wait for ever.
    if !EventKind::ALL.iter().any(|kind| pattern.matches(kind.as_str())) {
        let all: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let hint = match config::nearest(text, all.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("the kinds are {}", all.join(" ")),
        };
        bail!("--filter {text}: no event is of this kind: {hint}");
    }
    Ok(EventCondition::Kind(pattern))
}

fn comparison(text: &str) -> anyhow::Result<EventCondition> {
    let at = |word: &str| text.find(word);
    let found = OPERATORS.iter().filter_map(|(word, operator)| Some((at(word)?, word, *operator)));
    // The first one in the text; of two that begin there the longer, which comes first in the table.
    let (at, word, operator) = found
        .min_by_key(|(at, word, _)| (*at, 2 - word.len()))
        .ok_or_else(|| anyhow!("--filter .{text}: expected a comparison, such as .data.avail=up"))?;
    let path = text[..at].trim().split('.').map(str::to_owned).collect();
    Ok(EventCondition::Member { path, operator, value: text[at + word.len()..].trim().to_owned() })
}

pub(super) fn member<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}

impl ValueOperator {
    fn holds(self, found: &Value, wanted: &str) -> bool {
        // Numbers are compared as such if both are, texts as texts.
        let order = match (found.as_f64(), wanted.parse::<f64>()) {
            (Some(found), Ok(wanted)) => found.partial_cmp(&wanted),
            _ => Some(plain(found).as_str().cmp(wanted)),
        };
        let Some(order) = order else { return false };
        match self {
            ValueOperator::Equal => order.is_eq(),
            ValueOperator::Unequal => order.is_ne(),
            ValueOperator::Less => order.is_lt(),
            ValueOperator::AtMost => order.is_le(),
            ValueOperator::More => order.is_gt(),
            ValueOperator::AtLeast => order.is_ge(),
        }
    }
}

/// A value without the quotes of a text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> DaemonEvent {
        DaemonEvent {
            id: 7,
            at: 1.0,
            kind: EventKind::InstanceStatus,
            node: "n1".parse().unwrap(),
            path: Some("ns1/svc/web".parse().unwrap()),
            data: json!({"avail": "up", "tries": 12, "steps": [{"action": "start"}]}),
        }
    }

    #[test]
    fn all_conditions_of_a_filter_must_hold() {
        let check = |filter: &str, expected: bool| {
            assert_eq!(filter.parse::<EventFilter>().unwrap().accepts(&event()), expected, "{filter}");
        };
        check("instance.status", true);
        check("instance.*", true);
        check("order.*", false);
        check("instance.status,path=ns1/*", true);
        check("path=web", false);
        check("node=n1, .data.avail=up", true);
        check(".data.avail!=up", false);
        check(".data.tries>=9", true);
        check(".data.tries<9", false);
        check(".data.steps.0.action=start", true);
        check(".data.nothing!=x", false);
        check(".id = 7", true);
    }

    #[test]
    fn a_filter_that_can_match_nothing_is_refused() {
        let check = |filter: &str, expected: &str| {
            let error = filter.parse::<EventFilter>().unwrap_err().to_string();
            assert!(error.contains(expected), "{filter}: {error}");
        };
        check("instance.state,order.ended", "no event is of this kind: did you mean order.end?");
        check("colour=red", "expected path=, node=");
        check(".data.avail", "expected a comparison");
    }
}
