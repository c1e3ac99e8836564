//! What on the node keeps the resources of an instance from being up or down: what they hold although they should not, and what their
//! drivers found in their way.

use std::collections::BTreeSet;

use capability::holdings::{HoldingProof, Ledger, ProofVerdict, prove};
use driver::{LogSeverity, ReportMessage};
use exec::blocking;
use holding::HoldingRecord;
use model::ObjectPath;
use model::status::State;
use protocol::daemon::ObstacleDocument;

use crate::state::InstanceState;
use crate::status::ResourceStatus;
use crate::{Agent, holdings};

impl Agent {
    /// What keeps the resources of an instance from being up or down. The last status says which of them to look at, and the host looks
    /// at what they hold.
    pub async fn obstacles(&self, path: &ObjectPath) -> Vec<ObstacleDocument> {
        let Ok(status) = self.last_or_new_status(path, false).await else { return Vec::new() };
        let troubled: Vec<&ResourceStatus> = status.resources.iter().filter(|seen| !is_as_it_should_be(seen)).collect();
        let rids: BTreeSet<String> = troubled.iter().map(|seen| seen.rid.to_string()).collect();
        let (home, object) = (self.home().clone(), path.clone());
        let records = blocking(move || {
            let wanted = |record: &HoldingRecord| {
                let is_kept = !record.is_undone() && record.holding.must_be_gone();
                is_kept && rids.contains(&record.rid)
            };
            let mut records = Ledger::open(&home.holdings(&object)).records(wanted);
            records.extend(holdings::declared(&InstanceState::of(&home, &object), |rid| rids.contains(rid)));
            records
        });
        let home = self.home().clone();
        let proofs = prove(&path.to_string(), records.await, || holdings::every_record(&home)).await;
        let held = proofs.iter().filter_map(|proof| held(path, proof));
        let told =
            troubled.iter().flat_map(|seen| seen.messages.iter().filter_map(|message| told(path, seen, message)));
        held.chain(told).collect()
    }
}

fn is_as_it_should_be(seen: &ResourceStatus) -> bool {
    let is_settled = matches!(seen.state, State::Up | State::StdbyUp | State::Na);
    is_settled && !seen.messages.iter().any(|message| message.level >= LogSeverity::Warn)
}

fn held(path: &ObjectPath, proof: &HoldingProof) -> Option<ObstacleDocument> {
    let (holder, remedy) = match &proof.verdict {
        // What uses it is in the way itself, if anything is.
        ProofVerdict::Gone | ProofVerdict::Shared(_) => return None,
        ProofVerdict::Still(how) => {
            (how.clone(), format!("end what uses it, if something does, and then: om {path} stop"))
        }
        ProofVerdict::NotProven(why) => (
            format!("that it is gone cannot be seen: {why}"),
            format!(
                "mend that, and then: om {path} stop; or, if it is surely gone: om {path} stop --local --force --i-know"
            ),
        ),
    };
    let thing = proof.record.holding.to_string();
    Some(ObstacleDocument { rid: proof.record.rid.clone(), kind: "held".to_owned(), thing, holder, remedy })
}

fn told(path: &ObjectPath, seen: &ResourceStatus, message: &ReportMessage) -> Option<ObstacleDocument> {
    if message.level < LogSeverity::Warn {
        return None;
    }
    // The words of all drivers for what is there and was not made by the resource.
    let is_stranger = ["not by this resource", "--adopt"].iter().any(|words| message.text.contains(words));
    let remedy = match is_stranger {
        true => format!("take it away, or: om {path} start --local --adopt"),
        false => String::new(),
    };
    Some(ObstacleDocument {
        rid: seen.rid.to_string(),
        kind: "told".to_owned(),
        thing: message.text.clone(),
        holder: String::new(),
        remedy,
    })
}
