//! The state after a failed start.

use std::collections::BTreeSet;

use driver::{Change, Verb};
use exec::{ActionEnding, LeaveReason, RollbackReport, StepOutcome, UndoOutcome};
use model::status::State;
use plan::Action;
use proptest::prelude::*;

use crate::world::{Behaviour, World, set, world};

fn rids(names: &[&str]) -> Vec<model::Rid> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_start_brings_everything_up_in_order() {
    let (_directory, world) = world();
    let report = world.run("app#1\nip#1\nfs#1", Action::Start).await;
    assert_eq!(report.ending, ActionEnding::Done);
    assert!(report.changed());
    assert_eq!(world.calls(), ["start ip#1", "start fs#1", "start app#1"]);
    world.lines.has("INF fs#1: start done");
    let again = world.run("app#1\nip#1\nfs#1", Action::Start).await;
    assert!(!again.changed(), "the second start finds nothing to do");
}

#[tokio::test]
async fn a_failed_start_stops_there_and_undoes_what_it_changed() {
    let (_directory, world) = world();
    world.put("disk#1", true);
    world.when("fs#1", Verb::Start, Behaviour::Fails(Change::Unchanged));
    let report = world.run("ip#1\ndisk#1\nfs#1\napp#1", Action::Start).await;
    assert_eq!(report.ending, ActionEnding::Failed(rids(&["fs#1"])));
    assert_eq!(world.calls(), ["start ip#1", "start disk#1", "start fs#1", "stop ip#1"]);
    assert_eq!(world.up(), set(&["disk#1"]));
    assert!(matches!(report.steps[3].end, StepOutcome::NotReached));
    assert_eq!(
        world.lines.all(),
        [
            "INF ip#1: start done",
            "ERR fs#1: start is impossible",
            "INF rollback: disk#1: left as it was before this action",
            "INF rollback: ip#1: stop done",
        ]
    );
    let (_, line) = report.closing("om web instance start", State::Down);
    assert!(line.starts_with("<<< done start [om web instance start] in "), "{line}");
    assert!(line.ends_with(": failed at fs#1, rolled back, instance status is down"), "{line}");
}

#[tokio::test]
async fn a_start_whose_program_exits_a_moment_later_has_failed() {
    let (_directory, world) = world();
    world.short_lived.lock().unwrap().insert("app#1".to_owned());
    let report = world.run("ip#1\napp#1\napp#2", Action::Start).await;
    assert_eq!(report.ending, ActionEnding::Failed(rids(&["app#1"])));
    assert_eq!(report.steps[1].end.error().unwrap().code(), "exited_early");
    world.lines.has("ERR app#1: its process 7 exited with 1 soon after its start");
    assert_eq!(world.up(), set(&[]), "the others are undone");
    // An optional one is reported and ignored, and one that was up before this start is not asked about.
    let report = world.run("ip#1\napp#1 optional", Action::Start).await;
    assert_eq!(report.ending, ActionEnding::Done);
    world.lines.has("WRN app#1: its process 7 exited with 1 soon after its start (optional: ignored)");
    assert_eq!(world.up(), set(&["ip#1"]));
    world.put("app#1", true);
    assert_eq!(world.run("ip#1\napp#1", Action::Start).await.ending, ActionEnding::Done);
}

#[tokio::test]
async fn a_start_that_failed_before_it_changed_anything_says_so() {
    let (_directory, world) = world();
    world.when("fs#1", Verb::Start, Behaviour::Fails(Change::Unchanged));
    let report = world.run("fs#1", Action::Start).await;
    assert_eq!(report.rollback.to_string(), "nothing to roll back");
}

#[tokio::test]
async fn a_step_that_failed_half_way_is_undone_too() {
    for change in [Change::Changed, Change::Unknown] {
        let (_directory, world) = world();
        world.when("fs#1", Verb::Start, Behaviour::Fails(change));
        world.run("ip#1\nfs#1", Action::Start).await;
        assert_eq!(world.calls(), ["start ip#1", "start fs#1", "stop fs#1", "stop ip#1"], "{change:?}");
        assert_eq!(world.up(), set(&[]));
    }
}

#[tokio::test]
async fn a_rollback_goes_on_past_an_undo_that_fails_and_names_it() {
    let (_directory, world) = world();
    world.when("disk#1", Verb::Stop, Behaviour::Fails(Change::Unchanged));
    world.when("app#1", Verb::Start, Behaviour::Fails(Change::Unchanged));
    let report = world.run("ip#1\ndisk#1\nfs#1\napp#1", Action::Start).await;
    assert_eq!(world.up(), set(&["disk#1"]));
    world.lines.has("ERR rollback: disk#1: stop is impossible");
    let (_, line) = report.closing("x", State::Warn);
    assert!(line.ends_with(": failed at app#1, rolled back all but disk#1, instance status is warn"), "{line}");
}

#[tokio::test]
async fn standby_resources_stay_up_through_a_rollback() {
    let (_directory, world) = world();
    world.when("app#1", Verb::Start, Behaviour::Fails(Change::Unchanged));
    let report = world.run("disk#1 standby\nfs#1\napp#1", Action::Start).await;
    assert_eq!(world.up(), set(&["disk#1"]));
    let RollbackReport::Ran(undone) = report.rollback else { panic!("no rollback") };
    assert!(matches!(undone[1].end, UndoOutcome::Left(LeaveReason::Standby)));
}

#[tokio::test]
async fn rollback_can_be_turned_off_in_two_ways() {
    for by_option in [true, false] {
        let (_directory, world) = world();
        world.when("fs#1", Verb::Start, Behaviour::Fails(Change::Unchanged));
        let report = world
            .ask("ip#1\nfs#1", Action::Start, |instance, request| {
                request.disable_rollback = by_option;
                instance.rollback = by_option;
            })
            .await;
        assert_eq!(world.up(), set(&["ip#1"]));
        let reason = if by_option { "--disable-rollback" } else { "rollback = false" };
        world.lines.has(&format!("WRN rollback: none, because of {reason}"));
        assert_eq!(report.rollback.to_string(), "not rolled back");
    }
}

#[tokio::test]
async fn the_errors_of_an_optional_resource_never_interrupt() {
    let (_directory, world) = world();
    world.when("fs#1", Verb::Start, Behaviour::Fails(Change::Changed));
    let report = world.run("ip#1\nfs#1 optional\napp#1", Action::Start).await;
    assert_eq!(report.ending, ActionEnding::Done);
    world.lines.has("WRN fs#1: start is impossible (optional: ignored)");
    assert_eq!(world.up(), set(&["ip#1", "app#1"]), "what the optional one left half done is undone at once");
}

#[tokio::test]
async fn resources_that_need_a_failed_optional_resource_are_not_tried() {
    let (_directory, world) = world();
    world.when("fs#1", Verb::Start, Behaviour::Fails(Change::Unchanged));
    let report = world.run("fs#1 optional\napp#1 start_requires=fs#1", Action::Start).await;
    assert_eq!(report.ending, ActionEnding::Failed(rids(&["app#1"])));
    assert_eq!(world.calls(), ["start fs#1"]);
    world.lines.has("ERR app#1: not tried: needs fs#1, which failed");
}

#[tokio::test]
async fn a_start_that_only_says_so_fails() {
    let (_directory, world) = world();
    world.when("fs#1", Verb::Start, Behaviour::Lies);
    let report = world.run("ip#1\nfs#1", Action::Start).await;
    assert_eq!(report.ending, ActionEnding::Failed(rids(&["fs#1"])));
    world.lines.has("ERR fs#1: start reported success, but the resource is down");
    assert_eq!(world.up(), set(&[]));
}

#[tokio::test]
async fn a_start_whose_status_is_unknown_is_a_warning_and_stays() {
    let (_directory, world) = world();
    world.when("fs#1", Verb::Status, Behaviour::Lies);
    let report = world.run("fs#1", Action::Start).await;
    assert_eq!(report.ending, ActionEnding::Done);
    world.lines.has("WRN fs#1: started, but its status is unknown: the device does not answer");
}

#[tokio::test]
async fn a_late_reference_that_does_not_resolve_fails_its_step() {
    let (_directory, world) = world();
    world.run("ip#1\nfs#unresolved", Action::Start).await;
    world.lines.has("ERR fs#unresolved: cannot prepare start: {disk#1.exposed_devs[0]} does not resolve");
    assert_eq!(world.up(), set(&[]));
}

#[tokio::test]
async fn a_provision_also_starts_and_its_rollback_never_destroys() {
    let (_directory, world) = world();
    world.when("fs#2", Verb::Start, Behaviour::Fails(Change::Unchanged));
    world.run("disk#1\nfs#2", Action::Provision).await;
    assert_eq!(
        world.calls(),
        ["provision disk#1", "start disk#1", "provision fs#2", "start fs#2", "stop fs#2", "stop disk#1"]
    );
    assert_eq!(world.provisioned(), set(&["disk#1", "fs#2"]));
    assert_eq!(world.up(), set(&[]));
}

#[tokio::test]
async fn a_provision_that_only_says_so_fails() {
    let (_directory, world) = world();
    world.when("disk#1", Verb::Provision, Behaviour::Lies);
    world.run("disk#1", Action::Provision).await;
    world.lines.has("ERR disk#1: provision reported success, but provisioned is false");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// After every kind of failure, the resources that are up are exactly those that were up before.
    #[test]
    fn a_failed_start_leaves_the_world_as_it_was(
        resources in prop::collection::btree_map(
            (prop::sample::select(vec!["ip", "disk", "fs", "container", "app"]), 0..4_u8),
            (any::<bool>(), any::<bool>(), 0..6_u8),
            1..12,
        ),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let world = World::new(directory.path());
        let mut lines = String::new();
        for ((group, id), (up, parallel, fate)) in &resources {
            let rid = format!("{group}#{id}");
            lines.push_str(&format!("{rid}{}\n", if *parallel { " parallel=p" } else { "" }));
            world.put(&rid, *up);
            match fate {
                0 if !up => world.when(&rid, Verb::Start, Behaviour::Fails(Change::Changed)),
                1 if !up => world.when(&rid, Verb::Start, Behaviour::Fails(Change::Unchanged)),
                2 if !up => world.when(&rid, Verb::Start, Behaviour::Lies),
                _ => {}
            }
        }
        let before: BTreeSet<String> = world.up();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let report = runtime.block_on(world.run(&lines, Action::Start));
        match report.ending {
            ActionEnding::Done => prop_assert_eq!(world.up().len(), resources.len()),
            _ => prop_assert_eq!(world.up(), before),
        }
    }
}
