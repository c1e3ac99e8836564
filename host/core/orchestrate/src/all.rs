//! What comes next for all objects of a node: at once, or for those alone that a change concerns.

use std::collections::{BTreeMap, BTreeSet};

use model::{NodeName, ObjectPath};

use crate::queue::admit;
use crate::time::earlier;
use crate::{BootTime, Decision, View, decide_object};

/// Decides about every object, and queues the actions.
pub fn decide(view: &View, me: &NodeName, now: BootTime) -> BTreeMap<ObjectPath, Decision> {
    let decided = view.objects().keys().map(|path| (path.clone(), decide_object(view, path, me, now)));
    let mut decisions: BTreeMap<ObjectPath, Decision> = decided.collect();
    admit(view, me, decisions.iter_mut());
    decisions
}

/// What has changed since the last decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewChange {
    /// An object: its configuration, intent, slots, or what is known of its instances.
    Object(ObjectPath),
    /// A node, but for a newer beat.
    Node(NodeName),
    /// What holds for the whole cluster.
    Cluster,
}

/// The last decisions about all objects, of which only those are made again that a change, or the time, concerns.
#[derive(Debug, Clone, Default)]
pub struct DecisionCache {
    /// As decided for each object alone, before the queue.
    decisions: BTreeMap<ObjectPath, Decision>,
    /// The objects that have an action to begin.
    acting: BTreeSet<ObjectPath>,
    due: BTreeSet<(BootTime, ObjectPath)>,
    /// Whose decision rests on an object, besides its own.
    followers: BTreeMap<ObjectPath, BTreeSet<ObjectPath>>,
    leads: BTreeMap<ObjectPath, BTreeSet<ObjectPath>>,
}

impl DecisionCache {
    /// Decides anew what the changes and the time concern. The answer holds the objects that have steps.
    pub fn update(
        &mut self,
        view: &View,
        changes: &[ViewChange],
        me: &NodeName,
        now: BootTime,
    ) -> BTreeMap<ObjectPath, Decision> {
        let mut concerned: BTreeSet<ObjectPath> =
            changes.iter().flat_map(|change| self.concerned(view, change)).collect();
        let due = self.due.iter().take_while(|(time, _)| *time <= now);
        concerned.extend(due.map(|(_, path)| path.clone()));
        concerned.iter().for_each(|path| self.decide_again(view, path, me, now));
        self.queued(view, me)
    }

    /// When something is to be decided again, if nothing changes.
    pub fn wake_at(&self) -> Option<BootTime> {
        self.due.first().map(|(time, _)| *time)
    }

    fn concerned(&self, view: &View, change: &ViewChange) -> Vec<ObjectPath> {
        match change {
            ViewChange::Object(path) => {
                let followers = self.followers.get(path).into_iter().flatten();
                followers.chain([path]).cloned().collect()
            }
            ViewChange::Node(node) => {
                // Objects that follow one of these look at its state alone: the daemon names those whose state the
                // end of a node's life has changed (`Owner::concern`).
                let placed = view.objects().iter().filter(|(_, object)| {
                    object.instances.contains_key(node) || object.slots.iter().any(|slot| slot.owner == *node)
                });
                placed.map(|(path, _)| path.clone()).collect()
            }
            // Those of the last decisions, too: an object that is gone is forgotten by that.
            ViewChange::Cluster => view.objects().keys().chain(self.decisions.keys()).cloned().collect(),
        }
    }

    fn decide_again(&mut self, view: &View, path: &ObjectPath, me: &NodeName, now: BootTime) {
        self.forget(path);
        let Some(object) = view.objects().get(path) else { return };
        let decision = decide_object(view, path, me, now);
        if decision.action().is_some() {
            self.acting.insert(path.clone());
        }
        if let Some(wake_at) = decision.wake_at {
            self.due.insert((wake_at, path.clone()));
        }
        // By the rules, and not by what this decision looked at: another one may look at more of them.
        let leads: BTreeSet<ObjectPath> = object.rules.iter().flat_map(|rules| rules.relatives()).cloned().collect();
        for lead in &leads {
            self.followers.entry(lead.clone()).or_default().insert(path.clone());
        }
        if !leads.is_empty() {
            self.leads.insert(path.clone(), leads);
        }
        self.decisions.insert(path.clone(), decision);
    }

    fn forget(&mut self, path: &ObjectPath) {
        let Some(decision) = self.decisions.remove(path) else { return };
        self.acting.remove(path);
        if let Some(wake_at) = decision.wake_at {
            self.due.remove(&(wake_at, path.clone()));
        }
        for lead in self.leads.remove(path).into_iter().flatten() {
            if let Some(followers) = self.followers.get_mut(&lead) {
                followers.remove(path);
            }
        }
    }

    /// The objects with steps, after the queue.
    fn queued(&self, view: &View, me: &NodeName) -> BTreeMap<ObjectPath, Decision> {
        // Also those that were not decided again: an action that was kept back has room when another one has
        // ended.
        let with_steps = self.decisions.iter().filter(|(_, decision)| !decision.steps.is_empty());
        let mut queued: BTreeMap<ObjectPath, Decision> =
            with_steps.map(|(path, decision)| (path.clone(), decision.clone())).collect();
        admit(view, me, queued.iter_mut());
        queued
    }
}

/// The first of the wake-up times of some decisions.
pub fn first_wake<'a>(decisions: impl IntoIterator<Item = &'a Decision>) -> Option<BootTime> {
    decisions.into_iter().fold(None, |first, decision| earlier(first, decision.wake_at))
}
