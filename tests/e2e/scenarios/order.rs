//! The order of steps, and the resources that take part.

use crate::world::World;

crate::trials!(
    groups_subsets_and_numbers_say_the_order,
    a_parallel_subset_acts_at_once,
    options_narrow_what_is_acted_on,
    to_says_how_far,
    a_standby_resource_stays_up,
    a_disabled_resource_is_left_alone,
    an_optional_resource_stops_nothing,
    requirements_are_edges_or_tests,
    triggers_run_around_and_only_blocking_ones_stop_an_action,
);

const N1: &str = "[DEFAULT]\nnodes = n1\n";

fn check(world: &World, line: &str, rids: &[&str]) {
    let ran = world.om(line).ok();
    assert_eq!(ran.rids(), rids, "{ran}");
}

fn groups_subsets_and_numbers_say_the_order(world: &World) {
    let config = format!(
        "{N1}{}{}{}{}[fs#10]\ntype = flag\n[fs#2]\ntype = flag\n[fs#1]\ntype = flag\nsubset = b\n\
         [fs#3]\ntype = flag\nsubset = a\n",
        world.app("10", ""),
        world.app("9", ""),
        world.app("1", "subset = z"),
        world.app("b-2", "")
    );
    world.create("web", &config);
    let order = ["fs#2", "fs#10", "fs#3", "fs#1", "app#9", "app#10", "app#b-2", "app#1"];
    check(world, "web start", &order);
    assert_eq!(world.take_marks(), "+9 +10 +b-2 +1");
    let reverse: Vec<&str> = order.into_iter().rev().collect();
    check(world, "web stop", &reverse);
    assert_eq!(world.take_marks(), "-1 -b-2 -10 -9");
}

/// Each member waits for the other: one after the other, neither would ever finish.
fn a_parallel_subset_acts_at_once(world: &World) {
    let meet = |id: &str, other: &str| {
        let script = format!(
            "#!/bin/sh\ncd {{w}}\n: >here.{id}\nfor i in $(seq 1000); do\n  test -e here.{other} && exit 0\n  sleep 0.01\ndone\nexit 1\n"
        );
        let file = world.write(&format!("meet.{id}"), &world.fill(&script));
        format!("[app#{id}]\ntype = forking\nsubset = pair\nstart = /bin/sh {}\n", file.display())
    };
    world.create("web", &format!("{N1}[subset#app:pair]\nparallel = true\n{}{}", meet("1", "2"), meet("2", "1")));
    world.om("web start").ok();
    world.om("web start --dry-run").ok().says("∥");
}

fn options_narrow_what_is_acted_on(world: &World) {
    let config = format!(
        "{N1}{}{}{}[fs#1]\ntype = flag\ntags = red\n",
        world.app("1", "tags = red fast"),
        world.app("2", "tags = blue fast\nsubset = s"),
        world.app("3", "subset = s"),
    );
    world.create("web", &config);
    let selected = |line: &str, marks: &str| {
        world.om(&format!("web start {line}")).ok();
        assert_eq!(world.take_marks(), marks, "{line}");
        world.om("web stop --local").ok();
        world.take_marks();
    };
    selected("--rid app#1", "+1");
    selected("--rid app#1,app#3", "+1 +3");
    selected("--rid app", "+1 +2 +3");
    selected("--rid app.forking", "+1 +2 +3");
    selected("--rid !app#2", "+1 +3");
    selected("--tags red", "+1");
    selected("--tags red+fast,blue", "+1 +2");
    selected("--subsets s", "+2 +3");
    selected("--subsets s --tags fast", "+2");
    world.om("web start --subsets s --tags red").ends(1).says("--tags");
    world.om("web start --rid app#7").ends(1).says("app#7");
    world.om("web --rid app#1 start").ok();
    assert_eq!(world.take_marks(), "+1");
    world.om("web stop").ok();
}

fn to_says_how_far(world: &World) {
    world.create("web", &format!("{N1}[fs#1]\ntype = flag\n[fs#2]\ntype = flag\n{}", world.app("1", "")));
    check(world, "web start --to fs#1", &["fs#1"]);
    check(world, "web start --upto fs", &["fs#1", "fs#2"]);
    world.om("web start").ok();
    check(world, "web stop --downto app", &["app#1"]);
    assert_eq!(world.states("web"), "app#1 down, fs#1 up, fs#2 up");
    world.om("web stop").ok();
}

fn a_standby_resource_stays_up(world: &World) {
    world.create("web", &format!("{N1}{}{}", world.app("1", "standby = true"), world.app("2", "")));
    world.om("web startstandby").ok();
    assert_eq!(world.take_marks(), "+1");
    assert_eq!(world.states("web"), "app#1 stdby up, app#2 down");
    world.om("web start").ok();
    assert_eq!(world.take_marks(), "+2");
    world.om("web stop").ok().says("app#1: skip 'stop' on standby resource (--force to override)");
    assert_eq!(world.take_marks(), "-2");
    world.is("web", "stdby up");
    world.om("web stop --force").ok();
    assert_eq!(world.take_marks(), "-1");
    world.is("web", "stdby down");
}

fn a_disabled_resource_is_left_alone(world: &World) {
    world.create("web", &format!("{N1}{}{}", world.app("1", ""), world.app("2", "disable = true")));
    world.om("web start").ok();
    assert_eq!(world.states("web"), "app#1 up, app#2 n/a");
    world.om("web enable --rid app#2").ok();
    world.om("web start").ok();
    world.om("web disable --rid app#1").ok();
    world.om("web stop").ok();
    assert_eq!(world.take_marks(), "+1 +2 -2");
    world.om("web enable --rid app#1").ok();
    world.om("web stop").ok();
    assert_eq!(world.take_marks(), "-1");
}

fn an_optional_resource_stops_nothing(world: &World) {
    world.create("web", &format!("{N1}{}{}", world.app("1", "optional = true"), world.app("2", "")));
    world.write("broken.1", "");
    world.om("web start").ok().says("app#1").says("optional: ignored");
    assert_eq!(world.take_marks(), "+2");
    world.is("web", "up");
    world.om("web stop").ok();
}

fn requirements_are_edges_or_tests(world: &World) {
    let config = format!(
        "{N1}{}{}{}",
        world.app("1", "start_requires = app#2(up)"),
        world.app("2", ""),
        world.app("3", "start_requires = app#2(up)")
    );
    world.create("web", &config);
    world.om("web start").ok();
    assert_eq!(world.take_marks(), "+2 +1 +3");
    world.om("web stop").ok();
    world.take_marks();
    world.om("web start --rid app#3").ends(1).says("app#2");
    assert_eq!(world.take_marks(), "", "what is required is tested before anything is touched");
    world.om("web start --rid app#2").ok();
    world.om("web start --rid app#3").ok();
    assert_eq!(world.take_marks(), "+2 +3");
    world.om("web stop").ok();
}

fn triggers_run_around_and_only_blocking_ones_stop_an_action(world: &World) {
    let triggers = "blocking_pre_start = {w}/act mark before\npre_start = {w}/act mark aside\n\
                    post_start = {w}/act mark after\nblocking_post_stop = {w}/act mark stopped";
    world.create("web", &format!("{N1}{}", world.app("1", triggers)));
    world.om("web start").ok();
    assert_eq!(world.take_marks(), "before aside +1 after");
    world.om("web stop").ok();
    assert_eq!(world.take_marks(), "-1 stopped");
    world.write("broken.aside", "");
    world.write("broken.after", "");
    world.om("web start").ok().says("pre_start");
    assert_eq!(world.take_marks(), "before aside +1 after");
    world.om("web stop").ok();
    world.take_marks();
    world.write("broken.before", "");
    world.om("web start").ends(1).says("blocking_pre_start failed");
    assert_eq!(world.take_marks(), "before", "started in spite of a trigger that blocks");
    world.is("web", "down");
}
