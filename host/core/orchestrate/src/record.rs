//! What a node remembers of one of its instances, and how that changes.
//!
//! The daemon and the simulator change a record by the functions of this file alone, and keep it on disk. What a reboot
//! undoes is forgotten with the boot ([`InstanceRecord::reboot`]).

use std::collections::{BTreeMap, BTreeSet};

use model::Rid;
use model::status::State;

use crate::{
    ActionCause, ActionEnd, ActionScope, ActionSequence, ActionStep, AttemptLog, BootTime, InstanceAction,
    InstanceView, MonitorAction, ObjectRules, StoreRevision,
};

/// What a node remembers of one of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRecord {
    /// The last action that began.
    pub sequence: ActionSequence,
    pub local_expect: LocalExpect,
    /// The last action, if it was a stop of the whole instance that succeeded.
    pub stop: Option<ActionSequence>,
    pub boot: BootPhase,
    /// The resources that a person stopped one by one: they stay down until somebody starts them.
    pub stopped: BTreeSet<Rid>,
    /// When the daemon started the instance of its own accord.
    pub starts: AttemptLog,
    /// When the daemon restarted a resource.
    pub restarts: BTreeMap<Rid, AttemptLog>,
    pub monitor: Option<MonitorEpisode>,
    /// When, in the order of the store, it was last started.
    pub last_start: Option<StoreRevision>,
    /// How often it was cleared when the attempts above were counted.
    pub clears: u64,
}

/// What the node shall keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalExpect {
    /// Nothing.
    None,
    /// What was started.
    Started,
}

/// How far the instance came since the boot of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BootPhase {
    /// What the last boot left behind is still to be cleared.
    Due,
    /// It is cleared. `orchestrate = start` may now start the instance.
    Clear,
    /// The boot is over: nothing is started because of it any more.
    Over,
}

/// How far the answer to failed monitored resources came. It ends when they are all up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MonitorEpisode {
    /// `pre_monitor_action` has been called. The first action comes next.
    Prepared,
    /// The first action failed. The second comes next.
    Failed,
    /// Nothing more is done.
    Spent,
}

impl InstanceRecord {
    /// The record of an instance that the node has never acted on.
    pub fn new() -> InstanceRecord {
        InstanceRecord {
            sequence: ActionSequence::NONE,
            local_expect: LocalExpect::None,
            stop: None,
            boot: BootPhase::Due,
            stopped: BTreeSet::new(),
            starts: AttemptLog::new(),
            restarts: BTreeMap::new(),
            monitor: None,
            last_start: None,
            clears: 0,
        }
    }

    /// The node has booted: its clock began anew, and nothing runs.
    pub fn reboot(&mut self) {
        // The numbers go on: a status and the records of an order are known by them, and those of before the boot
        // must not look new.
        let kept = (self.sequence, std::mem::take(&mut self.stopped), self.last_start, self.clears);
        *self = InstanceRecord { boot: BootPhase::Due, ..InstanceRecord::new() };
        (self.sequence, self.stopped, self.last_start, self.clears) = kept;
    }

    /// The boot left nothing behind that an action would have to clear.
    pub fn boot_is_clear(&mut self) {
        if self.boot == BootPhase::Due {
            self.boot = BootPhase::Clear;
            self.stopped.clear();
        }
    }

    /// An action begins. It is written down before anything is touched.
    pub fn begin(&mut self, step: &ActionStep, now: BootTime) -> ActionSequence {
        self.sequence = self.sequence.next();
        // A person has taken over: the boot starts nothing any more.
        if self.boot == BootPhase::Clear && matches!(step.cause, ActionCause::Hand | ActionCause::Intent(_)) {
            self.boot = BootPhase::Over;
        }
        match (step.cause, &step.scope) {
            (ActionCause::Ha, _) => self.starts.add(now),
            (ActionCause::Restart | ActionCause::Standby, ActionScope::Resources(rids)) => {
                rids.iter().for_each(|rid| self.restarts.entry(rid.clone()).or_default().add(now));
            }
            _ => {}
        }
        match (step.action, &step.scope) {
            (InstanceAction::Stop | InstanceAction::Shutdown | InstanceAction::Unprovision, ActionScope::Whole) => {
                self.local_expect = LocalExpect::None;
            }
            // From the first moment on, so that no restart comes between the stop and its end.
            (InstanceAction::Stop, ActionScope::Resources(rids)) if step.cause == ActionCause::Hand => {
                self.stopped.extend(rids.iter().cloned());
            }
            _ => {}
        }
        self.sequence
    }

    /// An action has ended. `revision` is the store's when it did.
    pub fn end(&mut self, step: &ActionStep, end: &ActionEnd, revision: StoreRevision) {
        let success = *end == ActionEnd::Success;
        let stops = matches!(step.action, InstanceAction::Stop | InstanceAction::Shutdown);
        // By its number, so that any later action makes another stop possible again.
        self.stop = (success && stops && step.scope == ActionScope::Whole).then_some(self.sequence);
        match step.action {
            InstanceAction::Boot if success => {
                self.boot = BootPhase::Clear;
                self.stopped.clear();
            }
            InstanceAction::Start | InstanceAction::Provision if success => self.end_start(step, revision),
            InstanceAction::StartStandby if success => self.unmark(&step.scope),
            _ => {}
        }
        // One that was interrupted is done again.
        if step.cause == ActionCause::Monitor && *end != ActionEnd::Interruption {
            self.monitor = Some(self.after_monitor_action(success));
        }
    }

    fn end_start(&mut self, step: &ActionStep, revision: StoreRevision) {
        self.unmark(&step.scope);
        if step.scope == ActionScope::Whole && (step.action == InstanceAction::Start || step.leader) {
            self.local_expect = LocalExpect::Started;
            self.last_start = Some(revision);
        }
    }

    fn unmark(&mut self, scope: &ActionScope) {
        match scope {
            ActionScope::Whole => self.stopped.clear(),
            ActionScope::Resources(rids) => self.stopped.retain(|rid| !rids.contains(rid)),
        }
    }

    /// Whether nothing was done since a stop that succeeded. If it is not down then, another stop would not change that.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stop == Some(self.sequence)
    }

    /// The stage after the present monitor action.
    pub fn after_monitor_action(&self, success: bool) -> MonitorEpisode {
        match (self.monitor, success) {
            (None | Some(MonitorEpisode::Prepared), false) => MonitorEpisode::Failed,
            _ => MonitorEpisode::Spent,
        }
    }
}

impl Default for InstanceRecord {
    fn default() -> InstanceRecord {
        InstanceRecord::new()
    }
}

impl InstanceView {
    /// Draws what follows from a new status, or from a clear, for the record of the node's own instance.
    pub fn settle_record(&mut self, rules: &ObjectRules) {
        if self.record.clears != self.clears {
            // Compared by number and not by a flag: a clear that is seen twice, or late, forgets nothing that was
            // tried since.
            self.record.clears = self.clears;
            self.record.starts = AttemptLog::new();
            self.record.restarts.clear();
            self.record.monitor = None;
        }
        let Some(status) = self.fresh_status() else { return };
        let monitored = rules.resources.iter().filter(|(_, rules)| rules.monitor && !rules.disable);
        let mut states = monitored.filter_map(|(rid, rules)| Some(status.resources.get(rid)?.state(rules)));
        let recovered = states.all(State::is_up);
        let started = status.sums.avail == State::Up;
        if recovered {
            self.record.monitor = None;
        }
        // Started by hand, or before the daemon came: kept up all the same.
        if started {
            self.record.local_expect = LocalExpect::Started;
        }
    }
}

impl MonitorEpisode {
    /// Which of the two monitor actions comes next.
    pub(crate) fn next(episode: Option<MonitorEpisode>, actions: &[MonitorAction]) -> Option<MonitorAction> {
        match episode {
            None | Some(MonitorEpisode::Prepared) => actions.first().copied(),
            Some(MonitorEpisode::Failed) => actions.get(1).copied(),
            Some(MonitorEpisode::Spent) => None,
        }
    }
}
