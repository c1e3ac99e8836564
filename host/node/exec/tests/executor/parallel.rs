//! Members of a parallel subset.

use driver::{Change, Verb};
use exec::StepOutcome;
use plan::Action;

use crate::world::{Behaviour, set, world};

fn members(count: usize) -> String {
    (0..count).map(|n| format!("app#{n} parallel=p\n")).collect()
}

#[tokio::test]
async fn members_act_at_the_same_time_and_never_more_than_allowed() {
    let (_directory, world) = world();
    world.run(&members(10), Action::Start).await;
    assert_eq!(world.most_running(), 4, "the session allows four");
    assert_eq!(world.up().len(), 10);
}

#[tokio::test]
async fn others_act_one_after_the_other() {
    let (_directory, world) = world();
    world.run("app#1\napp#2\napp#3", Action::Start).await;
    assert_eq!(world.most_running(), 1);
}

#[tokio::test]
async fn after_a_failure_running_members_finish_and_no_other_begins() {
    let (_directory, world) = world();
    world.when("app#0", Verb::Start, Behaviour::Fails(Change::Unchanged));
    let report = world.run(&members(10), Action::Start).await;
    let reached = report.steps.iter().filter(|step| !matches!(step.end, StepOutcome::NotReached)).count();
    assert_eq!(reached, 4, "those that ran along with the one that failed");
    assert_eq!(world.up(), set(&[]), "and they are undone");
}

#[tokio::test]
async fn a_member_waits_for_the_member_it_requires() {
    let (_directory, world) = world();
    world.run("app#1 parallel=p start_requires=app#2\napp#2 parallel=p\napp#3 parallel=p", Action::Start).await;
    let calls = world.calls();
    let at = |call: &str| calls.iter().position(|other| other == call);
    assert!(at("start app#2") < at("start app#1"), "{calls:?}");
    assert_eq!(world.most_running(), 2, "the one that is not required runs along");
}

#[tokio::test]
async fn a_failed_member_does_not_keep_a_stop_from_the_others() {
    let (_directory, world) = world();
    (0..10).for_each(|n| world.put(&format!("app#{n}"), true));
    world.when("app#0", Verb::Stop, Behaviour::Fails(Change::Unchanged));
    world.run(&members(10), Action::Stop).await;
    assert_eq!(world.up(), set(&["app#0"]));
}
