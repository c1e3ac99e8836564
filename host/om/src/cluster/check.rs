//! `om cluster check`.

use std::process::ExitCode;

use etcd::Finding;
use protocol::daemon::EngineReport;

use super::seat;
use crate::backend::LocalCluster;
use crate::command::CheckArgs;
use crate::exit::{Failure, Outcome};
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::print;

pub(super) fn run(session: &Session, cluster: &LocalCluster, args: &CheckArgs) -> Outcome {
    let mut findings = cluster.check(&seat(&args.seat)?, true, session.running_daemon()?.is_some())?;
    match cluster.status() {
        Ok(report) => findings.extend(of_engine(&report)),
        // A node alone has no engine to check.
        Err(Failure { kind: protocol::FailureKind::NotHere, .. }) => {}
        Err(error) => findings.push(Finding::error("engine", format!("{:#}", error.error))),
    }
    findings.extend(cluster.fence_warning()?.map(|text| Finding::warning("fence", text)));
    let document = serde_json::to_value(&findings).unwrap_or_default();
    let row = |finding: &Finding| vec![finding.state.to_owned(), finding.what.to_owned(), finding.text.clone()];
    let rows: Vec<Vec<String>> = findings.iter().map(row).collect();
    print(&structured(args.output.format, &document).unwrap_or_else(|| table(&["STATE", "WHAT", "FOUND"], &rows)));
    let failed = findings.iter().any(Finding::is_error);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn of_engine(report: &EngineReport) -> Vec<Finding> {
    let down = report.members.iter().filter(|member| member.state == "down");
    let down = down.map(|member| {
        let fault = member.fault.clone().unwrap_or_default();
        Finding::error("engine", format!("{} does not answer: {fault}", member.name))
    });
    let advice = report.advice.iter().map(|text| Finding::warning("engine", text.clone()));
    let loss = match report.loss.starts_with("no ") || report.loss.contains("has no majority") {
        true => Finding::warning("loss", report.loss.clone()),
        false => Finding::ok("loss", report.loss.clone()),
    };
    down.chain(advice).chain([loss]).collect()
}
