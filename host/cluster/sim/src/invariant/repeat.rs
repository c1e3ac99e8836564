//! No step comes again unless something has changed: an order acts once on each instance, but for interruptions and clears; and
//! nothing that the daemon does by itself comes again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{ActionCause, ActionEnd, ActionStep, InstanceAction};

use super::{BeginCase, Checks};

type RepeatKey = (NodeName, ObjectPath, InstanceAction, ActionCause);

#[derive(Debug, Default)]
pub(super) struct RepeatMemory {
    begun: BTreeMap<RepeatKey, Vec<Duration>>,
    interrupted: BTreeMap<RepeatKey, usize>,
    takes: BTreeMap<(NodeName, ObjectPath), Vec<Duration>>,
    /// How often each instance had been cleared when the key was first seen.
    clears: BTreeMap<RepeatKey, u64>,
}

/// No automatic action of one kind begins more often within a minute.
const MOST_A_MINUTE: usize = 8;

impl Checks {
    pub(super) fn repeat(&mut self, case: BeginCase<'_>) {
        let key = (case.node.clone(), case.path.clone(), case.step.action, case.step.cause);
        let clears = case.own().map_or(0, |own| own.clears);
        // A person who clears allows one more.
        let first = *self.repeat.clears.entry(key.clone()).or_insert(clears);
        let begun = self.repeat.begun.entry(key.clone()).or_default();
        begun.push(case.world);
        let total = begun.len();
        let recent = begun.iter().filter(|at| case.world - **at < Duration::from_secs(60)).count();
        let interrupted = self.repeat.interrupted.get(&key).copied().unwrap_or(0);
        let excused = interrupted + clears.saturating_sub(first) as usize;
        let (count, most) = match case.step.cause {
            ActionCause::Intent(_) => (total, 1 + excused),
            // Each resource has a budget of its own, which `budget` watches.
            ActionCause::Restart | ActionCause::Standby | ActionCause::Ha => return,
            _ => (recent, MOST_A_MINUTE + excused),
        };
        if count > most {
            self.violate("repeat", format!("{count} times, {most} expected: {}", case.describe()));
        }
    }

    /// A node that takes a slot does so to run something.
    pub(crate) fn takes(&mut self, node: &NodeName, path: &ObjectPath, now: Duration) {
        let takes = self.repeat.takes.entry((node.clone(), path.clone())).or_default();
        takes.push(now);
        let recent = takes.iter().filter(|at| now - **at < Duration::from_secs(60)).count();
        if recent > 2 * MOST_A_MINUTE {
            self.violate("repeat", format!("{node} takes a slot of {path} again and again"));
        }
    }

    pub(super) fn repeat_ended(&mut self, node: &NodeName, path: &ObjectPath, step: &ActionStep, end: &ActionEnd) {
        if *end == ActionEnd::Interruption {
            let key = (node.clone(), path.clone(), step.action, step.cause);
            *self.repeat.interrupted.entry(key).or_default() += 1;
        }
    }
}
