//! `om cluster init`.

use std::process::ExitCode;
use std::time::Duration;

use super::{engine_files, seat, without_daemon};
use crate::backend::{InitOrder, LocalCluster};
use crate::command::InitArgs;
use crate::exit::{Failure, Outcome};
use crate::session::Session;
use crate::terminal::{print, warn};

/// How long the first token is good, and for how many nodes.
const TOKEN_LIFE: Duration = Duration::from_secs(3600);
const TOKEN_USES: u32 = 10;

pub(super) fn run(session: &Session, cluster: &LocalCluster, args: &InitArgs) -> Outcome {
    let engine: Vec<String> = match args.engine.as_str() {
        "managed" => Vec::new(),
        urls => urls.split(',').map(|url| url.trim().trim_end_matches('/').to_owned()).collect(),
    };
    if let Some(url) = engine.iter().find(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        return Err(Failure::failed(format!("--engine {url}: expected managed, or addresses as http://10.0.0.1:2379")));
    }
    let _claim = cluster.claim()?;
    let order = InitOrder {
        name: args.name.clone(),
        seat: seat(&args.seat)?,
        engine,
        files: engine_files([&args.ca, &args.cert, &args.key]),
        voters: args.voters.parse().unwrap_or(3),
    };
    let plan = cluster.plan_init(order, session.running_daemon()?.is_some())?;
    plan.warnings.iter().for_each(|finding| warn(&finding.text));
    without_daemon(session, || cluster.begin(&plan))?;
    let (token, _) = cluster.create_token(TOKEN_LIFE, TOKEN_USES)?;
    session.note(&format!("cluster {}, {}", plan.name, plan.engine_words()));
    session.note("on each other node, within 1 h:");
    print(&format!("  om cluster join {} --token {token}\n", plan.target()));
    Ok(ExitCode::SUCCESS)
}
