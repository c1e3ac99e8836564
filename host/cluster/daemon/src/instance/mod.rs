//! An instance as the daemon knows it: its configuration, what it remembers, its last status, and what is under way.

mod config;
mod memory;
mod probe;

use std::collections::{BTreeMap, BTreeSet};

use agent::CancelSignal;
use agent::status::InstanceStatus;
use model::Rid;
use orchestrate::{
    ActionSequence, ActionStep, BootTime, ConfigState, InstanceAction, InstanceRecord, ResourceView, RunningAction,
    StatusView, StoreRevision,
};
use protocol::ScheduledAction;
use replica::LocalInstance;
use replica::request::EndReport;
use tokio::sync::oneshot;

use crate::RequestError;

pub(crate) use config::{LoadedConfig, load};
pub(crate) use memory::{Memory, is_frozen, recall, remember};
pub(crate) use probe::ProbeTicket;

/// An instance of this node.
pub(crate) struct Instance {
    /// What the orchestrator sees of it.
    pub(crate) local: LocalInstance,
    /// The configuration that was read last. None: not read yet.
    pub(crate) loaded: Option<LoadedConfig>,
    /// Whether its configuration file is gone.
    pub(crate) missing: bool,
    /// Whether the configuration is being read, and whether it has changed since that began.
    pub(crate) loading: ReadState,
    /// Whether the file says that it is frozen.
    pub(crate) frozen: bool,
    /// What the files of this node and the store agreed about last, on a node of several: the freeze, and the configuration.
    pub(crate) agreed_frozen: Option<bool>,
    pub(crate) agreed_checksum: Option<String>,
    /// How often it was cleared by hand, as its state says.
    pub(crate) hand_clears: u64,
    pub(crate) status: Option<InstanceStatus>,
    pub(crate) probing: ReadState,
    /// When the last look began, and the last one that has ended.
    pub(crate) look_began: BootTime,
    pub(crate) looked: BootTime,
    /// When it is looked at once more, because a look was so soon that a check may not know yet.
    pub(crate) look_again: Option<BootTime>,
    /// When it is looked at next.
    pub(crate) due: BootTime,
    /// The action of this daemon that runs.
    pub(crate) acting: Option<DaemonAction>,
    /// The action of another process that runs.
    pub(crate) hand: Option<ActionStep>,
    /// How the last action ended, until the store knows it.
    pub(crate) ended: Option<EndReport>,
    /// The last action of another process that was followed.
    pub(crate) followed: u64,
    /// Until when an operator wants no run of a task or copy.
    pub(crate) snoozed: Option<jiff::Timestamp>,
    /// When its tasks and copies are due.
    pub(crate) timetable: Vec<ScheduledAction>,
    pub(crate) timing: ReadState,
    /// What was due and could not begin.
    pub(crate) held_back: BTreeSet<Rid>,
    /// The requests that wait for a new status.
    pub(crate) waiting: Vec<oneshot::Sender<Result<(), RequestError>>>,
    /// The word for what is done with it, as it was last reported, and since when.
    pub(crate) state: String,
    pub(crate) updated_at: f64,
}

/// Whether something is being read, and must be read again after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadState {
    Idle,
    Running,
    RunningAgain,
}

/// An action of this daemon.
pub(crate) struct DaemonAction {
    /// Its number among what the daemon runs.
    pub(crate) process: u64,
    pub(crate) step: ActionStep,
    pub(crate) cancel: CancelSignal,
    /// Whether a person has ended it.
    pub(crate) killed: bool,
    /// How often the instance had been cleared when it began.
    pub(crate) clears: u64,
    pub(crate) began_at: f64,
}

impl Instance {
    /// An instance that this life of the daemon has not looked at.
    pub(crate) fn new(memory: Memory, now: BootTime) -> Instance {
        Instance {
            local: LocalInstance {
                config: ConfigState::Missing,
                rules: None,
                record: memory.record,
                status: None,
                running: None,
                order_seen: now,
                confirmed: BTreeMap::new(),
            },
            loaded: None,
            missing: false,
            loading: ReadState::Idle,
            frozen: memory.frozen,
            agreed_frozen: memory.agreed_frozen,
            agreed_checksum: memory.agreed_checksum,
            hand_clears: memory.hand_clears,
            status: None,
            probing: ReadState::Idle,
            look_began: BootTime::BOOT,
            looked: BootTime::BOOT,
            look_again: None,
            due: now,
            acting: None,
            hand: None,
            ended: None,
            followed: memory.followed,
            snoozed: None,
            timetable: Vec::new(),
            timing: ReadState::Idle,
            held_back: BTreeSet::new(),
            waiting: Vec::new(),
            state: "init".to_owned(),
            updated_at: crate::clock::wall(),
        }
    }

    pub(crate) fn record(&self) -> &InstanceRecord {
        &self.local.record
    }

    /// Whether an action of anybody is under way, or has ended and the store does not know yet.
    pub(crate) fn is_busy(&self) -> bool {
        self.acting.is_some() || self.hand.is_some() || self.ended.is_some()
    }

    /// Sets what the orchestrator sees of an action that begins.
    pub(crate) fn runs(&mut self, sequence: ActionSequence, step: &ActionStep) {
        self.local.running = Some(RunningAction { sequence, action: step.action, cause: step.cause });
    }

    /// The state of the configuration, for an object whose row in the store has this checksum and revision.
    pub(crate) fn config_state(&self, checksum: &str, revision: StoreRevision) -> ConfigState {
        match &self.loaded {
            _ if self.missing => ConfigState::Missing,
            None => ConfigState::Missing,
            Some(LoadedConfig { problem: Some(problem), .. }) => {
                ConfigState::Broken { revision, problem: problem.clone() }
            }
            Some(loaded) if loaded.checksum != checksum => ConfigState::Loaded(StoreRevision(0)),
            Some(_) => ConfigState::Loaded(revision),
        }
    }

    /// Takes a status that was taken after the last action.
    pub(crate) fn observe(&mut self, status: InstanceStatus, now: BootTime) {
        let Some(rules) = &self.local.rules else { return };
        let known = self.local.status.take().map(|status| status.resources).unwrap_or_default();
        let views = status.resources.iter().map(|resource| {
            let before = known.get(&resource.rid);
            let silent = resource.fault.is_some();
            let state = match before {
                // A probe that does not answer says nothing new.
                Some(before) if silent => before.state,
                _ => resource.state,
            };
            let view = ResourceView {
                state,
                silent: if silent { before.map_or(0, |before| before.silent).saturating_add(1) } else { 0 },
                since: before.filter(|before| before.state == state).map_or(now, |before| before.since),
                provisioned: resource.flags.provisioned,
            };
            (resource.rid.clone(), view)
        });
        let views: BTreeMap<Rid, ResourceView> = views.collect();
        let mut view = StatusView::of(rules, self.local.record.sequence, views);
        if !status.orphans.is_empty() {
            view.sums = view.sums.beside_orphans();
        }
        self.local.status = Some(view);
        self.status = Some(status);
    }
}

/// As `om mon` shows an action that is under way.
pub(crate) fn running_word(action: InstanceAction) -> &'static str {
    match action {
        InstanceAction::Boot => "booting",
        InstanceAction::Start | InstanceAction::StartStandby => "starting",
        InstanceAction::Stop => "stopping",
        InstanceAction::Shutdown => "shutting",
        InstanceAction::Provision => "provisioning",
        InstanceAction::Unprovision => "unprovisioning",
        InstanceAction::Delete => "deleting",
    }
}
