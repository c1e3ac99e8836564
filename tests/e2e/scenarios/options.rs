//! Options of actions, and the refusal of those that make no sense.

use serde_json::Value;

use crate::world::World;

crate::trials!(
    a_plan_that_is_another_one_now_is_not_acted_on,
    members_of_a_parallel_subset_run_as_many_at_once_as_requested,
    plans_and_statuses_are_for_programs_too,
    nonsensical_options_are_refused,
);

fn a_plan_that_is_another_one_now_is_not_acted_on(world: &World) {
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}{}", world.app("1", ""), world.app("2", "")));
    let plan: Value = serde_json::from_str(&world.om("web start --dry-run --format json").ok().stdout).unwrap();
    let digest = plan["digest"].as_str().unwrap().to_owned();
    world.om("web start --rid app#2").ok();
    world.take_marks();
    world.om(&format!("web start --if-plan {digest}")).ends(1).says("the plan has changed").says(&digest);
    assert_eq!(world.take_marks(), "");
    world.om("web stop").ok();
    world.om(&format!("web start --if-plan {digest}")).ok();
    world.om("web stop").ok();
}

fn members_of_a_parallel_subset_run_as_many_at_once_as_requested(world: &World) {
    let one = |id: &str| {
        let start = format!("{{w}}/meet {id}");
        let text =
            "[app#ID]\ntype = forking\nsubset = s\nstart = START\nstop = {w}/act stop ID\ncheck = {w}/act check ID\n";
        world.fill(&text.replace("START", &start).replace("ID", id))
    };
    // Each waits for the other, so they finish only if they run at the same time.
    let script = "#!/bin/sh\ncd {w}\n: >here.$1\ntest -e alone || while ! test -e here.1 || ! test -e here.2; do sleep 0.02; done\n\
                  : >up.$1\n";
    let file = world.write("meet", &world.fill(script));
    std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let config = format!("[DEFAULT]\nnodes = n1\n[subset#app:s]\nparallel = true\n{}{}", one("1"), one("2"));
    world.create("web", &config);
    world.om("web start --parallel 2").ok();
    world.om("web stop").ok();
    for here in ["here.1", "here.2"] {
        std::fs::remove_file(world.path(here)).unwrap();
    }
    let mut alone = world.spawn("web start --parallel 1");
    crate::world::until("the first one waits", || world.exists("here.1"));
    assert!(!world.exists("here.2"), "two at once");
    world.write("here.2", "");
    assert!(alone.wait().unwrap().success());
    world.om("web stop").ok();
}

fn plans_and_statuses_are_for_programs_too(world: &World) {
    for name in ["web", "db"] {
        world.create(name, "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    }
    for line in ["* start --dry-run", "* plan start", "* start", "* print status", "* stop"] {
        let ran = world.om(&format!("{line} --format json")).ok();
        let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
        assert_eq!(value.as_array().map(Vec::len), Some(2), "{ran}");
    }
    world.om("web start --format json").ok().says("\"avail\": \"up\"");
    world.om("web print status --format yaml").ok().says("avail: up").says("fs#1:");
    world.om("web plan stop --format yaml").ok().says("action: stop");
    world.om("web plan stop --format dot").ok().says("digraph").says("fs#1");
    world.om("web stop --format flat_json").ok().says("avail = \"down\"");
    world
        .om("web print config --format json")
        .ok()
        .says("{\n  \"DEFAULT\": {\n    \"nodes\": \"n1\"\n  },\n  \"fs#1\"");
}

fn nonsensical_options_are_refused(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    for (line, says) in [
        ("web start --time bogus", "--time"),
        ("web start --waitlock bogus", "--waitlock"),
        ("web start --parallel 0", "--parallel"),
        ("web start --format dot", "--dry-run"),
        ("web print status --format dot", "only plans are graphs"),
        ("web print config --format dot", "only plans are graphs"),
        ("sec create", "sec is the name of a kind"),
    ] {
        world.om(line).ends(1).says(says);
    }
    for line in ["web start --watch", "web freeze --watch", "web start --local --watch"] {
        world.om(line).ends(1).says("--watch follows an order to the daemon (om daemon start)");
    }
    world.is("web", "down");
    world.om("web start --wait --time 30s").ok();
    world.om("web stop").ok();
    world.om("web start --cluster").ok().says("no daemon is running, and this is its only node: acting here");
    world.om("web stop").ok();
}
