//! The certificates of a cluster, as an operator sees them, and what is wrong with them.

use certificate::{CertificateError, CertificateFacts, CertificatePlace};
use serde::Serialize;
use store_etcd::EtcdStore;

use super::turn::seconds;
use super::{PkiState, fingerprint, read_pki};
use crate::member::chain;
use crate::token::now;
use crate::{ClusterPlace, Roster, read_roster};

const DAY: u64 = 24 * 3600;

/// The daemon renews the certificate of a node with 30 days left: if it could not until so few are left, an operator must know.
const LEAF_ALARM: u64 = 15 * DAY;

/// An authority is replaced by an operator, who must know early.
const AUTHORITY_ALARM: u64 = 90 * DAY;

/// The certificates of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateReport {
    pub node: String,
    pub certificates: Vec<CertificateLine>,
    /// Serial numbers of certificates that members of the engine refuse.
    pub revoked: Vec<String>,
    /// None: no authority takes the place of another.
    pub rotation: Option<RotationLine>,
    pub warnings: Vec<String>,
    /// Why only what this node has is shown.
    pub fault: Option<String>,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateLine {
    /// `engine authority`, `engine`, `api authority` or `api`.
    pub kind: &'static str,
    /// The node whose it is. Empty: it is an authority of all.
    pub node: String,
    /// Of an authority, its SHA-256; of others, the serial number.
    pub id: String,
    /// Seconds since 1970.
    pub ends_at: u64,
    /// `issues`, `trusted`, `in use`, or `ended`.
    pub state: &'static str,
}

/// An authority takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RotationLine {
    pub phase: &'static str,
    pub began_at: u64,
    pub old: String,
    pub new: String,
    /// The nodes that have not come so far.
    pub waits_for: Vec<String>,
}

/// All that this node knows of the certificates of its cluster. `store` is None where the engine is not managed.
pub async fn report_certificates(
    place: &ClusterPlace,
    store: Option<&EtcdStore>,
    node: &str,
) -> Result<CertificateReport, CertificateError> {
    let at = now();
    let mut report = CertificateReport {
        node: node.to_owned(),
        certificates: Vec::new(),
        revoked: Vec::new(),
        rotation: None,
        warnings: Vec::new(),
        fault: None,
    };
    for (kinds, files) in [
        (["engine authority", "engine"], place.engine_certificates()),
        (["api authority", "api"], place.api_certificates()),
    ] {
        report.certificates.extend(own_lines(kinds, &files, node, at)?);
    }
    if let Some(store) = store {
        match read_all(store).await {
            Ok((roster, state)) => add_others(&mut report, &roster, &state, at),
            Err(fault) => report.fault = Some(fault),
        }
    }
    let own = report.certificates.iter().filter(|line| line.node == node || line.node.is_empty());
    let own: Vec<String> = own.filter_map(|line| words_of_end(line, at)).collect();
    for warning in own {
        if !report.warnings.contains(&warning) {
            report.warnings.push(warning);
        }
    }
    Ok(report)
}

async fn read_all(store: &EtcdStore) -> Result<(Roster, PkiState), String> {
    let roster = read_roster(store).await.map_err(|error| chain(&error))?;
    let roster = roster.ok_or("the engine holds no cluster that om cluster init made")?;
    Ok((roster, read_pki(store).await.map_err(|error| chain(&error))?))
}

fn own_lines(
    [authority, leaf]: [&'static str; 2],
    files: &CertificatePlace,
    node: &str,
    at: u64,
) -> Result<Vec<CertificateLine>, CertificateError> {
    let mut lines = Vec::new();
    for (place, pem) in files.trusted()?.iter().enumerate() {
        let ends_at = seconds(CertificateFacts::of_pem(pem)?.ends_at);
        let state = if ends_at <= at { "ended" } else { ["issues", "trusted"][place.min(1)] };
        lines.push(CertificateLine { kind: authority, node: String::new(), id: fingerprint(pem), ends_at, state });
    }
    if let Some((own, _)) = files.node()? {
        let facts = CertificateFacts::of_pem(&own.certificate)?;
        lines.push(leaf_line(leaf, node, facts.serial, seconds(facts.ends_at), at));
    }
    Ok(lines)
}

fn leaf_line(kind: &'static str, node: &str, id: String, ends_at: u64, at: u64) -> CertificateLine {
    let state = if ends_at <= at { "ended" } else { "in use" };
    CertificateLine { kind, node: node.to_owned(), id, ends_at, state }
}

fn add_others(report: &mut CertificateReport, roster: &Roster, state: &PkiState, at: u64) {
    for (node, said) in &state.nodes {
        if *node != report.node {
            report.certificates.push(leaf_line("engine", node, said.serial.clone(), said.ends_at, at));
        }
    }
    report.certificates.sort_by(|a, b| {
        (a.kind.starts_with("api"), !a.node.is_empty(), &a.node).cmp(&(
            b.kind.starts_with("api"),
            !b.node.is_empty(),
            &b.node,
        ))
    });
    report.revoked = state.revoked_serials();
    report.rotation = state.rotation.as_ref().map(|(row, _)| RotationLine {
        phase: row.phase.word(),
        began_at: row.began_at,
        old: row.old.clone(),
        new: row.new.clone(),
        waits_for: row.waits_for(&state.said(roster)).into_iter().map(str::to_owned).collect(),
    });
    report.warnings = warnings_of(state, roster, at);
}

/// What is wrong with the certificates of all nodes, one sentence each.
pub(crate) fn warnings_of(state: &PkiState, roster: &Roster, at: u64) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut authority = None;
    for (node, said) in state.said(roster) {
        let Some(said) = said else { continue };
        let line = leaf_line("engine", node, said.serial.clone(), said.ends_at, at);
        warnings.extend(words_of_end(&line, at));
        authority = authority.max(Some(said.authority_ends_at));
    }
    if let Some(ends_at) = authority {
        let line =
            CertificateLine { kind: "engine authority", node: String::new(), id: String::new(), ends_at, state: "" };
        warnings.extend(words_of_end(&line, at));
    }
    if let Some((row, _)) = &state.rotation {
        let waits = row.waits_for(&state.said(roster));
        let whom = if waits.is_empty() { String::new() } else { format!(", waiting for {}", waits.join(", ")) };
        let phase = row.phase.word();
        warnings.push(format!("the authority of the engine is being replaced: {phase}{whom} (om cluster cert ls)"));
    }
    warnings
}

/// In a sentence, that a certificate ends soon. None: it does not.
fn words_of_end(line: &CertificateLine, at: u64) -> Option<String> {
    let left = line.ends_at.saturating_sub(at);
    let is_authority = line.kind.ends_with("authority");
    if left >= if is_authority { AUTHORITY_ALARM } else { LEAF_ALARM } {
        return None;
    }
    let when = match left {
        0 => "has ended".to_owned(),
        _ => format!("ends in {} days", left / DAY),
    };
    Some(match (line.kind, &line.node) {
        ("engine authority", _) => format!("the authority of the engine {when}: om cluster cert rotate-ca replaces it"),
        ("api authority", _) => format!("the authority of the API {when}"),
        (kind, node) => {
            let of = if kind == "api" { "API" } else { "engine" };
            format!("the certificate of {node} for the {of} {when}: om cluster cert renew there renews it")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_soon_is_a_sentence_that_says_what_to_do() {
        let line = |kind, node: &str, days: u64| {
            let (node, id) = (node.to_owned(), String::new());
            words_of_end(
                &CertificateLine { kind, node, id, ends_at: 1000 * DAY + days * DAY + 1, state: "" },
                1000 * DAY,
            )
        };
        assert_eq!(line("engine", "n1", 15), None);
        let expected = "the certificate of n1 for the engine ends in 14 days: om cluster cert renew there renews it";
        assert_eq!(line("engine", "n1", 14).as_deref(), Some(expected));
        assert_eq!(line("engine authority", "", 90), None);
        let expected = "the authority of the engine ends in 89 days: om cluster cert rotate-ca replaces it";
        assert_eq!(line("engine authority", "", 89).as_deref(), Some(expected));
        let ended = leaf_line("api", "n1", String::new(), 5, 10);
        assert_eq!(ended.state, "ended");
        assert!(words_of_end(&ended, 10).is_some_and(|words| words.contains("for the API has ended")));
    }
}
