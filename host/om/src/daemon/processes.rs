//! `daemon ps`, `daemon kill`: what the daemon runs now.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::daemon::ProcessDocument;

use crate::command::OutputFormat;
use crate::each::each;
use crate::exit::Outcome;
use crate::render::moment;
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::print;

pub(super) fn list(session: &Session, format: OutputFormat) -> Outcome {
    let processes = session.daemon().ask(async |client| client.processes().await)?;
    let text = structured(format, &serde_json::to_value(&processes).unwrap_or_default());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    print(&text.unwrap_or_else(|| rows(&processes, now)));
    Ok(ExitCode::SUCCESS)
}

fn rows(processes: &[ProcessDocument], now: f64) -> String {
    let row = |process: &ProcessDocument| {
        let rids = process.rids.iter().map(ToString::to_string).collect::<Vec<_>>();
        vec![
            process.id.to_string(),
            process.path.to_string(),
            process.action.clone(),
            if rids.is_empty() { "-".to_owned() } else { rids.join(",") },
            moment::since(now - process.began_at),
            process.cause.clone(),
        ]
    };
    table(&["ID", "OBJECT", "ACTION", "RESOURCES", "FOR", "CAUSE"], &processes.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn kill(session: &Session, ids: &[u64]) -> Outcome {
    let daemon = session.daemon();
    let code = each(ids, |id| {
        daemon.ask(async |client| client.kill(*id).await)?;
        session.note(&format!("{id}: cancelled"));
        Ok(())
    });
    Ok(code.into())
}
