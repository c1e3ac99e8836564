//! `om pool …`: the pools of this node, from which volumes are made.

use std::process::ExitCode;

use protocol::{PoolDocument, PoolList};
use serde_json::json;

use crate::command::PoolCommand;
use crate::exit::Outcome;
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::{print, warn};

pub(crate) fn run(session: &Session, command: PoolCommand) -> Outcome {
    let PoolList { pools } = session.backend.pools()?;
    let text = match command {
        PoolCommand::Ls(output) => {
            let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
            let lines = || names.iter().map(|name| format!("{name}\n")).collect();
            structured(output.into_inner().format, &json!(names)).unwrap_or_else(lines)
        }
        PoolCommand::Status(output) => {
            for pool in &pools {
                if let Some(error) = &pool.error {
                    warn(&format!("{} {error}", pool.name));
                }
            }
            let shown = serde_json::to_value(&pools).unwrap_or_default();
            structured(output.into_inner().format, &shown).unwrap_or_else(|| rows(&pools))
        }
    };
    print(&text);
    Ok(ExitCode::SUCCESS)
}

fn rows(pools: &[PoolDocument]) -> String {
    let mebibytes = |bytes: Option<u64>| bytes.map_or("-".to_owned(), |bytes| (bytes >> 20).to_string());
    let row = |pool: &PoolDocument| {
        vec![
            pool.name.clone(),
            pool.kind.clone(),
            pool.capabilities.join(","),
            pool.head.clone(),
            pool.volumes.len().to_string(),
            mebibytes(pool.size),
            mebibytes(pool.free),
        ]
    };
    let columns = ["NAME", "TYPE", "CAPABILITIES", "HEAD", "VOLUMES", "SIZE", "FREE"];
    table(&columns, &pools.iter().map(row).collect::<Vec<_>>())
}
