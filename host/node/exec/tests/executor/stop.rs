//! Failures of a stop: it goes on.

use driver::{Change, Verb};
use exec::{ActionEnding, RollbackReport, StepError, StepOutcome};
use plan::Action;

use crate::world::{Behaviour, set, world};

#[tokio::test]
async fn a_stop_goes_on_past_failures_and_names_them_all() {
    let (_directory, world) = world();
    ["ip#1", "disk#1", "fs#1", "app#1"].iter().for_each(|rid| world.put(rid, true));
    world.when("app#1", Verb::Stop, Behaviour::Fails(Change::Unchanged));
    world.when("disk#1", Verb::Stop, Behaviour::Fails(Change::Unchanged));
    let report = world.run("ip#1\ndisk#1\nfs#1\napp#1", Action::Stop).await;
    assert_eq!(report.ending.to_string(), "failed at app#1, disk#1");
    assert_eq!(world.up(), set(&["app#1", "disk#1"]));
    assert!(matches!(report.rollback, RollbackReport::None));
}

#[tokio::test]
async fn a_stop_that_only_says_so_fails() {
    let (_directory, world) = world();
    world.put("fs#1", true);
    world.when("fs#1", Verb::Stop, Behaviour::Lies);
    let report = world.run("fs#1", Action::Stop).await;
    assert_eq!(report.ending.code(), "failed");
    world.lines.has("ERR fs#1: stop reported success, but the resource is up");
}

#[tokio::test]
async fn a_stop_that_cannot_be_proven_fails() {
    let (_directory, world) = world();
    world.put("fs#1", true);
    world.when("fs#1", Verb::Status, Behaviour::Lies);
    let report = world.run("fs#1", Action::Stop).await;
    assert_eq!(report.ending.code(), "failed");
    world.lines.has("ERR fs#1: stop reported success, but the resource is undef (the device does not answer)");
}

#[tokio::test]
async fn a_stop_leaves_standby_resources_up_and_says_so() {
    let (_directory, world) = world();
    world.put("fs#1", true);
    world.run("fs#1 standby\nfs#2 disable", Action::Stop).await;
    assert_eq!(world.up(), set(&["fs#1"]));
    world.lines.has("INF fs#1: skip 'stop' on standby resource (--force to override)");
    world.lines.has("DBG fs#2: disabled");
}

#[tokio::test]
async fn a_restart_does_not_start_over_what_it_could_not_stop() {
    let (_directory, world) = world();
    world.put("fs#1", true);
    world.put("app#1", true);
    world.when("fs#1", Verb::Stop, Behaviour::Fails(Change::Unchanged));
    let report = world.run("fs#1\napp#1", Action::Restart).await;
    assert_eq!(report.ending.to_string(), "failed at fs#1");
    assert_eq!(world.calls(), ["stop app#1", "stop fs#1"]);
}

#[tokio::test]
async fn a_restart_that_fails_on_the_way_up_undoes_the_way_up() {
    let (_directory, world) = world();
    world.put("fs#1", true);
    world.put("app#1", true);
    world.when("app#1", Verb::Start, Behaviour::Fails(Change::Unchanged));
    world.run("fs#1\napp#1", Action::Restart).await;
    assert_eq!(world.calls(), ["stop app#1", "stop fs#1", "start fs#1", "start app#1", "stop fs#1"]);
    assert_eq!(world.up(), set(&[]));
}

#[tokio::test]
async fn an_unprovision_stops_first_and_destroys_nothing_after_a_failure() {
    let (_directory, world) = world();
    for rid in ["disk#1", "fs#1"] {
        let lines = format!("{rid}\n");
        world.run(&lines, Action::Provision).await;
    }
    world.when("fs#1", Verb::Stop, Behaviour::Fails(Change::Unchanged));
    let report = world.run("disk#1\nfs#1", Action::Unprovision).await;
    assert_eq!(world.provisioned(), set(&["disk#1", "fs#1"]));
    assert!(matches!(report.steps[1].end, StepOutcome::Failed(StepError::Spared)), "{:?}", report.steps[1]);
    let (_directory, world) = crate::world::world();
    world.run("disk#1\nfs#1", Action::Provision).await;
    world.run("disk#1\nfs#1", Action::Unprovision).await;
    assert_eq!(world.calls()[4..], ["stop fs#1", "unprovision fs#1", "stop disk#1", "unprovision disk#1"]);
    assert_eq!(world.provisioned(), set(&[]));
}

#[tokio::test]
async fn tasks_and_copies_are_independent_of_each_other() {
    let (_directory, world) = world();
    world.when("task#1", Verb::Run, Behaviour::Lies);
    let report = world.run("task#1\ntask#2", Action::Run).await;
    assert_eq!(report.ending, ActionEnding::Failed(vec!["task#1".parse().unwrap()]));
    assert_eq!(world.calls(), ["run task#1", "run task#2"]);
    world.lines.has("ERR task#1: exited with status 1");
    world.when("sync#1", Verb::Sync, Behaviour::Lies);
    world.run("sync#1", Action::Sync).await;
    world.lines.has("INF sync#1: n2: 1 bytes");
    world.lines.has("ERR sync#1: n3: no route");
    world.lines.has("ERR sync#1: not copied to n3");
}

#[tokio::test]
async fn what_a_stop_left_fails_it_although_the_driver_says_down_and_all_are_looked_for_at_once() {
    let (_directory, world) = world();
    ["disk#1", "fs#1", "fs#2"].iter().for_each(|rid| world.put(rid, true));
    world.leaves("fs#1");
    let report = world.run("disk#1\nfs#1\nfs#2", Action::Stop).await;
    assert_eq!(report.ending.to_string(), "failed at fs#1");
    assert_eq!(world.proofs(), ["fs#2 fs#1 disk#1"]);
    world.lines.has("ERR fs#1: it still holds a mount");
}

#[tokio::test]
async fn what_a_stop_left_is_not_started_again() {
    let (_directory, world) = world();
    world.put("fs#1", true);
    world.leaves("fs#1");
    let report = world.run("fs#1", Action::Restart).await;
    assert_eq!(report.ending.to_string(), "failed at fs#1");
    assert_eq!(world.calls(), ["stop fs#1"]);
}

#[tokio::test]
async fn data_is_not_destroyed_below_what_a_stop_left() {
    let (_directory, world) = world();
    world.put("fs#1", true);
    world.leaves("fs#1");
    let report = world.run("fs#1", Action::Unprovision).await;
    assert_eq!(report.ending.to_string(), "failed at fs#1");
    assert_eq!(world.calls(), ["stop fs#1"]);
}

#[tokio::test]
async fn an_optional_resource_that_left_something_is_reported_and_ignored() {
    let (_directory, world) = world();
    world.put("fs#1", true);
    world.leaves("fs#1");
    let report = world.run("fs#1 optional", Action::Stop).await;
    assert_eq!(report.ending, ActionEnding::Done);
    assert!(matches!(&report.steps[0].end, StepOutcome::Failed(StepError::UnreleasedResource(_))));
}
