//! The engine does not answer: since when, what that means for this node, and what is refused meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use agent::node::note_engine_away;
use model::NodeName;
use orchestrate::BootTime;
use protocol::FailureKind;
use protocol::daemon::EngineOutage;

use super::link::RECENT;
use super::member::Membership;
use crate::RequestError;
use crate::guard::LOOP;
use crate::owner::Owner;

/// Without an acknowledged beat for so long, the others are asked for promises.
const ENGINE_SILENCE: Duration = LOOP.saturating_mul(2);

impl Membership {
    /// Whether the engine has acknowledged nothing for so long that the others are asked. A node whose life has ended sends no beats.
    pub(crate) fn is_engine_away(&self, now: BootTime) -> bool {
        self.ownership.incarnation().is_some() && now.since(self.acknowledged) >= ENGINE_SILENCE
    }
}

impl Owner {
    /// Why nothing can be ordered while the engine is away. What is sent all the same would take its time, and fail.
    pub(crate) fn engine_refusal(&self) -> Option<RequestError> {
        let outage = self.outage()?;
        let message = format!(
            "the engine has not answered for {}s: no order is taken until it does, and nothing moves (om mon)",
            outage.seconds
        );
        Some(RequestError::new(FailureKind::Failed, message))
    }

    /// Notes for the commands of this node whether the engine answers.
    pub(super) fn note_outage(&mut self, now: BootTime) {
        let Some(member) = &mut self.member else { return };
        let away = member.is_engine_away(now).then(|| {
            let since = member.acknowledged.since_boot().as_secs_f64() + self.clock_offset;
            since.max(0.0)
        });
        if member.link.noted == Some(away.is_some()) {
            return;
        }
        // Without the note an edit is made here, and reaches the others later.
        let _ = note_engine_away(self.agent.home(), away);
        member.link.noted = Some(away.is_some());
    }

    /// How this node does without the engine, while it is away.
    pub(crate) fn outage(&self) -> Option<EngineOutage> {
        let now = crate::clock::now();
        let member = self.member.as_ref().filter(|member| member.is_engine_away(now))?;
        let members: BTreeSet<NodeName> = self.shared.members.iter().flat_map(|it| it.value.names()).collect();
        let promised = |node: &NodeName| {
            let peer = member.link.peers.get(node);
            peer.and_then(|peer| peer.promised).is_some_and(|at| now.since(at) < RECENT)
        };
        let silent: Vec<String> =
            members.iter().filter(|node| **node != self.me && !promised(node)).map(NodeName::to_string).collect();
        let failsafe = silent.is_empty() && members.contains(&self.me);
        let until = self.guard.terms().into_iter().map(|(_, until)| until).min();
        let left = until.map(|until| deadline::hard_deadline(until).saturating_sub(now.since_boot()).as_secs());
        Some(EngineOutage {
            seconds: now.since(member.acknowledged).as_secs(),
            nodes: members.len(),
            silent,
            failsafe,
            cut_in: left.filter(|_| !failsafe),
        })
    }
}
