//! A driver that crashes or does not return yields a result, in every verb; the next call finds no trace of it.

use std::time::Duration;

use driver::{ActionError, CallBounds, Change, Driver, DriverCall, DriverFault, Verb};
use model::status::State;

use crate::guest::{Hostile, silent};
use crate::support::bounds;

/// The host's reports of a call that it had to stop, verb by verb.
async fn faults(driver: &dyn Driver, call: &DriverCall, bounds: &CallBounds) -> Vec<DriverFault> {
    let mut faults = Vec::new();
    let mut note = |error: ActionError| match error {
        ActionError::Fault(fault) => faults.push(fault),
        other => panic!("no fault: {other}"),
    };
    note(driver.validate(call, bounds, silent()).await.unwrap_err());
    for verb in [Verb::Start, Verb::Stop, Verb::Provision, Verb::Unprovision] {
        let report = driver.act(verb, call, bounds, silent()).await;
        assert_eq!(report.change, Change::Unknown, "{verb}");
        note(report.result.unwrap_err());
    }
    note(driver.run(call, bounds, silent()).await.unwrap_err());
    note(driver.sync("update", &["n2".to_owned()], call, bounds, silent()).await.unwrap_err());
    let status = driver.status(call, bounds, silent()).await;
    assert_eq!(status.state, State::Undef);
    note(ActionError::Fault(status.fault.unwrap()));
    faults
}

/// Asserts that every verb returns the same fault, and that the driver still answers afterwards.
async fn check(limits: &str, words: &[&str], deadline: Duration, expected: DriverFault) {
    let hostile = Hostile::limited(limits);
    let (call, bounds) = (hostile.attempt(words), CallBounds::within(deadline));
    for fault in faults(&*hostile.driver, &call, &bounds).await {
        assert_eq!(fault, expected, "{words:?}");
    }
    assert_eq!(hostile.start(&["run", "/bin/echo", "hello"]).await.unwrap().trim(), "hello");
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_crash_is_a_fault_in_every_verb() {
    let trap =
        DriverFault::Trap("wasm trap: wasm `unreachable` instruction executed (om --debug shows its stack)".to_owned());
    check("", &["panic", "at the disco"], LONG, trap).await;
}

#[tokio::test]
async fn an_endless_loop_uses_up_its_processor_time() {
    check("limit cpu 100ms", &["loop"], LONG, DriverFault::Cpu(Duration::from_millis(100))).await;
}

#[tokio::test]
async fn a_driver_that_waits_forever_is_stopped_at_the_deadline() {
    let deadline = Duration::from_millis(100);
    check("", &["sleep"], deadline, DriverFault::Wall(deadline)).await;
}

#[tokio::test]
async fn the_sites_own_limit_of_time_is_kept() {
    check("limit wall 100ms", &["sleep"], LONG, DriverFault::Wall(Duration::from_millis(100))).await;
}

#[tokio::test]
async fn an_endless_recursion_overruns_its_own_stack() {
    check("", &["recurse"], LONG, DriverFault::Stack).await;
}

#[tokio::test]
async fn a_driver_that_hoards_memory_is_stopped_at_its_limit() {
    check("limit memory 8m", &["memory"], LONG, DriverFault::Memory(8 << 20)).await;
}

#[tokio::test]
async fn a_crash_after_a_change_is_not_reported_as_unchanged() {
    let hostile = Hostile::trusted();
    let call = hostile.attempt(&["panic", "now"]);
    let report = hostile.driver.act(Verb::Start, &call, &bounds(), silent()).await;
    assert_eq!(report.change, Change::Unknown);
}

#[tokio::test]
async fn arguments_that_point_outside_the_memory_end_the_driver() {
    let hostile = Hostile::trusted();
    for words in [["abi-long"], ["abi-far"]] {
        let error = hostile.start(&words).await.unwrap_err();
        assert!(matches!(error, ActionError::Fault(DriverFault::Trap(_))), "{words:?}: {error}");
    }
}

#[tokio::test]
async fn arguments_that_are_larger_for_the_host_than_for_the_driver_end_it() {
    let hostile = Hostile::trusted();
    let error = hostile.start(&["long-list", "1500000"]).await.unwrap_err();
    assert!(error.to_string().contains("too much data"), "{error}");
}
