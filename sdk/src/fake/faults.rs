//! A test that interrupts `start` at each of its steps, to find what `stop` does not undo.

use super::{Case, Host};
use crate::{CapabilityError, Driver, State, errno};

/// A limit that is higher than the number of changing calls of any `start`.
const MOST: u32 = 1000;

/// Makes `start` fail at its first call that changes something, then at its second, and so on until it succeeds. Each time
/// `stop` must succeed, and `status` must report down after that.
///
/// `case` creates a new driver on a new host, down and provisioned. Returns the number of failures that were injected.
#[track_caller]
pub fn stop_undoes_any_failed_start<D: Driver>(case: impl Fn() -> Case<D>) -> u32 {
    stop_leaves_nothing_of_any_failed_start(case, |_| None)
}

/// The same with a closing look at what the node cannot see, such as the tickets of a faked service: `left` names what is there after
/// the stop, if anything is.
#[track_caller]
pub fn stop_leaves_nothing_of_any_failed_start<D: Driver>(
    case: impl Fn() -> Case<D>,
    left: impl Fn(&Host) -> Option<String>,
) -> u32 {
    let mut last = String::new();
    for calls in 0..MOST {
        // Each failure has a host of its own, so that nothing which an earlier stop left behind can hide a mistake.
        let fresh = case();
        let host = fresh.host().clone();
        host.fail_after(calls, CapabilityError::Os { errno: errno::EIO, doing: "injected".to_owned() });
        let started = fresh.start();
        if started.succeeded() {
            return calls;
        }
        last = started.error_text();
        // The failures end before the stop, as they would if the fault was temporary.
        host.heal();
        // Before the stop adds its own calls to the list.
        let made = host.calls().join("\n  ");
        let stopped = started.stop();
        assert!(stopped.succeeded(), "stop fails after a start that failed after {calls} changes:\n  {made}");
        let down = stopped.status();
        assert!(down.has_state(State::Down), "not down after start failed after {calls} changes:\n  {made}");
        if let Some(left) = left(&host) {
            panic!("{left} is left after start failed after {calls} changes, and after the stop:\n  {made}");
        }
    }
    // One that fails for a reason of its own never gets to the failure that was injected.
    panic!("start still fails when its first {MOST} changes succeed: {last}");
}
