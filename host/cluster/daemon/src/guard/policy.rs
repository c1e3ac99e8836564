//! What `node.conf` says of the keeper and the watchdog.

use std::collections::BTreeMap;

use deadline::CutEffect;

/// Whether there is a keeper, and whether slots may be taken without a watchdog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WatchdogPolicy {
    /// Neither keeper nor watchdog.
    #[default]
    Off,
    /// A keeper, and a watchdog if there is one.
    Use,
    /// No slot is taken, and none is extended, without a keeper that has armed the watchdog.
    Required,
}

/// The device of a node whose configuration names none.
const DEVICE: &str = "/dev/watchdog";

/// The keywords of the node that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GuardPolicy {
    pub(crate) watchdog: WatchdogPolicy,
    /// None: none that this daemon may use.
    pub(crate) device: Option<String>,
    pub(crate) on_cut: CutEffect,
    /// Whether other nodes take over what this one does not extend in time. Then there is a keeper whatever the watchdog is, and
    /// only beats that the store has acknowledged extend anything.
    pub(crate) shared: bool,
}

impl GuardPolicy {
    /// A daemon with a root directory of its own never ends the node, and takes a watchdog only if one is named for it.
    pub(crate) fn of(keywords: &BTreeMap<String, String>, is_system: bool, shared: bool) -> GuardPolicy {
        let word = |name: &str| keywords.get(name).map(String::as_str);
        GuardPolicy {
            watchdog: match word("watchdog") {
                Some("use") => WatchdogPolicy::Use,
                Some("required") => WatchdogPolicy::Required,
                _ => WatchdogPolicy::Off,
            },
            device: word("watchdog_device").or(is_system.then_some(DEVICE)).map(str::to_owned),
            on_cut: match word("on_cut") {
                Some("reboot") if is_system => CutEffect::Reboot,
                Some("crash") if is_system => CutEffect::Crash,
                _ => CutEffect::Cut,
            },
            shared,
        }
    }

    /// Whether the keeper shall have a watchdog.
    pub(crate) fn wants_watchdog(&self) -> bool {
        self.watchdog != WatchdogPolicy::Off
    }

    /// Whether there is a keeper.
    pub(crate) fn is_on(&self) -> bool {
        self.shared || self.watchdog != WatchdogPolicy::Off
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_below_a_root_of_its_own_never_ends_the_node() {
        let words = [("watchdog", "required"), ("on_cut", "crash")];
        let keywords = words.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let system = GuardPolicy::of(&keywords, true, false);
        assert_eq!((system.on_cut, system.device.as_deref()), (CutEffect::Crash, Some("/dev/watchdog")));
        let trial = GuardPolicy::of(&keywords, false, false);
        let expected = GuardPolicy { watchdog: WatchdogPolicy::Required, ..GuardPolicy::default() };
        assert_eq!(trial, expected);
        assert!(!GuardPolicy::of(&BTreeMap::new(), true, false).is_on());
        assert!(GuardPolicy::of(&BTreeMap::new(), true, true).is_on(), "a node of several has a keeper");
    }
}
