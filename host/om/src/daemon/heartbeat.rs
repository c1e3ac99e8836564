//! `daemon hb status`: the paths between this node and the others.

use std::process::ExitCode;

use protocol::daemon::{DaemonThread, StatusDocument};
use serde_json::{Value, json};

use crate::command::HbCommand;
use crate::exit::{Failure, Outcome};
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::print;

/// What the rows of paths begin with.
const PATH: &str = "hb#";

pub(super) fn run(session: &Session, command: HbCommand) -> Outcome {
    let output = match command {
        HbCommand::Status(output) => output,
        HbCommand::Other(words) => {
            let word = words.first().map_or("", String::as_str);
            return Err(Failure::not_supported(&format!("daemon hb {word}")));
        }
    };
    let status = session.daemon().ask(async |client| client.status().await)?;
    let text = structured(output.format, &document(&status)).unwrap_or_else(|| rows(&status));
    print(&text);
    Ok(ExitCode::SUCCESS)
}

fn paths(status: &StatusDocument) -> impl Iterator<Item = &DaemonThread> {
    status.daemon.threads.iter().filter(|thread| thread.id.starts_with(PATH))
}

fn kind(thread: &DaemonThread) -> &'static str {
    if thread.id.starts_with("hb#1") { "engine" } else { "link" }
}

/// A row for each path and each node at its other end.
fn rows(status: &StatusDocument) -> String {
    let row = |thread: &DaemonThread| {
        let of = |(peer, state): (&model::NodeName, &String)| {
            [
                &thread.state,
                state,
                &thread.id,
                status.daemon.nodename.as_str(),
                peer.as_str(),
                kind(thread),
                &thread.detail,
            ]
            .map(str::to_owned)
            .to_vec()
        };
        thread.peers.iter().map(of).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = paths(status).flat_map(row).collect();
    if rows.is_empty() {
        return "this node is alone: it has no path to another one\n".to_owned();
    }
    table(&["RUNNING", "BEATING", "ID", "NODE", "PEER", "TYPE", "DESC"], &rows)
}

fn document(status: &StatusDocument) -> Value {
    let stream = |thread: &DaemonThread| {
        let peers: serde_json::Map<String, Value> =
            thread.peers.iter().map(|(peer, state)| (peer.to_string(), json!(state))).collect();
        json!({
            "id": thread.id,
            "type": kind(thread),
            "state": thread.state,
            "desc": thread.detail,
            "peers": peers,
        })
    };
    paths(status).map(stream).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_from_where_to_where_and_whether_it_works() {
        let mut status = crate::render::mon::tests::status();
        assert_eq!(rows(&status), "this node is alone: it has no path to another one\n");
        status.daemon.threads.push(DaemonThread {
            id: "hb#2.tx".to_owned(),
            state: "running".to_owned(),
            detail: "10.0.0.1:1215".to_owned(),
            peers: [("nuc".parse().unwrap(), "down".to_owned())].into(),
        });
        let expected = "\
RUNNING  BEATING  ID       NODE       PEER  TYPE  DESC
running  down     hb#2.tx  aubergine  nuc   link  10.0.0.1:1215
";
        assert_eq!(rows(&status), expected);
        assert_eq!(document(&status)[0]["peers"]["nuc"], "down");
    }
}
