//! A node without its daemon: its clock, its disk, and the resources that are really up or down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::status::{Provisioned, State};
use model::{ObjectPath, Rid};
use orchestrate::{
    ActionCause, ActionEnd, ActionScope, ActionSequence, ActionStep, BootTime, InstanceAction, InstanceRecord,
    ObjectRules,
};

/// A machine.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) on: bool,
    /// The number of the boot.
    pub(crate) boot: u64,
    booted: Duration,
    /// How fast its clock is, in parts per million.
    rate: i64,
    pub(crate) disk: BTreeMap<ObjectPath, DiskInstance>,
    pub(crate) resources: BTreeMap<ObjectPath, BTreeMap<Rid, SimResource>>,
    /// Until when the keeper lets an object run that has slots. On this machine's clock.
    pub(crate) deadlines: BTreeMap<ObjectPath, BootTime>,
    /// When the keeper looks next.
    pub(crate) keeper: Option<BootTime>,
    /// The incarnation of this boot, kept in /run.
    pub(crate) incarnation: Option<u64>,
}

/// What the disk holds of an instance.
#[derive(Debug, Clone)]
pub(crate) struct DiskInstance {
    pub(crate) rules: Option<Arc<ObjectRules>>,
    pub(crate) config: u64,
    pub(crate) broken: bool,
    pub(crate) record: InstanceRecord,
    /// The journal of an action that has begun.
    pub(crate) begun: Option<BegunAction>,
    /// An action that has ended and that the store does not know of yet.
    pub(crate) ended: Option<EndedAction>,
}

/// An action that has begun.
#[derive(Debug, Clone)]
pub(crate) struct BegunAction {
    pub(crate) sequence: ActionSequence,
    pub(crate) step: ActionStep,
}

/// An action that has ended.
#[derive(Debug, Clone)]
pub(crate) struct EndedAction {
    pub(crate) sequence: ActionSequence,
    pub(crate) action: InstanceAction,
    pub(crate) cause: ActionCause,
    pub(crate) end: ActionEnd,
    /// How often the instance had been cleared when the action began.
    pub(crate) clears: u64,
    /// Whether the instance was frozen with it.
    pub(crate) froze: bool,
}

/// A resource as it is.
#[derive(Debug, Clone)]
pub(crate) struct SimResource {
    pub(crate) up: bool,
    pub(crate) provisioned: Provisioned,
    /// Whether it keeps its data when it is unprovisioned.
    pub(crate) keeps: bool,
    pub(crate) start_fails: bool,
    pub(crate) stop_fails: bool,
    /// Whether its probe does not answer.
    pub(crate) silent: bool,
}

impl Machine {
    pub(crate) fn new(rate: i64) -> Machine {
        Machine {
            on: true,
            boot: 1,
            booted: Duration::ZERO,
            rate,
            disk: BTreeMap::new(),
            resources: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            keeper: None,
            incarnation: None,
        }
    }

    /// The time of its own clock.
    pub(crate) fn clock(&self, now: Duration) -> BootTime {
        let elapsed = now.saturating_sub(self.booted).as_nanos() as i128;
        let measured = elapsed + elapsed * i128::from(self.rate) / 1_000_000;
        BootTime::after_boot(Duration::from_nanos(measured as u64))
    }

    /// When its clock shows that time.
    pub(crate) fn global(&self, time: BootTime) -> Duration {
        let measured = time.since_boot().as_nanos() as i128;
        let elapsed = measured * 1_000_000 / (1_000_000 + i128::from(self.rate));
        // Never early: a timer that fires a nanosecond too soon would fire for ever.
        self.booted + Duration::from_nanos(elapsed as u64 + 1000)
    }

    /// Everything that ran is gone.
    pub(crate) fn power_off(&mut self) {
        self.on = false;
        // These three are the keeper's memory and /run, which go with the power.
        self.deadlines.clear();
        self.keeper = None;
        self.incarnation = None;
        for resource in self.resources.values_mut().flat_map(BTreeMap::values_mut) {
            resource.up = false;
            resource.silent = false;
        }
    }

    pub(crate) fn power_on(&mut self, now: Duration) {
        self.on = true;
        self.boot += 1;
        self.booted = now;
        for instance in self.disk.values_mut() {
            instance.record.reboot();
        }
    }

    /// Whether something of the object runs here, but for what is standby.
    pub(crate) fn runs(&self, path: &ObjectPath, rules: &ObjectRules) -> bool {
        let standby = |rid: &Rid| rules.resources.get(rid).is_some_and(|rules| rules.standby || rules.optional);
        let resources = self.resources.get(path).into_iter().flatten();
        resources.into_iter().any(|(rid, resource)| resource.up && !standby(rid))
    }

    /// The keeper stops everything of an object at once.
    pub(crate) fn cut(&mut self, path: &ObjectPath) {
        for resource in self.resources.get_mut(path).into_iter().flat_map(BTreeMap::values_mut) {
            resource.up = false;
        }
    }

    /// Does what an action does, up to its end.
    pub(crate) fn perform(&mut self, path: &ObjectPath, rules: &ObjectRules, step: &ActionStep) -> ActionEnd {
        let Some(resources) = self.resources.get_mut(path) else { return ActionEnd::Success };
        match step.action {
            InstanceAction::Boot | InstanceAction::Delete => ActionEnd::Success,
            InstanceAction::Start | InstanceAction::StartStandby => start(resources, rules, &step.scope),
            InstanceAction::Stop => stop(resources, rules, &step.scope, false),
            InstanceAction::Shutdown => stop(resources, rules, &step.scope, true),
            InstanceAction::Provision => provision(resources, rules, step),
            InstanceAction::Unprovision => unprovision(resources, rules, step),
        }
    }
}

fn in_scope(scope: &ActionScope, rid: &Rid) -> bool {
    match scope {
        ActionScope::Whole => true,
        ActionScope::Resources(rids) => rids.contains(rid),
    }
}

/// Starts in order, and undoes what it did when one that is not optional fails.
fn start(resources: &mut BTreeMap<Rid, SimResource>, rules: &ObjectRules, scope: &ActionScope) -> ActionEnd {
    let mut started = BTreeSet::new();
    let mut failed = None;
    for (rid, resource) in resources.iter_mut().filter(|(rid, _)| in_scope(scope, rid)) {
        if resource.up {
            continue;
        }
        if !resource.start_fails {
            resource.up = true;
            started.insert(rid.clone());
        } else if rules.resources.get(rid).is_some_and(|rules| !rules.optional) {
            failed = Some(rid.clone());
            break;
        }
    }
    match failed {
        None => ActionEnd::Success,
        Some(failed) => {
            started.iter().for_each(|rid| {
                if let Some(resource) = resources.get_mut(rid) {
                    resource.up = false;
                }
            });
            ActionEnd::Failure(format!("{failed} does not start"))
        }
    }
}

/// Stops in reverse, past failures.
fn stop(
    resources: &mut BTreeMap<Rid, SimResource>,
    rules: &ObjectRules,
    scope: &ActionScope,
    with_standby: bool,
) -> ActionEnd {
    let mut end = ActionEnd::Success;
    for (rid, resource) in resources.iter_mut().rev().filter(|(rid, _)| in_scope(scope, rid)) {
        let standby = rules.resources.get(rid).is_some_and(|rules| rules.standby);
        if !resource.up || (standby && !with_standby && *scope == ActionScope::Whole) {
            continue;
        }
        if resource.stop_fails {
            end = ActionEnd::Failure(format!("{rid} does not stop"));
        } else {
            resource.up = false;
        }
    }
    end
}

fn provision(resources: &mut BTreeMap<Rid, SimResource>, rules: &ObjectRules, step: &ActionStep) -> ActionEnd {
    if let Some(rid) = resources.iter().find(|(_, resource)| resource.start_fails).map(|(rid, _)| rid.clone()) {
        return ActionEnd::Failure(format!("{rid} cannot be provisioned"));
    }
    let unprovisioned = resources.values_mut().filter(|resource| resource.provisioned == Provisioned::False);
    unprovisioned.for_each(|resource| resource.provisioned = Provisioned::True);
    if step.leader { start(resources, rules, &ActionScope::Whole) } else { ActionEnd::Success }
}

fn unprovision(resources: &mut BTreeMap<Rid, SimResource>, rules: &ObjectRules, step: &ActionStep) -> ActionEnd {
    let end = stop(resources, rules, &step.scope, true);
    if end == ActionEnd::Success {
        let mine =
            resources.values_mut().filter(|resource| resource.provisioned == Provisioned::True && !resource.keeps);
        mine.for_each(|resource| resource.provisioned = Provisioned::False);
    }
    end
}

impl DiskInstance {
    pub(crate) fn new() -> DiskInstance {
        DiskInstance { rules: None, config: 0, broken: false, record: InstanceRecord::new(), begun: None, ended: None }
    }
}

impl SimResource {
    pub(crate) fn new(provisioned: Provisioned, keeps: bool) -> SimResource {
        SimResource { up: false, provisioned, keeps, start_fails: false, stop_fails: false, silent: false }
    }

    /// What a probe says.
    pub(crate) fn state(&self) -> State {
        if self.up { State::Up } else { State::Down }
    }
}
