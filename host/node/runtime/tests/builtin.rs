//! The drivers that come with the agent, in the real sandbox.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use driver::{Change, SilentLog, Verb};
use model::status::State;
use support::{Bench, bounds, keyword};

#[tokio::test]
async fn a_flag_is_started_once_and_stopped_once() {
    let bench = Bench::new();
    let flag = bench.load("fs.flag");
    let call = bench.call("fs#1", "fs.flag", vec![]);
    let log = || Arc::new(SilentLog);

    assert_eq!(flag.status(&call, &bounds(), log()).await.state, State::Down);
    let started = flag.act(Verb::Start, &call, &bounds(), log()).await;
    assert_eq!((started.change, started.result.is_ok()), (Change::Changed, true), "{started:?}");
    let again = flag.act(Verb::Start, &call, &bounds(), log()).await;
    assert_eq!((again.change, again.result.is_ok()), (Change::Unchanged, true), "{again:?}");
    assert_eq!(flag.status(&call, &bounds(), log()).await.state, State::Up);
    let stopped = flag.act(Verb::Stop, &call, &bounds(), log()).await;
    assert_eq!((stopped.change, stopped.result.is_ok()), (Change::Changed, true), "{stopped:?}");
    assert_eq!(flag.status(&call, &bounds(), log()).await.state, State::Down);
}

#[tokio::test]
async fn a_directory_is_made_with_its_mode() {
    let bench = Bench::new();
    let directory = bench.load("fs.directory");
    let path = bench.path("data");
    let call = bench.call("fs#1", "fs.directory", vec![keyword("path", &path), keyword("perm", "448")]);
    let log = || Arc::new(SilentLog);

    assert_eq!(directory.status(&call, &bounds(), log()).await.state, State::Down);
    directory.act(Verb::Start, &call, &bounds(), log()).await.result.unwrap();
    // It stays when the service stops, so it says nothing of whether the service is up.
    assert_eq!(directory.status(&call, &bounds(), log()).await.state, State::Na);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_component_whose_section_is_gone_is_asked_instead() {
    let flag = builtin::drivers().iter().find(|driver| driver.name == "fs.flag").unwrap();
    let name = b"hostler.manifest";
    let at = flag.component.windows(name.len()).position(|window| window == name).unwrap();
    let mut renamed = flag.component.to_vec();
    renamed[at] = b'x';

    assert!(matches!(hostler_runtime::manifest_of(&renamed), Err(hostler_runtime::SectionError::NoSection)));
    assert_eq!(Bench::new().runtime.describe(&renamed).await.unwrap(), flag.manifest);
}
