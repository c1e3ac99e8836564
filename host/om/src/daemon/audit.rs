//! `daemon audit`: who asked the daemon for what, and what was refused.

use std::process::ExitCode;

use protocol::daemon::{AccessEntry, AccessQuery};
use serde_json::Value;

use crate::command::TrailArgs;
use crate::exit::Outcome;
use crate::render::moment;
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::print;

pub(super) fn run(session: &Session, args: &TrailArgs) -> Outcome {
    let TrailArgs { user, object, denied, lines, .. } = args.clone();
    // The trail names objects by their paths, in the one form that each has.
    let path = match object {
        Some(text) => Some(text.parse::<model::ObjectPath>().map_err(anyhow::Error::from)?.to_string()),
        None => None,
    };
    let entries = session.backend.access_trail(&AccessQuery { user, path, denied, lines })?;
    let text = structured(args.output.format, &serde_json::to_value(&entries).unwrap_or_default());
    print(&text.unwrap_or_else(|| rows(&entries)));
    Ok(ExitCode::SUCCESS)
}

fn rows(entries: &[AccessEntry]) -> String {
    table(&["TIME", "USER", "FROM", "ASKED", "OBJECT", "OUTCOME"], &entries.iter().map(row).collect::<Vec<_>>())
}

fn row(entry: &AccessEntry) -> Vec<String> {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let from = &entry.0["from"];
    let from = match (&from["address"], &from["uid"]) {
        (Value::String(address), _) => address.clone(),
        (_, uid) => format!("uid {uid}"),
    };
    // An order says what it orders: a word, or a word with what belongs to it.
    let verb = match &entry.0["options"]["verb"] {
        Value::String(verb) => format!(" {verb}"),
        Value::Object(verb) => verb.keys().map(|verb| format!(" {verb}")).collect(),
        _ => String::new(),
    };
    let why = match entry.text("reason") {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    vec![
        moment::date(entry.0["at"].as_f64().unwrap_or(0.0)),
        or_dash(entry.text("user")),
        from,
        format!("{}{verb}", entry.text("asked")),
        or_dash(entry.text("path")),
        format!("{}{why}", entry.text("outcome")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_says_who_did_what_and_what_came_of_it() {
        let row = |entry: Value| row(&AccessEntry(entry))[1..].join("|");
        let order = json!({"user": "alice", "from": {"address": "10.0.0.9"}, "asked": "order", "path": "ns1/svc/web",
            "options": {"verb": {"switch": {"to": ["n2"]}}}, "outcome": "done"});
        assert_eq!(row(order), "alice|10.0.0.9|order switch|ns1/svc/web|done");
        let refused = json!({"from": {"uid": 1000}, "asked": "GET /status", "outcome": "denied", "reason": "no"});
        assert_eq!(row(refused), "-|uid 1000|GET /status|-|denied: no");
    }
}
