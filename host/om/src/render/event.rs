//! An event as a line, for people.

use protocol::daemon::DaemonEvent;
use serde_json::Value;

use crate::render::moment;

/// With the time of day.
pub(crate) fn line(event: &DaemonEvent) -> String {
    written(event, &moment::time_of_day(event.at))
}

/// The same with the date, for a log.
pub(crate) fn dated_line(event: &DaemonEvent) -> String {
    written(event, &moment::date(event.at))
}

/// Its kind and what belongs to it, for a log that has times, nodes and objects of its own.
pub(crate) fn words_of(event: &DaemonEvent) -> String {
    format!("{} {}", event.kind.as_str(), words(&event.data)).trim_end().to_owned()
}

fn written(event: &DaemonEvent, time: &str) -> String {
    let path = event.path.as_ref().map(ToString::to_string).unwrap_or_default();
    let (node, kind) = (&event.node, event.kind.as_str());
    format!("{time} {node} {kind:<16} {path} {}", words(&event.data)).trim_end().to_owned() + "\n"
}

/// The members of an event in a line: plain values, and of larger ones only that they are there.
fn words(data: &Value) -> String {
    let Value::Object(members) = data else {
        return match data {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
    };
    let word = |(name, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::String(text) if text.contains(' ') => Some(format!("{name}={text:?}")),
        Value::String(text) => Some(format!("{name}={text}")),
        Value::Array(_) | Value::Object(_) => None,
        other => Some(format!("{name}={other}")),
    };
    members.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_shows_plain_members() {
        let data = json!({"avail": "up", "state": "start failed", "tries": 2, "steps": [1], "none": null});
        assert_eq!(words(&data), "avail=up state=\"start failed\" tries=2");
    }
}
