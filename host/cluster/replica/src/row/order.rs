//! The row of an order.

use std::collections::BTreeMap;
use std::time::Duration;

use model::NodeName;
use orchestrate::{
    ActionRecord, ActionSequence, BootTime, InstanceAction, Intent, IntentGoal, IntentId, IntentOutcome, Reason,
};
use serde::{Deserialize, Serialize};

use crate::word::{EndWord, action};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IntentRow {
    id: u128,
    goal: GoalRow,
    /// How long it may take, in milliseconds.
    lifetime: u64,
    /// When it was accepted: the boot of the node, and the time since then in milliseconds. On another node or boot, the time
    /// counts from when it was first seen.
    boot: String,
    accepted: u64,
    #[serde(default)]
    records: BTreeMap<String, Vec<RecordRow>>,
    #[serde(default)]
    outcome: Option<OutcomeRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RecordRow {
    sequence: u64,
    #[serde(with = "action")]
    action: InstanceAction,
    end: EndWord,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GoalRow {
    Started { order: Vec<String>, count: usize },
    Stopped,
    Restarted { order: Vec<String> },
    Placed { on: Vec<String> },
    Provisioned { leader: String },
    Unprovisioned { leader: String },
    Purged { leader: String },
    Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeRow {
    Done,
    Failure(ReasonRow),
    Abortion,
    Supersession(u128),
    Expiry(Vec<ReasonRow>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ReasonRow {
    code: String,
    text: String,
}

/// The moment at which a node reads or writes the times of orders.
#[derive(Debug, Clone, Copy)]
pub struct RowClock<'a> {
    /// The boot of this node.
    pub boot: &'a str,
    pub now: BootTime,
}

impl IntentRow {
    pub(crate) fn of(intent: &Intent, clock: RowClock<'_>) -> IntentRow {
        let records = intent
            .records
            .iter()
            .map(|(node, records)| (node.to_string(), records.iter().map(RecordRow::of).collect()));
        IntentRow {
            id: intent.id.0,
            goal: GoalRow::of(&intent.goal),
            // The rest and not the end: another node's clock since its boot counts from elsewhere.
            lifetime: millis(intent.expires.since(clock.now)),
            boot: clock.boot.to_owned(),
            accepted: millis(clock.now.since_boot()),
            records: records.collect(),
            outcome: intent.outcome.as_ref().map(OutcomeRow::of),
        }
    }

    /// The intent. `seen` is when this node first saw it.
    pub(crate) fn intent(&self, boot: &str, seen: BootTime) -> Intent {
        // On another node the order may live longer by the time that its news took, never shorter.
        let accepted = if self.boot == boot { at(self.accepted) } else { seen };
        let records = self
            .records
            .iter()
            .filter_map(|(node, records)| Some((node.parse().ok()?, records.iter().map(RecordRow::record).collect())));
        Intent {
            id: IntentId(self.id),
            goal: self.goal.goal(),
            expires: accepted + Duration::from_millis(self.lifetime),
            records: records.collect(),
            outcome: self.outcome.as_ref().map(OutcomeRow::outcome),
        }
    }

    pub(crate) fn id(&self) -> IntentId {
        IntentId(self.id)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// Ends it, unless it has ended.
    pub(crate) fn end(&mut self, outcome: &IntentOutcome) {
        // The first outcome stands, whichever node saw it.
        self.outcome.get_or_insert_with(|| OutcomeRow::of(outcome));
    }

    /// Forgets failures, so that they are tried again.
    pub(crate) fn clear(&mut self) {
        for records in self.records.values_mut() {
            // Successes stay: what is done for the order is not done again.
            records.retain(|record| !matches!(record.end, EndWord::Failure(_)));
        }
    }

    /// Adds what an instance did. The same record may arrive twice.
    pub(crate) fn note(&mut self, node: &NodeName, record: &ActionRecord) {
        let records = self.records.entry(node.to_string()).or_default();
        if records.iter().all(|known| known.sequence != record.sequence.0) {
            records.push(RecordRow::of(record));
        }
    }
}

impl RecordRow {
    fn of(record: &ActionRecord) -> RecordRow {
        RecordRow { sequence: record.sequence.0, action: record.action, end: record.end.clone().into() }
    }

    fn record(&self) -> ActionRecord {
        ActionRecord { sequence: ActionSequence(self.sequence), action: self.action, end: self.end.clone().into() }
    }
}

impl GoalRow {
    fn of(goal: &IntentGoal) -> GoalRow {
        let names = |nodes: &[NodeName]| nodes.iter().map(NodeName::to_string).collect();
        match goal {
            IntentGoal::Started { order, count } => GoalRow::Started { order: names(order), count: *count },
            IntentGoal::Stopped => GoalRow::Stopped,
            IntentGoal::Restarted { order } => GoalRow::Restarted { order: names(order) },
            IntentGoal::Placed { on } => GoalRow::Placed { on: names(on) },
            IntentGoal::Provisioned { leader } => GoalRow::Provisioned { leader: leader.to_string() },
            IntentGoal::Unprovisioned { leader } => GoalRow::Unprovisioned { leader: leader.to_string() },
            IntentGoal::Purged { leader } => GoalRow::Purged { leader: leader.to_string() },
            IntentGoal::Deleted => GoalRow::Deleted,
        }
    }

    fn goal(&self) -> IntentGoal {
        // What was written were names of nodes; one that is not is another version's, and no node here answers to it.
        let nodes = |names: &[String]| names.iter().filter_map(|name| name.parse().ok()).collect();
        let node = |name: &String| name.parse().unwrap_or_else(|_| nobody());
        match self {
            GoalRow::Started { order, count } => IntentGoal::Started { order: nodes(order), count: *count },
            GoalRow::Stopped => IntentGoal::Stopped,
            GoalRow::Restarted { order } => IntentGoal::Restarted { order: nodes(order) },
            GoalRow::Placed { on } => IntentGoal::Placed { on: nodes(on) },
            GoalRow::Provisioned { leader } => IntentGoal::Provisioned { leader: node(leader) },
            GoalRow::Unprovisioned { leader } => IntentGoal::Unprovisioned { leader: node(leader) },
            GoalRow::Purged { leader } => IntentGoal::Purged { leader: node(leader) },
            GoalRow::Deleted => IntentGoal::Deleted,
        }
    }
}

fn nobody() -> NodeName {
    "nobody".parse().expect("this is the name of a node")
}

impl OutcomeRow {
    fn of(outcome: &IntentOutcome) -> OutcomeRow {
        match outcome {
            IntentOutcome::Done => OutcomeRow::Done,
            IntentOutcome::Failure(reason) => OutcomeRow::Failure(ReasonRow::of(reason)),
            IntentOutcome::Abortion => OutcomeRow::Abortion,
            IntentOutcome::Supersession(id) => OutcomeRow::Supersession(id.0),
            IntentOutcome::Expiry(reasons) => OutcomeRow::Expiry(reasons.iter().map(ReasonRow::of).collect()),
        }
    }

    fn outcome(&self) -> IntentOutcome {
        match self {
            OutcomeRow::Done => IntentOutcome::Done,
            OutcomeRow::Failure(reason) => IntentOutcome::Failure(reason.reason()),
            OutcomeRow::Abortion => IntentOutcome::Abortion,
            OutcomeRow::Supersession(id) => IntentOutcome::Supersession(IntentId(*id)),
            OutcomeRow::Expiry(reasons) => IntentOutcome::Expiry(reasons.iter().map(ReasonRow::reason).collect()),
        }
    }
}

impl ReasonRow {
    fn of(reason: &Reason) -> ReasonRow {
        // As text: a node of another version shows a reason that it does not know.
        ReasonRow { code: reason.code().to_owned(), text: reason.to_string() }
    }

    fn reason(&self) -> Reason {
        Reason::Recorded { code: self.code.clone(), text: self.text.clone() }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn at(millis: u64) -> BootTime {
    BootTime::after_boot(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::write;

    #[test]
    fn an_order_is_read_as_it_was_written_and_expires_at_the_same_time_in_the_same_boot() {
        let node: NodeName = "n1".parse().unwrap();
        let record = ActionRecord {
            sequence: ActionSequence(4),
            action: InstanceAction::Start,
            end: orchestrate::ActionEnd::Failure("no".to_owned()),
        };
        let intent = Intent {
            id: IntentId(7 << 100),
            goal: IntentGoal::Started { order: vec![node.clone()], count: 1 },
            expires: at(61_000),
            records: BTreeMap::from([(node, vec![record])]),
            outcome: Some(IntentOutcome::Failure(Reason::Recorded { code: "failure".into(), text: "no".into() })),
        };
        let row = IntentRow::of(&intent, RowClock { boot: "b1", now: at(1000) });
        let again: IntentRow = serde_json::from_slice(&write(&row)).unwrap();
        assert_eq!(again.intent("b1", at(50_000)), intent);
        // After a reboot, the whole time counts again.
        assert_eq!(again.intent("b2", at(5000)).expires, at(65_000));
    }
}
