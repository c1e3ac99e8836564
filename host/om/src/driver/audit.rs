//! `om driver audit`: what drivers did to the node, and what they were denied.

use agent::file::durable;
use serde_json::Value;

use crate::command::AuditArgs;
use crate::exit::Failure;
use crate::render::structured::structured;
use crate::session::{Session, print};

pub(crate) fn run(session: &Session, args: &AuditArgs) -> Result<(), Failure> {
    let mut records: Vec<Value> = trail(session)?
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|r| wanted(r, args))
        .collect();
    if args.lines > 0 {
        records.drain(..records.len().saturating_sub(args.lines));
    }
    let text = structured(args.output.format, &Value::from(records.clone()));
    print(&text.unwrap_or_else(|| table(&records)));
    Ok(())
}

/// The whole trail, the oldest file first. A line that a full disk cut short is left out by whoever reads it.
fn trail(session: &Session) -> Result<String, Failure> {
    let mut text = String::new();
    for path in session.agent.home().audit_files() {
        let content = durable::read(&path).map_err(anyhow::Error::from)?.unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(&content));
    }
    Ok(text)
}

fn wanted(record: &Value, args: &AuditArgs) -> bool {
    let is =
        |member: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| text(record, member) == wanted);
    is("object", &args.object)
        && is("rid", &args.rid)
        && is("driver", &args.driver)
        && args.sid.as_ref().is_none_or(|sid| text(record, "sid").starts_with(sid))
        && (!args.denied || text(record, "verdict") == "denied")
}

fn text<'r>(record: &'r Value, member: &str) -> &'r str {
    record[member].as_str().unwrap_or_default()
}

const HEAD: [&str; 6] = ["TIME", "SID", "RESOURCE", "ACTION", "VERDICT", "CALL"];

fn table(records: &[Value]) -> String {
    let rows: Vec<[String; 6]> = records.iter().map(row).collect();
    let head = HEAD.map(str::to_owned);
    let all = || std::iter::once(&head).chain(&rows);
    let widths: [usize; 5] = std::array::from_fn(|at| all().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let mut table = String::new();
    for row in all() {
        widths.iter().zip(row).for_each(|(width, cell)| table += &format!("{cell:<width$}  "));
        table += &format!("{}\n", row[5]);
    }
    table
}

fn row(record: &Value) -> [String; 6] {
    let why = match text(record, "verdict") {
        "done" => String::new(),
        _ => format!("   {}", text(record, "reason")),
    };
    [
        text(record, "time").chars().take(23).collect(),
        text(record, "sid").chars().take(8).collect(),
        format!("{} {}", text(record, "object"), text(record, "rid")),
        text(record, "action").to_owned(),
        text(record, "verdict").to_owned(),
        format!("{}{why}", text(record, "call")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_stand_in_columns_and_failures_say_why() {
        let record = |rid: &str, verdict: &str| {
            json!({"time": "2026-11-22T10:51:50.590123Z", "sid": "ae60fdd4-1", "object": "web", "rid": rid,
                   "action": "start", "verdict": verdict, "reason": "no", "call": "exec = /bin/x"})
        };
        let table = table(&[record("fs#1", "done"), record("fs#10", "denied")]);
        let expected = "TIME                     SID       RESOURCE   ACTION  VERDICT  CALL\n\
                        2026-11-22T10:51:50.590  ae60fdd4  web fs#1   start   done     exec = /bin/x\n\
                        2026-11-22T10:51:50.590  ae60fdd4  web fs#10  start   denied   exec = /bin/x   no\n";
        assert_eq!(table, expected);
    }
}
