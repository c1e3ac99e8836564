//! The resources that act, and their order.

use crate::support::{asked, outline, planned, rid};
use plan::{Action, Barrier, PlanRequest};

#[track_caller]
fn check(lines: &str, action: Action, expected: &str) {
    assert_eq!(planned(lines, action).map(|plan| outline(&plan)).unwrap_or_else(|e| format!("error: {e}")), expected);
}

#[track_caller]
fn check_asked(lines: &str, action: Action, ask: impl FnOnce(&mut PlanRequest), expected: &str) {
    let planned = asked(lines, action, ask).map(|plan| outline(&plan));
    assert_eq!(planned.unwrap_or_else(|error| format!("error: {error}")), expected);
}

const EVERY_GROUP: &str = "
    task#1 down
    sync#1 down
    app#1 down
    container#1 down
    share#1 down
    fs#1 down
    disk#1 down
    volume#1 down
    ip#1 down";

#[test]
fn copies_are_made_where_the_service_runs_unless_they_are_forced() {
    let lines = "fs#1 down\nsync#1 passive\nsync#i0";
    check(lines, Action::Sync, "[(sync#1) sync#i0]");
    check_asked(lines, Action::Sync, |request| request.force = true, "[sync#1 sync#i0]");
}

#[test]
fn start_goes_up_the_groups_and_stop_comes_down() {
    check(EVERY_GROUP, Action::Start, "[ip#1] [volume#1] [disk#1] [fs#1] [share#1] [container#1] [app#1]");
    check(EVERY_GROUP, Action::Stop, "[app#1] [container#1] [share#1] [fs#1] [disk#1] [volume#1] [ip#1]");
    check(EVERY_GROUP, Action::Run, "[task#1]");
    check(EVERY_GROUP, Action::Sync, "[sync#1]");
}

#[test]
fn resources_inside_a_container_are_left_alone() {
    let lines = "ip#1 down\nfs#1 encap\napp#1 encap optional\ncontainer#1 down";
    check(lines, Action::Start, "[ip#1] [(fs#1)] [container#1] [(app#1)]");
    check(lines, Action::Stop, "[(app#1)] [container#1] [(fs#1)] [ip#1]");
    check(lines, Action::Provision, "[ip#1] [(fs#1)] [container#1] [(app#1)]");
    let plan = planned(lines, Action::Start).unwrap();
    let reasons: Vec<String> = plan.steps().filter_map(|step| Some(step.skip()?.to_string())).collect();
    assert_eq!(reasons, [plan::ENCAP; 2]);
}

#[test]
fn restart_comes_down_and_goes_up() {
    check("ip#1 up\napp#1 up", Action::Restart, "[app#1] [ip#1] [ip#1] [app#1]");
}

#[test]
fn ids_are_ordered_as_people_count() {
    check("fs#10 down\nfs#9 down\nfs#2 down", Action::Start, "[fs#2 fs#9 fs#10]");
}

#[test]
fn resources_without_subset_come_before_the_subsets_by_name() {
    let lines = "app#1 down subset=b\napp#2 down subset=a\napp#3 down\napp#4 down subset=a";
    check(lines, Action::Start, "[app#3] [app#2 app#4] [app#1]");
    check(lines, Action::Stop, "[app#1] [app#4 app#2] [app#3]");
}

#[test]
fn addresses_belong_to_the_step_of_their_container() {
    let lines = "
        ip#0 down
        ip#1 down netns=container#1
        ip#2 down netns=container#2
        ip#3 down netns=container#1
        container#1 down
        container#2 down";
    check(lines, Action::Start, "[ip#0] [container#1 ip#1 ip#3 container#2 ip#2]");
    check(lines, Action::Stop, "[ip#2 container#2 ip#3 ip#1 container#1] [ip#0]");
    let only = |request: &mut PlanRequest| request.selected = Some([rid("container#1")].into());
    check_asked(lines, Action::Start, only, "[container#1 ip#1 ip#3]");
}

/// The members of a parallel subset begin in this order, and an address waits only for its container.
#[test]
fn addresses_follow_their_containers_within_a_parallel_subset() {
    let lines = "
        parallel container:all
        ip#1 down netns=container#1
        ip#2 down netns=container#2
        container#1 down subset=all
        container#2 down subset=all";
    check(lines, Action::Start, "[container#1 ip#1 container#2 ip#2]");
    for action in [Action::Start, Action::Stop] {
        let plan = planned(lines, action).unwrap();
        assert!(plan.stages().all(|stage| stage.parallel));
        let waits = |name: &str| {
            let step = plan.steps().find(|step| step.rid == rid(name)).unwrap();
            step.after.iter().map(|edge| edge.rid.to_string()).collect::<Vec<_>>()
        };
        let own = |number: u8| match action {
            Action::Start => (format!("ip#{number}"), format!("container#{number}")),
            _ => (format!("container#{number}"), format!("ip#{number}")),
        };
        for (after, before) in [own(1), own(2)] {
            assert_eq!((waits(&after), waits(&before)), (vec![before], vec![]));
        }
    }
    for action in [Action::Start, Action::Stop, Action::Restart, Action::Provision, Action::Unprovision] {
        let only = |request: &mut PlanRequest| request.selected = Some([rid("container#2")].into());
        let plan = asked(lines, action, only).unwrap();
        assert!(plan.steps().any(|step| step.rid == rid("ip#2")), "{action}");
        assert!(plan.steps().all(|step| step.rid != rid("ip#1")), "{action}");
    }
}

#[test]
fn containers_go_along_with_those_whose_namespaces_they_share() {
    let lines = "
        container#1 up shares=container#2
        container#2 warn shares=container#9
        container#3 up
        container#4 down shares=container#9
        container#9 up
        ip#1 up netns=container#1";
    // Whatever their numbers are, each starts after the one that it lives in.
    check(lines, Action::Start, "[container#3 container#9 container#2 container#1 ip#1 container#4]");
    let only = |request: &mut PlanRequest| request.selected = Some([rid("container#9")].into());
    check_asked(lines, Action::Stop, only, "[container#4 ip#1 container#1 container#2 container#9]");
    // What is down is not left in the old namespace, and was not asked for.
    check_asked(lines, Action::Start, only, "[container#9 container#2 container#1 ip#1]");
}

#[test]
fn an_address_of_a_disabled_container_is_left_alone() {
    check("ip#1 down netns=container#1\ncontainer#1 disable", Action::Start, "[(container#1) (ip#1)]");
}

#[test]
fn a_requirement_against_the_order_moves_one_step() {
    let lines = "disk#1 down\nfs#1 down start_requires=container#1\nfs#2 down\ncontainer#1 down\napp#1 down";
    check(lines, Action::Start, "[disk#1] [fs#2] [container#1] [fs#1] [app#1]");
    check(lines, Action::Stop, "[app#1] [container#1] [fs#2 fs#1] [disk#1]");
}

#[test]
fn a_requirement_inside_a_group_reorders_it() {
    check("app#1 down start_requires=app#3\napp#2 down\napp#3 down", Action::Start, "[app#2 app#3 app#1]");
}

#[test]
fn a_requirement_that_a_stop_takes_away_must_hold_before() {
    // app#1 needs container#1 to be up in order to stop, so it stops first.
    let lines = "app#1 up stop_requires=app#2(up)\napp#2 up";
    check(lines, Action::Stop, "[app#1 app#2]");
    check(
        "app#1 up stop_requires=app#2(up)\napp#2 down",
        Action::Stop,
        "error: app#1 requires app#2 up, but it is down",
    );
    check("app#1 up\napp#2 up stop_requires=app#1(down)", Action::Stop, "[app#1 app#2]");
}

#[test]
fn steps_that_wait_for_each_other_are_named() {
    let lines =
        "fs#1 down start_requires=fs#3\nfs#2 down start_requires=fs#1\nfs#3 down start_requires=fs#2\napp#1 down";
    check(lines, Action::Start, "error: these wait for each other: fs#1 → fs#2 → fs#3 → fs#1");
    check("fs#1 down start_requires=fs#1", Action::Start, "error: these wait for each other: fs#1 → fs#1");
    check(
        "fs#1 down start_requires=app#1\napp#1 down start_requires=fs#1",
        Action::Start,
        "error: these wait for each other: fs#1 → app#1 → fs#1",
    );
}

#[test]
fn a_required_resource_that_takes_no_part_is_tested_now() {
    let lines = "fs#1 down\napp#1 down start_requires=fs#1";
    let only_app = |request: &mut PlanRequest| request.selected = Some([rid("app#1")].into());
    let error = "error: app#1 requires fs#1 up or stdby up, but it is down";
    check_asked(lines, Action::Start, only_app, error);
    check_asked(&lines.replace("fs#1 down", "fs#1 up"), Action::Start, only_app, "[app#1]");
    check("fs#1 disable\napp#1 down start_requires=fs#1", Action::Start, &error.replace("is down", "is n/a"));
    check(
        "app#1 down start_requires=fs#7",
        Action::Start,
        "error: app#1: start_requires names fs#7, which does not exist",
    );
}

#[test]
fn an_optional_resource_whose_requirement_is_not_met_is_skipped_and_so_are_those_that_need_it() {
    let lines = |first: &str, second: &str| {
        format!(
            "fs#1 disable\n{first} down optional start_requires=fs#1\n{second} down optional start_requires={first}\napp#3 down"
        )
    };
    check(&lines("app#1", "app#2"), Action::Start, "[(fs#1)] [(app#1) (app#2) app#3]");
    check(&lines("app#2", "app#1"), Action::Start, "[(fs#1)] [(app#1) (app#2) app#3]");
}

#[test]
fn standby_resources_stay_up_through_a_stop() {
    let lines = "fs#1 stdby-up\napp#1 up";
    check(lines, Action::Stop, "[app#1] [(fs#1)]");
    check(lines, Action::Restart, "[app#1] [(fs#1)] [fs#1] [app#1]");
    check(lines, Action::Shutdown, "[app#1] [fs#1]");
    check(lines, Action::Unprovision, "[app#1] [fs#1]");
    check_asked(lines, Action::Stop, |request| request.force = true, "[app#1] [fs#1]");
    check(lines, Action::Start, "[fs#1] [app#1]");
    check(lines, Action::StartStandby, "[fs#1] [(app#1)]");
}

#[test]
fn to_goes_no_further_in_the_direction_of_the_action() {
    let lines = "ip#1 down\nfs#1 down\nfs#2 down\nip#2 down netns=container#1\ncontainer#1 down\napp#1 down";
    let to = |barrier: Barrier| move |request: &mut PlanRequest| request.to = Some(barrier);
    let fs = || Barrier::Group("fs".parse().unwrap());
    let one = |name: &str| Barrier::Rid(rid(name));
    check_asked(lines, Action::Start, to(fs()), "[ip#1] [fs#1 fs#2] [(container#1) (ip#2)] [(app#1)]");
    check_asked(lines, Action::Start, to(one("fs#1")), "[ip#1] [fs#1 (fs#2)] [(container#1) (ip#2)] [(app#1)]");
    check_asked(lines, Action::Start, to(one("container#1")), "[ip#1] [fs#1 fs#2] [container#1 ip#2] [(app#1)]");
    check_asked(lines, Action::Stop, to(fs()), "[app#1] [ip#2 container#1] [fs#2 fs#1] [(ip#1)]");
    check_asked(lines, Action::Stop, to(one("container#1")), "[app#1] [ip#2 container#1] [(fs#2) (fs#1)] [(ip#1)]");
    let disk = Barrier::Group("disk".parse().unwrap());
    check_asked(lines, Action::Start, to(disk), "[ip#1] [(fs#1) (fs#2)] [(container#1) (ip#2)] [(app#1)]");
    check_asked(lines, Action::Start, to(one("fs#9")), "error: no resource fs#9");
}

#[test]
fn a_restart_to_a_resource_brings_back_just_what_it_took_down() {
    let to = |request: &mut PlanRequest| request.to = Some(Barrier::Rid(rid("fs#1")));
    check_asked("ip#1 up\nfs#1 up\napp#1 up", Action::Restart, to, "[app#1] [fs#1] [(ip#1)] [(ip#1)] [fs#1] [app#1]");
}

#[test]
fn a_start_names_all_that_is_not_provisioned() {
    let lines = "disk#1 down unprovisioned\nfs#1 down unprovisioned\napp#1 down";
    let error = "error: not provisioned: disk#1, fs#1 (provision first, or --force to start anyway)";
    check(lines, Action::Start, error);
    check_asked(lines, Action::Start, |request| request.force = true, "[disk#1] [fs#1] [app#1]");
    check(lines, Action::Provision, "[disk#1] [fs#1] [app#1]");
    check("fs#1 down unprovisioned provision=false", Action::Provision, &error.replace("disk#1, ", ""));
    check("fs#1 down unprovisioned optional\napp#1 down", Action::Start, "[(fs#1)] [app#1]");
    check("fs#1 up unprovisioned", Action::Start, "[fs#1]");
}

#[test]
fn nonsensical_requests_are_named() {
    let only = |name: &'static str| move |request: &mut PlanRequest| request.selected = Some([rid(name)].into());
    check_asked("ip#1 down", Action::Start, only("ip#2"), "error: no resource ip#2");
    check_asked(EVERY_GROUP, Action::Start, only("task#1"), "[(task#1)]");
    check("ip#1 down\nip#1 down", Action::Start, "error: ip#1 is there twice");
    let names = "error: ip#1: netns names";
    check("ip#1 down netns=container#1", Action::Stop, &format!("{names} container#1, which does not exist"));
    check("ip#1 down netns=fs#1\nfs#1 up", Action::Stop, &format!("{names} fs#1, which is not a container"));
}

#[test]
fn to_run_or_copy_nothing_but_what_cannot_be_is_a_mistake() {
    let lines = "fs#1 up\napp#1 up\ntask#1";
    let select = |rids: &'static [&str]| {
        move |request: &mut PlanRequest| request.selected = Some(rids.iter().map(|name| rid(name)).collect())
    };
    let run = "error: run acts on task#… alone, and the selection (--rid, --tags, --subsets) holds none: fs#1, app#1";
    check_asked(lines, Action::Run, select(&["app#1", "fs#1"]), run);
    let sync = "error: sync acts on sync#… alone, and the selection (--rid, --tags, --subsets) holds none: task#1";
    check_asked(lines, Action::Sync, select(&["task#1"]), sync);
    check_asked(lines, Action::Run, select(&["app#1", "task#1"]), "[(app#1)] [task#1]");
    check_asked(lines, Action::Start, select(&["task#1"]), "[(task#1)]");
}

#[test]
fn what_makes_a_place_comes_before_what_lies_in_it() {
    let nested =
        "fs#1 down place=/srv/a/b/c path=/srv/a/b/c\nfs#2 down place=/srv/a path=/srv/a\nfs#3 down place=/srv/ab";
    check(nested, Action::Start, "[fs#2 fs#1 fs#3]");
    check(&nested.replace("down", "up"), Action::Stop, "[fs#3 fs#1 fs#2]");
    // The source of a bind mount lies in the file system that holds it.
    check("fs#1 down place=/srv/w path=/srv/d/w\nfs#2 down place=/srv/d", Action::Start, "[fs#2 fs#1]");
    check("fs#1 down place=/srv/w path=/srv/d\nfs#2 down place=/srv/d", Action::Start, "[fs#2 fs#1]");
    // Two on one directory stay in the order of their ids, as do those that lie in nothing.
    check("fs#1 down place=/srv/d\nfs#2 down place=/srv/d path=/srv/d", Action::Start, "[fs#1 fs#2]");
    check("fs#1 down path=/srv/d/x\nfs#2 down path=/srv/d", Action::Start, "[fs#1 fs#2]");
}

#[test]
fn an_order_that_was_asked_for_counts_more_than_places() {
    let asked = "fs#1 down place=/srv/a/b\nfs#2 down place=/srv/a start_requires=fs#1";
    check(asked, Action::Start, "[fs#1 fs#2]");
    let subsets = "fs#1 down place=/srv/a/b subset=a\nfs#2 down place=/srv/a subset=b";
    check(subsets, Action::Start, "[fs#1] [fs#2]");
    // A circle of paths is nobody's fault.
    check("fs#1 down place=/a path=/b/x\nfs#2 down place=/b path=/a/x", Action::Start, "[fs#2 fs#1]");
    check("fs#1 disable place=/srv/a\nfs#2 down place=/srv/a/b", Action::Start, "[(fs#1) fs#2]");
}
