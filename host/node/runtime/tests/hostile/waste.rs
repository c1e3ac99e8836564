//! The cost of a misbehaving driver for the host and other drivers.

use std::sync::Mutex;
use std::time::Duration;

use driver::{CallBounds, LogSeverity, LogSink, Verb};
use model::Rid;
use model::status::State;

use crate::guest::{Hostile, silent};
use crate::support::bounds;

/// Keeps the lines.
#[derive(Default)]
struct Lines(Mutex<Vec<(LogSeverity, String)>>);

impl LogSink for Lines {
    fn line(&self, _: Option<&Rid>, level: LogSeverity, text: &str) {
        self.0.lock().unwrap().push((level, text.to_owned()));
    }
}

async fn lines(words: &[&str]) -> Vec<(LogSeverity, String)> {
    let hostile = Hostile::limited("limit output 10k");
    let log = std::sync::Arc::new(Lines::default());
    let report = hostile.driver.act(Verb::Start, &hostile.attempt(words), &bounds(), log.clone()).await;
    // Dropped lines are reported at the end.
    drop(hostile);
    assert!(report.result.is_ok() != words.contains(&"panic"), "{report:?}");
    let lines = log.0.lock().unwrap().clone();
    assert!(lines.iter().map(|(_, line)| line.len()).sum::<usize>() < 12 << 10, "{} lines", lines.len());
    lines
}

#[tokio::test]
async fn a_flood_of_output_is_cut_and_does_not_end_the_driver() {
    for words in [["print", "2000"], ["log", "2000"]] {
        let lines = lines(&words).await;
        assert!(lines[0].1.starts_with("0: xxx"), "{:?}", lines[0]);
        assert!(lines.last().unwrap().1.contains("were dropped"), "{:?}", lines.last());
    }
}

#[tokio::test]
async fn the_last_words_of_a_crash_are_in_the_log() {
    let lines = lines(&["panic", "at the disco"]).await;
    assert!(lines.iter().any(|(level, line)| *level == LogSeverity::Warn && line == "at the disco"), "{lines:?}");
    let backtrace =
        |(level, line): &(LogSeverity, String)| *level == LogSeverity::Debug && line.contains("wasm backtrace");
    assert!(lines.iter().any(backtrace), "{lines:?}");
}

/// The pages of a slot are used again, see `host/node/runtime/src/engine.rs`: what was in them must not be.
#[tokio::test]
async fn a_call_finds_nothing_of_the_calls_before() {
    let hostile = Hostile::trusted();
    let bytes = async |word: &str| hostile.start(&[word]).await.unwrap().parse::<usize>().unwrap();
    let clean = bytes("rummage").await;
    for _ in 0..3 {
        let littered = bytes("litter").await;
        assert!(littered >= clean + (1 << 20), "{littered}");
        assert_eq!(bytes("rummage").await, clean);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loops_do_not_starve_the_others() {
    let hostile = Hostile::limited("limit cpu 2s");
    let mut loops = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (driver, call) = (hostile.driver.clone(), hostile.attempt(&["loop"]));
        loops.spawn(async move { driver.act(Verb::Start, &call, &bounds(), silent()).await });
    }
    let flag = hostile.bench.load("fs.flag");
    let call = hostile.bench.call("fs#1", "fs.flag", vec![]);
    let mut answers = 0;
    while loops.try_join_next().is_none() {
        assert_eq!(flag.status(&call, &bounds(), silent()).await.state, State::Down);
        answers += 1;
    }
    assert!(answers > 20, "{answers} answers while four drivers were looping");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_slots_wait_for_their_turn() {
    let hostile = Hostile::trusted();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (driver, call) = (hostile.driver.clone(), hostile.attempt(&["sleep"]));
        let bounds = CallBounds::within(Duration::from_secs(1));
        calls.spawn(async move { driver.act(Verb::Start, &call, &bounds, silent()).await.result.unwrap_err() });
    }
    for error in calls.join_all().await {
        assert_eq!(error.to_string(), "no answer within 1s");
    }
    let status = hostile.driver.status(&hostile.attempt(&["std-env"]), &bounds(), silent()).await;
    assert_eq!(status.state, State::Up);
}
