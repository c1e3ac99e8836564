//! Triggers around a verb.

use plan::Action;

use crate::world::{set, world};

const ALL: &str = "fs#1 post_start pre_start blocking_post_start blocking_pre_start\napp#1";

#[tokio::test]
async fn triggers_run_around_their_verb_blocking_ones_first() {
    let (_directory, world) = world();
    world.run(ALL, Action::Start).await;
    assert_eq!(
        world.calls(),
        [
            "blocking_pre_start fs#1",
            "pre_start fs#1",
            "start fs#1",
            "blocking_post_start fs#1",
            "post_start fs#1",
            "start app#1",
        ]
    );
}

#[tokio::test]
async fn a_status_is_noted_before_the_triggers_that_may_change_it() {
    let (_directory, world) = world();
    world.run(ALL, Action::Start).await;
    assert_eq!(world.looked(), ["fs#1 up after start fs#1", "app#1 up after start app#1"]);
}

#[tokio::test]
async fn triggers_of_a_provision_surround_the_start_that_belongs_to_it() {
    let (_directory, world) = world();
    let all = "fs#1 pre_provision post_provision blocking_post_provision pre_start post_start";
    world.run(all, Action::Provision).await;
    assert_eq!(
        world.calls(),
        [
            "pre_provision fs#1",
            "provision fs#1",
            "pre_start fs#1",
            "start fs#1",
            "post_start fs#1",
            "blocking_post_provision fs#1",
            "post_provision fs#1",
        ]
    );
}

#[tokio::test]
async fn triggers_of_an_unprovision_surround_the_stop_that_belongs_to_it() {
    let (_directory, world) = world();
    world.run("fs#1 pre_unprovision post_unprovision pre_stop post_stop", Action::Unprovision).await;
    assert_eq!(
        world.calls(),
        [
            "pre_unprovision fs#1",
            "pre_stop fs#1",
            "stop fs#1",
            "post_stop fs#1",
            "unprovision fs#1",
            "post_unprovision fs#1",
        ]
    );
}

#[tokio::test]
async fn a_failed_trigger_is_a_warning() {
    for trigger in ["pre_start", "post_start"] {
        let (_directory, world) = world();
        world.fail_trigger(&format!("{trigger} fs#1"));
        let report = world.run(ALL, Action::Start).await;
        assert_eq!(report.ending.code(), "done");
        world.lines.has(&format!("WRN fs#1: {trigger} failed: exit 1"));
        assert_eq!(world.up(), set(&["fs#1", "app#1"]));
    }
}

#[tokio::test]
async fn the_result_of_a_verb_is_reported_before_its_triggers_run() {
    let (_directory, world) = world();
    world.fail_trigger("post_start fs#1");
    world.run("fs#1 post_start", Action::Start).await;
    assert_eq!(world.lines.all(), ["INF fs#1: start done", "WRN fs#1: post_start failed: exit 1"]);
}

#[tokio::test]
async fn a_failed_blocking_trigger_before_a_verb_keeps_it_from_being_tried() {
    let (_directory, world) = world();
    world.fail_trigger("blocking_pre_start fs#1");
    let report = world.run(ALL, Action::Start).await;
    assert_eq!(report.ending.code(), "failed");
    assert_eq!(world.calls(), ["blocking_pre_start fs#1"]);
    world.lines.has("ERR fs#1: blocking_pre_start failed: exit 1");
}

#[tokio::test]
async fn a_failed_blocking_trigger_after_a_verb_undoes_it() {
    let (_directory, world) = world();
    world.fail_trigger("blocking_post_start fs#1");
    let report = world.run(ALL, Action::Start).await;
    assert_eq!(report.ending.code(), "failed");
    assert_eq!(world.up(), set(&[]));
}
