//! The bounds that the host keeps for itself, whatever a driver asks for.

use capability::AuditVerdict;
use driver::{ActionError, LogSeverity, LogSink, Verb};
use model::Rid;
use model::status::State;

use crate::guest::{Hostile, silent};
use crate::support::bounds;

/// How many refusals of a call are recorded one by one.
const RECORDED: usize = 16;

#[tokio::test]
async fn what_is_too_long_is_refused_before_it_is_looked_at() {
    let hostile = Hostile::trusted();
    let socket = hostile.bench.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for (words, reason) in [
        (&["long-path", "5000"][..], "4096"),
        (&["long-path", "4000000"], "at most 131072"),
        (&["long-text", "200000"], "at most 131072"),
        (&["headers", "101", &socket], "headers"),
        (&["headers", "40000", &socket], "at most 4096"),
    ] {
        let error = hostile.start(words).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{words:?}: {error}");
    }
    // The driver is as it was.
    hostile.start(&["std-env"]).await.unwrap();
}

#[tokio::test]
async fn refusals_are_counted_and_leave_the_audit_of_others_alone() {
    let hostile = Hostile::trusted();
    let before = hostile.bench.audit.records().len();
    assert_eq!(hostile.start(&["denials", "5000"]).await.unwrap(), "5000");
    let records = hostile.bench.audit.records();
    let denied = records[before..].iter().filter(|record| matches!(record.verdict, AuditVerdict::Denied(_))).count();
    assert!((RECORDED..=RECORDED + 1).contains(&denied), "{denied} records of 5000 refusals");
    assert!(records[before..].iter().any(|record| format!("{record:?}").contains("4984")), "{:?}", records.last());
}

/// A host that fails in the middle of a host call, as if there were a mistake in it.
struct FailingLog;

impl LogSink for FailingLog {
    fn line(&self, _: Option<&Rid>, _: LogSeverity, text: &str) {
        assert!(!text.contains("xxx"), "a mistake of the host");
    }
}

#[tokio::test]
async fn a_panic_of_the_host_ends_the_call_and_nothing_else() {
    let hostile = Hostile::trusted();
    for _ in 0..3 {
        let log = std::sync::Arc::new(FailingLog);
        let error = hostile.driver.act(Verb::Start, &hostile.attempt(&["log", "1"]), &bounds(), log).await;
        let error = error.result.unwrap_err();
        assert!(matches!(error, ActionError::Fault(_)) && error.to_string().contains("the host crashed"), "{error}");
        let log = std::sync::Arc::new(FailingLog);
        let status = hostile.driver.status(&hostile.attempt(&["log", "1"]), &bounds(), log).await;
        assert_eq!(status.state, State::Undef);
    }
    let status = hostile.driver.status(&hostile.attempt(&["std-env"]), &bounds(), silent()).await;
    assert_eq!(status.state, State::Up);
}
