//! Calls that are cancelled, or take too long: they return soon, whatever the driver does, and its programs are killed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use driver::{ActionError, CallBounds, Change, DriverCall, KeywordValue, Verb};
use tokio::time::{Instant, sleep};

use crate::guest::{Hostile, silent};
use crate::support::{Bench, keyword};

/// The limit for anything that happens at once, even on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_driver_that_ignores_an_interruption_is_stopped() {
    let hostile = Hostile::limited("limit cpu 10m");
    for words in [["sleep"], ["loop"]] {
        let bounds = CallBounds::within(LONG);
        bounds.cancel.cancel();
        let begun = Instant::now();
        let report = hostile.driver.act(Verb::Start, &hostile.attempt(&words), &bounds, silent()).await;
        assert_eq!((report.change, report.result), (Change::Unknown, Err(ActionError::Cancelled)), "{words:?}");
        assert!(begun.elapsed() < SOON, "{words:?}: {:?}", begun.elapsed());
    }
    assert_eq!(hostile.start(&["run", "/bin/echo", "hello"]).await.unwrap().trim(), "hello");
}

/// A task whose program starts another one in the background, and prints the pids of both.
fn program(bench: &Bench) -> DriverCall {
    let script = format!("sleep 1000 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", bench.path("pids"));
    let values = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
    let keywords = vec![
        KeywordValue { values, ..keyword("command", "") },
        KeywordValue { values: vec!["0:up".to_owned()], ..keyword("retcodes", "") },
    ];
    bench.call("task#1", "task.host", keywords)
}

/// Waits for the pids that the program prints.
async fn pids(bench: &Bench) -> Vec<String> {
    let begun = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(bench.path("pids")) {
            return text.split_whitespace().map(str::to_owned).collect();
        }
        assert!(begun.elapsed() < SOON, "the program did not start");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process runs. A zombie does not.
fn executes(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

async fn check_gone(pids: &[String]) {
    assert_eq!(pids.len(), 2, "{pids:?}");
    let begun = Instant::now();
    for pid in pids {
        while executes(pid) {
            assert!(begun.elapsed() < SOON, "process {pid} goes on");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn an_interrupted_program_is_killed_with_its_children() {
    let bench = Bench::new();
    let (task, call, bounds) = (bench.load("task.host"), program(&bench), CallBounds::within(LONG));
    let interrupt = async {
        let pids = pids(&bench).await;
        assert!(pids.iter().all(|pid| executes(pid)), "{pids:?}");
        bounds.cancel.cancel();
        (pids, Instant::now())
    };
    let (ended, (pids, cancelled)) = tokio::join!(task.run(&call, &bounds, silent()), interrupt);
    assert_eq!(ended, Err(ActionError::Cancelled));
    assert!(cancelled.elapsed() < SOON, "{:?}", cancelled.elapsed());
    check_gone(&pids).await;
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_its_children_at_the_deadline() {
    let bench = Bench::new();
    let deadline = Duration::from_secs(3);
    let (task, call, bounds) = (bench.load("task.host"), program(&bench), CallBounds::within(deadline));
    let begun = Instant::now();
    let ended = task.run(&call, &bounds, silent()).await;
    let late = begun.elapsed().saturating_sub(deadline);
    assert_eq!(ended, Err(ActionError::TimedOut("took too long".to_owned())));
    assert!(late < Duration::from_secs(1), "{late:?} after the deadline");
    check_gone(&pids(&bench).await).await;
}
