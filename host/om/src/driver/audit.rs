//! `om driver audit`: what drivers did to this node, and what they were denied.

use protocol::{AuditEntry, AuditQuery};

use crate::command::AuditArgs;
use crate::exit::Failure;
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::print;

pub(crate) fn run(session: &Session, args: &AuditArgs) -> Result<(), Failure> {
    let entries = session.backend.audit(&AuditQuery {
        object: args.object.clone(),
        rid: args.rid.clone(),
        driver: args.driver.clone(),
        sid: args.sid.clone(),
        denied: args.denied,
        lines: args.lines,
    })?;
    let text = structured(args.output.format, &serde_json::to_value(&entries).unwrap_or_default());
    print(&text.unwrap_or_else(|| table(&entries)));
    Ok(())
}

const HEAD: [&str; 6] = ["TIME", "SID", "RESOURCE", "ACTION", "VERDICT", "CALL"];

/// Columns as wide as they need to be. The head is printed even if there are no entries.
fn table(entries: &[AuditEntry]) -> String {
    // Not the common table, which prints nothing at all if there are no rows.
    let rows: Vec<[String; 6]> = entries.iter().map(row).collect();
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

fn row(entry: &AuditEntry) -> [String; 6] {
    let why = match entry.text("verdict") {
        "done" => String::new(),
        _ => format!("   {}", entry.text("reason")),
    };
    [
        // To the millisecond.
        entry.text("time").chars().take(23).collect(),
        // The first characters are enough for --sid.
        entry.text("sid").chars().take(8).collect(),
        format!("{} {}", entry.text("object"), entry.text("rid")),
        entry.text("action").to_owned(),
        entry.text("verdict").to_owned(),
        format!("{}{why}", entry.text("call")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_stand_in_columns_and_failures_say_why() {
        let entry = |rid: &str, verdict: &str| {
            AuditEntry(json!({"time": "2026-11-22T10:51:50.590123Z", "sid": "ae60fdd4-1", "object": "web", "rid": rid,
                   "action": "start", "verdict": verdict, "reason": "no", "call": "exec = /bin/x"}))
        };
        let table = table(&[entry("fs#1", "done"), entry("fs#10", "denied")]);
        let expected = "TIME                     SID       RESOURCE   ACTION  VERDICT  CALL\n\
                        2026-11-22T10:51:50.590  ae60fdd4  web fs#1   start   done     exec = /bin/x\n\
                        2026-11-22T10:51:50.590  ae60fdd4  web fs#10  start   denied   exec = /bin/x   no\n";
        assert_eq!(table, expected);
    }
}
