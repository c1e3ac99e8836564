//! `om cluster status`.

use std::process::ExitCode;

use protocol::daemon::{EngineMemberLine, EngineReport};

use crate::backend::LocalCluster;
use crate::command::OutputFormat;
use crate::exit::Outcome;
use crate::render::structured::structured;
use crate::render::table::table;
use crate::terminal::print;

pub(super) fn run(cluster: &LocalCluster, format: OutputFormat) -> Outcome {
    let report = cluster.status()?;
    let text = structured(format, &serde_json::to_value(&report).unwrap_or_default());
    print(&text.unwrap_or_else(|| words(&report)));
    Ok(ExitCode::SUCCESS)
}

fn words(report: &EngineReport) -> String {
    let kind = if report.managed { "managed" } else { "not managed" };
    let mut text = format!(
        "cluster {}, engine {kind}, revision {}, generation {}\n\n",
        report.cluster, report.revision, report.generation
    );
    let node = |node: &str| {
        let line = report.nodes.iter().find(|line| line.node == node);
        line.map_or_else(Vec::new, |line| vec![line.node.clone(), line.address.clone(), line.state.clone()])
    };
    let with_member = |name: &str| report.members.iter().any(|member| member.node == name);
    let mut rows: Vec<Vec<String>> = report.members.iter().map(|member| row(node(&member.node), member)).collect();
    for line in report.nodes.iter().filter(|line| !with_member(&line.node)) {
        rows.push([node(&line.node), vec![String::new(); 5]].concat());
    }
    text += &table(&["NODE", "ADDRESS", "STATE", "ENGINE", "ROLE", "VERSION", "REVISION", "SIZE"], &rows);
    text += &format!("\n{}\n", report.loss);
    report.advice.iter().for_each(|line| text += &format!("{line}\n"));
    text
}

fn row(node: Vec<String>, member: &EngineMemberLine) -> Vec<String> {
    // A member that has not started yet, or one of an engine that is not managed, is on no node that is known.
    let node = if node.is_empty() { vec![member.name.clone(), member.address.clone(), String::new()] } else { node };
    let role = if member.leads { format!("{} (leads)", member.role) } else { member.role.clone() };
    let version = member.version.clone().unwrap_or_default();
    let size = format!("{:.1} MB", member.bytes as f64 / 1e6);
    let engine = vec![member.state.clone(), role, version, member.revision.to_string(), size];
    [node, engine].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::daemon::ClusterNodeLine;

    #[test]
    fn every_node_and_every_member_has_a_row() {
        let member = |node: &str, role: &str, leads| EngineMemberLine {
            node: node.to_owned(),
            name: format!("{node}-1"),
            id: "1".to_owned(),
            address: format!("https://{node}:2379"),
            role: role.to_owned(),
            state: "up".to_owned(),
            leads,
            version: Some("3.4.23".to_owned()),
            revision: 7,
            applied: 9,
            bytes: 20_480,
            bytes_in_use: 1,
            fault: None,
        };
        let node = |node: &str| ClusterNodeLine {
            node: node.to_owned(),
            address: "10.0.0.1".to_owned(),
            state: "joined".to_owned(),
        };
        let report = EngineReport {
            cluster: "blue".to_owned(),
            id: "7".to_owned(),
            managed: true,
            nodes: vec![node("n1"), node("n2"), node("n5")],
            members: vec![member("n1", "voter", true), member("n2", "learner", false)],
            voters: 1,
            revision: 7,
            generation: 2,
            alarms: Vec::new(),
            loss: "no failure of n1's engine is survived; join a third node".to_owned(),
            advice: vec!["etcd 3.4.23: old".to_owned()],
        };
        let expected = "cluster blue, engine managed, revision 7, generation 2\n\n\
            NODE  ADDRESS   STATE   ENGINE  ROLE           VERSION  REVISION  SIZE\n\
            n1    10.0.0.1  joined  up      voter (leads)  3.4.23   7         0.0 MB\n\
            n2    10.0.0.1  joined  up      learner        3.4.23   7         0.0 MB\n\
            n5    10.0.0.1  joined\n\
            \nno failure of n1's engine is survived; join a third node\netcd 3.4.23: old\n";
        assert_eq!(words(&report), expected);
    }
}
