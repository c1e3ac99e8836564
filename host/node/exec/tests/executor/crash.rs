//! A process that dies at every named point, and the recovery by the next one.

use std::path::Path;
use std::process::Command;

use driver::{Change, Verb};
use exec::failpoint::Failpoint;
use exec::journal::Journal;
use exec::recover;
use plan::Action;

use crate::world::{Behaviour, World, set};

const RESOURCES: &str = "ip#1\ndisk#1\nfs#1\napp#1 parallel=p\napp#2 parallel=p";
const DIRECTORY: &str = "HOSTLER_TEST_CRASH_DIRECTORY";
const APP_FAILS: &str = "HOSTLER_TEST_CRASH_APP_FAILS";

/// The process that dies, started by [`die`]. It does nothing in an ordinary run of the tests.
#[tokio::test]
async fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let world = World::new(Path::new(&directory));
    if std::env::var_os(APP_FAILS).is_some() {
        world.when("app#2", Verb::Start, Behaviour::Fails(Change::Unchanged));
    }
    world.run(RESOURCES, Action::Start).await;
}

/// Starts the resources in another process that dies at the point. False if it never reached it.
fn die(directory: &Path, failpoint: &str, app_fails: bool) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::child"]).env(DIRECTORY, directory).env("HOSTLER_FAILPOINT", failpoint);
    if app_fails {
        command.env(APP_FAILS, "1");
    }
    let output = command.output().unwrap();
    !output.status.success()
}

async fn dies_and_recovers(failpoint: &str, app_fails: bool) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path());
    world.put("disk#1", true);
    if !die(directory.path(), failpoint, app_fails) {
        return false;
    }
    let left = world.up();
    let story = Journal::pending(&world.journal()).unwrap();
    if left != set(&["disk#1"]) {
        assert!(story.is_some(), "{failpoint}: {left:?} is up, but not in the journal");
    }
    recover(world.facilities().as_ref(), &world.session()).await.unwrap();
    let all = set(&["app#1", "app#2", "disk#1", "fs#1", "ip#1"]);
    let complete = story.is_some_and(|story| story.is_complete());
    assert_eq!(world.up(), if complete { all.clone() } else { set(&["disk#1"]) }, "{failpoint}, was {left:?}");
    assert!(Journal::pending(&world.journal()).unwrap().is_none(), "{failpoint}");
    world.run(RESOURCES, Action::Start).await;
    assert_eq!(world.up(), all, "{failpoint}: the next start converges");
    true
}

#[tokio::test]
async fn a_start_that_dies_at_any_point_is_undone_by_the_next_action() {
    for point in Failpoint::ALL {
        let in_rollback = matches!(point, Failpoint::BeforeUndo | Failpoint::AfterUndo);
        let mut pass = 1;
        // Every pass of every point, until the process survives.
        while dies_and_recovers(&format!("{}:{pass}", point.as_str()), in_rollback).await {
            pass += 1;
        }
        assert!(pass > 1, "{} was never passed", point.as_str());
    }
}

#[tokio::test]
async fn steps_undone_by_an_interrupted_rollback_are_not_undone_again() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path());
    assert!(die(directory.path(), "before-undo:2", true));
    let story = Journal::pending(&world.journal()).unwrap().unwrap();
    let left: Vec<String> = story.to_undo("boot-1").map(|(_, step)| step.rid.to_string()).collect();
    assert_eq!(left, ["fs#1", "disk#1", "ip#1"], "app#1 is undone, app#2 never came up");
}
