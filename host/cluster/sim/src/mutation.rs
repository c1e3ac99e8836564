//! Rules broken on purpose: each mutation shows the orchestrator a view in which the rule has nothing to hold on to. The checks
//! look at the true view, and must find it.

use std::sync::Arc;

use model::NodeName;
use orchestrate::{
    ActionSequence, AttemptLog, BootPhase, InstanceView, MonitorEpisode, ObjectView, SlotState, ViewParts,
};

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutation {
    /// Freezes of instances are not seen.
    BlindToFreeze,
    /// Freezes of nodes are not seen.
    BlindToNodeFreeze,
    /// Maintenances are not seen.
    BlindToMaintenance,
    /// A status counts whatever was done since.
    StaleStatus,
    /// What a person stopped is not remembered.
    ForgetHands,
    /// Attempts are not counted.
    ForgetAttempts,
    /// Automatic starts are not counted.
    ForgetStarts,
    /// What was done for an order is not remembered.
    ForgetRecords,
    /// A monitor action is done again and again.
    ForgetMonitor,
    /// Failures block nothing.
    ForgetFailures,
    /// The queue has no end.
    EndlessQueue,
    /// Parents are not waited for.
    Orphans,
    /// The boot is not cleared first.
    SkipBoot,
    /// A running action is not seen.
    BlindToActions,
    /// A slot that reads as one's own counts.
    TrustReadSlots,
    /// Every slot looks free.
    FreeSlots,
    /// Outcomes are not written.
    NoOutcome,
    /// A probe that does not answer proves that the resource is down.
    TrustSilence,
    /// A stop that succeeded is not remembered.
    ForgetStop,
}

impl Mutation {
    pub const ALL: [Mutation; 19] = [
        Mutation::BlindToFreeze,
        Mutation::BlindToNodeFreeze,
        Mutation::BlindToMaintenance,
        Mutation::StaleStatus,
        Mutation::ForgetHands,
        Mutation::ForgetAttempts,
        Mutation::ForgetStarts,
        Mutation::ForgetRecords,
        Mutation::ForgetMonitor,
        Mutation::ForgetFailures,
        Mutation::EndlessQueue,
        Mutation::Orphans,
        Mutation::SkipBoot,
        Mutation::BlindToActions,
        Mutation::TrustReadSlots,
        Mutation::FreeSlots,
        Mutation::NoOutcome,
        Mutation::TrustSilence,
        Mutation::ForgetStop,
    ];

    /// The view in which the rule is broken.
    pub(crate) fn forge(self, mut parts: ViewParts, me: &NodeName) -> ViewParts {
        if let Some((_, nodes)) = &mut parts.nodes {
            for node in nodes.values_mut() {
                match self {
                    Mutation::BlindToNodeFreeze => node.frozen = false,
                    Mutation::EndlessQueue => node.max_parallel = usize::MAX,
                    _ => {}
                }
            }
        }
        if let Some((_, objects)) = &mut parts.objects {
            objects.values_mut().for_each(|object| self.forge_object(Arc::make_mut(object), me));
        }
        parts
    }

    fn forge_object(self, object: &mut ObjectView, me: &NodeName) {
        match self {
            Mutation::BlindToMaintenance => object.maintenance = None,
            Mutation::ForgetRecords => object.intent.iter_mut().for_each(|intent| intent.records.clear()),
            Mutation::NoOutcome => object.intent = object.intent.take().filter(|intent| intent.outcome.is_some()),
            Mutation::TrustReadSlots => object.slots.iter_mut().for_each(|slot| slot.confirmed = slot.owner == *me),
            Mutation::FreeSlots => object.slots.iter_mut().for_each(|slot| slot.state = SlotState::Released),
            Mutation::Orphans => {
                object.rules.iter_mut().for_each(|rules| Arc::make_mut(rules).parents.clear());
            }
            _ => {}
        }
        if let Some(own) = object.instances.get_mut(me) {
            self.forge_instance(own);
        }
    }

    fn forge_instance(self, own: &mut InstanceView) {
        match self {
            Mutation::BlindToFreeze => own.frozen = false,
            Mutation::StaleStatus => {
                own.status.iter_mut().for_each(|status| status.after = ActionSequence(u64::MAX));
            }
            Mutation::ForgetHands => own.record.stopped.clear(),
            Mutation::ForgetAttempts => own.record.restarts.clear(),
            Mutation::ForgetStarts => own.record.starts = AttemptLog::new(),
            Mutation::ForgetMonitor => {
                own.record.monitor = own.record.monitor.filter(|episode| *episode == MonitorEpisode::Prepared);
            }
            Mutation::ForgetFailures => own.failure = None,
            Mutation::ForgetStop => own.record.stop = None,
            Mutation::TrustSilence => own.status.iter_mut().for_each(|status| status.unproven = false),
            Mutation::SkipBoot => own.record.boot = BootPhase::Clear,
            Mutation::BlindToActions => own.running = None,
            _ => {}
        }
    }
}
