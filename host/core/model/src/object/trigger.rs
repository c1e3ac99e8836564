//! Triggers: commands that run around a verb of a resource, such as `blocking_pre_start`.

use std::cmp::Ordering;
use std::fmt;

use crate::Verb;

/// On which side of its verb a trigger runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TriggerTime {
    /// Before.
    Pre,
    /// After.
    Post,
}

/// A trigger, such as `blocking_pre_start`. The order of triggers is that in which they run around a verb: before it the
/// blocking one first, and the same after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Trigger {
    /// Whether its failure fails the verb. A failed `blocking_pre` one also means that the verb is not tried.
    pub blocking: bool,
    /// On which side of the verb.
    pub when: TriggerTime,
    /// The verb.
    pub verb: Verb,
}

impl Trigger {
    /// Every trigger that a keyword can set.
    pub fn all() -> impl Iterator<Item = Trigger> {
        let sides = [
            (true, TriggerTime::Pre),
            (false, TriggerTime::Pre),
            (true, TriggerTime::Post),
            (false, TriggerTime::Post),
        ];
        Verb::triggering().flat_map(move |verb| sides.map(|(blocking, when)| Trigger { blocking, when, verb }))
    }

    /// The trigger that a keyword sets.
    pub fn of_keyword(name: &str) -> Option<Trigger> {
        let (blocking, side) = name.strip_prefix("blocking_").map_or((false, name), |side| (true, side));
        let (when, verb) = match side.strip_prefix("pre_") {
            Some(verb) => (TriggerTime::Pre, verb),
            None => (TriggerTime::Post, side.strip_prefix("post_")?),
        };
        let verb = Verb::triggering().find(|known| known.as_str() == verb)?;
        Some(Trigger { blocking, when, verb })
    }
}

impl Ord for Trigger {
    fn cmp(&self, other: &Trigger) -> Ordering {
        // False comes before true, so the negation puts the blocking trigger first.
        let key = |trigger: &Trigger| (trigger.when, !trigger.blocking, trigger.verb);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Trigger {
    fn partial_cmp(&self, other: &Trigger) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Trigger {
    /// As the keyword is called: `blocking_pre_start`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocking = if self.blocking { "blocking_" } else { "" };
        let when = match self.when {
            TriggerTime::Pre => "pre_",
            TriggerTime::Post => "post_",
        };
        f.pad(&[blocking, when, self.verb.as_str()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_known_by_its_keyword() {
        for trigger in Trigger::all() {
            assert_eq!(Trigger::of_keyword(&trigger.to_string()), Some(trigger));
        }
        for other in ["start", "pre_", "pre_sync", "pre_blocking_start", "blocking_start", "post_start_timeout"] {
            assert_eq!(Trigger::of_keyword(other), None, "{other}");
        }
    }
}
