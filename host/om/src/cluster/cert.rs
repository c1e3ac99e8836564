//! `om cluster cert`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use etcd::{CertificateLine, CertificateReport};
use serde_json::json;

use crate::backend::LocalCluster;
use crate::command::{ClusterCertCommand, OutputFormat, RotateArgs};
use crate::exit::{self, Outcome};
use crate::render::moment;
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::{complain, print, warn};

/// Members start again one after the other, each in a few seconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) fn run(session: &Session, cluster: &LocalCluster, command: ClusterCertCommand) -> Outcome {
    match command {
        ClusterCertCommand::Ls(output) => list(cluster, output.format),
        ClusterCertCommand::Renew(output) => renew(session, cluster, output.format),
        ClusterCertCommand::RotateCa(args) => rotate(session, cluster, &args),
    }
}

fn list(cluster: &LocalCluster, format: OutputFormat) -> Outcome {
    let report = cluster.certificates()?;
    let text = structured(format, &serde_json::to_value(&report).unwrap_or_default());
    print(&text.unwrap_or_else(|| words(&report)));
    Ok(ExitCode::SUCCESS)
}

fn words(report: &CertificateReport) -> String {
    let row = |line: &CertificateLine| {
        let id: String = line.id.chars().take(32).collect();
        vec![line.kind.to_owned(), line.node.clone(), id, moment::date(line.ends_at as f64), line.state.to_owned()]
    };
    let rows: Vec<Vec<String>> = report.certificates.iter().map(row).collect();
    let mut text = table(&["KIND", "NODE", "ID", "UNTIL", "STATE"], &rows);
    let mut lines = report.warnings.clone();
    if !report.revoked.is_empty() {
        lines.push(format!("revoked: {}", report.revoked.join(" ")));
    }
    if let Some(fault) = &report.fault {
        lines.push(format!("only what this node has is shown, as the engine does not answer: {fault}"));
    }
    if !lines.is_empty() {
        text += &format!("\n{}\n", lines.join("\n"));
    }
    text
}

/// The daemon need not run: it would ask for nothing else.
fn renew(session: &Session, cluster: &LocalCluster, format: OutputFormat) -> Outcome {
    let _claim = cluster.claim()?;
    let engine = cluster.renew_certificate()?;
    let api = match session.running_daemon()? {
        Some(daemon) => {
            daemon.ask(async |client| client.renew_certificate().await)?;
            true
        }
        None => false,
    };
    let report = cluster.certificates()?;
    let own: Vec<&CertificateLine> = report.certificates.iter().filter(|line| line.node == report.node).collect();
    let document = json!({ "node": report.node, "engine": engine, "api": api, "certificates": own });
    if let Some(text) = structured(format, &document) {
        print(&text);
        return Ok(ExitCode::SUCCESS);
    }
    for line in own.iter().filter(|line| if line.kind == "api" { api } else { engine }) {
        let until = moment::date(line.ends_at as f64);
        session.note(&format!("{}: certificate {}, good until {until}", line.kind, line.id));
    }
    if !engine {
        session.note("the engine is not managed: its certificate is cluster.engine_certificate of cluster.conf");
    }
    if !api {
        session.note("no daemon runs: it makes a new certificate for the API when it starts, if that is due");
    }
    Ok(ExitCode::SUCCESS)
}

fn rotate(session: &Session, cluster: &LocalCluster, args: &RotateArgs) -> Outcome {
    let began = Instant::now();
    let begun = cluster.begin_rotation()?;
    session.note(if begun {
        "another authority of the engine takes the place of this one"
    } else {
        "another authority takes the place of this one already: waiting for it"
    });
    let until = began + args.time.unwrap_or(PATIENCE);
    let mut said = String::new();
    loop {
        let report = cluster.certificates()?;
        // An engine whose member starts again may not answer for a moment.
        if report.fault.is_none() {
            let Some(rotation) = &report.rotation else { return done(session, &report, args, began) };
            let words = match &rotation.waits_for[..] {
                [] => rotation.phase.to_owned(),
                waits => format!("{}: waiting for {}", rotation.phase, waits.join(", ")),
            };
            if words != said {
                session.note(&words);
                said = words;
            }
        }
        if Instant::now() >= until {
            complain("not all nodes have come so far. The daemons go on: om cluster cert ls shows it");
            return Ok(ExitCode::from(exit::TIMED_OUT));
        }
        std::thread::sleep(PAUSE);
    }
}

fn done(session: &Session, report: &CertificateReport, args: &RotateArgs, began: Instant) -> Outcome {
    let seconds = began.elapsed().as_secs_f64();
    let authority = report.certificates.iter().find(|line| line.kind == "engine authority");
    let document = json!({ "authority": authority, "seconds": seconds });
    match structured(args.output.format, &document) {
        Some(text) => print(&text),
        None => session.note(&format!("the authority of the engine was replaced, after {seconds:.1} s")),
    }
    report.warnings.iter().for_each(|text| warn(text));
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_certificate_has_a_row_and_what_is_wrong_stands_below() {
        let line = |kind, node: &str, id: &str, state| {
            let (node, id) = (node.to_owned(), id.to_owned());
            CertificateLine { kind, node, id, ends_at: 0, state }
        };
        let report = CertificateReport {
            node: "n1".to_owned(),
            certificates: vec![
                line("engine authority", "", &"a".repeat(64), "issues"),
                line("engine", "n1", "41ab", "ended"),
            ],
            revoked: vec!["42".to_owned()],
            rotation: None,
            warnings: vec!["the certificate has ended".to_owned()],
            fault: None,
        };
        let text = words(&report);
        let head = text.lines().next().unwrap_or_default();
        assert!(head.starts_with("KIND") && head.ends_with("STATE"), "{text}");
        assert!(text.contains(&format!("  {}  ", "a".repeat(32))) && text.contains("engine            n1"), "{text}");
        assert!(text.ends_with("\nthe certificate has ended\nrevoked: 42\n"), "{text}");
    }
}
