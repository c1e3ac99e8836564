//! Failures of a migration: it leaves the resources that have not moved, and those below them.

use driver::{Change, Verb};
use exec::{ActionEnding, ExecutionReport, RecoveryReport, RecoveryVerdict, execute, recover};
use plan::{Action, InstanceFacts, PlanRequest};

use crate::world::{Behaviour, World, set, world};

const RESOURCES: &str = "fs#1\ncontainer#1\ncontainer#2 optional";

/// Both nodes have `fs#1`, and the containers move.
fn to_n2(instance: &mut InstanceFacts, request: &mut PlanRequest) {
    for resource in &mut instance.resources {
        resource.shared = true;
        resource.migrates = resource.rid.to_string() != "fs#1";
    }
    request.destination = Some("n2".parse().unwrap());
}

fn all_up(world: &World) {
    ["fs#1", "container#1", "container#2"].iter().for_each(|rid| world.put(rid, true));
}

async fn migrate(world: &std::sync::Arc<World>) -> ExecutionReport {
    world.ask(RESOURCES, Action::Migrate, to_n2).await
}

#[tokio::test]
async fn all_moves_and_then_what_is_shared_is_stopped() {
    let (_directory, world) = world();
    all_up(&world);
    assert_eq!(migrate(&world).await.ending, ActionEnding::Done);
    assert_eq!(world.calls(), ["migrate container#1 n2", "migrate container#2 n2", "stop fs#1"]);
    assert_eq!(world.up(), set(&[]));
    assert!(!migrate(&world).await.changed());
}

#[tokio::test]
async fn a_failure_aborts_it_and_undoes_nothing() {
    for behaviour in [Behaviour::Fails(Change::Changed), Behaviour::Lies, Behaviour::Lacks] {
        let (_directory, world) = world();
        all_up(&world);
        world.when("container#2", Verb::Migrate, behaviour);
        let report = migrate(&world).await;
        assert_ne!(report.ending, ActionEnding::Done, "{behaviour:?}");
        assert_eq!(world.calls(), ["migrate container#1 n2", "migrate container#2 n2"], "{behaviour:?}");
        assert!(world.up().contains("fs#1"), "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_migration_that_only_says_so_fails() {
    let (_directory, world) = world();
    all_up(&world);
    world.when("container#1", Verb::Migrate, Behaviour::Lies);
    assert_eq!(migrate(&world).await.ending.to_string(), "failed at container#1");
    world.lines.has("ERR container#1: migrate reported success, but the resource is up");
}

#[tokio::test]
async fn a_killed_migration_is_reported_and_nothing_is_stopped_because_of_it() {
    let (directory, world) = world();
    all_up(&world);
    world.when("container#2", Verb::Migrate, Behaviour::Hangs);
    let plan = world.plan(RESOURCES, Action::Migrate, to_n2);
    let (facilities, session) = (world.facilities(), world.session());
    let reached = async {
        while world.calls().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = execute(&plan, facilities.as_ref(), &session) => panic!("container#2 hangs"),
        () = reached => {}
    }
    world.wait_for_the_journal().await;
    let after = World::new(directory.path());
    let recovery = recover(after.facilities().as_ref(), &after.session()).await.unwrap();
    let Some(RecoveryReport::Finished { recovered, undone, .. }) = recovery else { panic!("no story") };
    assert_eq!((recovered, undone.len()), (RecoveryVerdict::Interrupted, 0));
    assert_eq!(after.up(), set(&["fs#1", "container#2"]));
    assert!(after.calls().is_empty());
}
