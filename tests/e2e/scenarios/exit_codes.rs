//! The exit codes, on which scripts rely.

use crate::world::World;

crate::trials!(
    a_timeout_exits_with_7,
    without_an_instance_a_command_exits_with_3,
    a_console_of_an_object_that_does_not_exist_exits_with_2,
    an_unsupported_action_exits_with_4,
    running_a_resource_without_run_is_a_mistake,
    a_failed_action_is_shown_until_it_succeeds_or_is_cleared,
);

fn a_timeout_exits_with_7(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[app#1]\ntype = forking\nstart = {w}/act slow 1\nstop = /bin/true\n\
                  check = {w}/act check 1\nstart_timeout = 200ms\n\
                  [task#1]\ntype = host\ncommand = {w}/act slow task\ntimeout = 200ms\non_error = {w}/act mark paged\n\
                  [task#2]\ntype = host\ncommand = /bin/false\n";
    world.create("web", config);
    world.om("web start").ends(7).says("timed out at app#1");
    world.om("web run --rid task#1").ends(7).says("timed out at task#1");
    assert!(world.marks().ends_with("paged"), "on_error did not run: {}", world.marks());
    world.om("web run --rid task#2").ends(1).does_not_say("ignored");
    world.om("web run").ends(1);
}

fn without_an_instance_a_command_exits_with_3(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n2 n3\n[fs#1]\ntype = flag\n");
    for action in ["instance start", "instance stop", "start --local", "start", "start --dry-run"] {
        world.om(&format!("web {action}")).ends(3).says("n2 n3");
    }
}

fn a_console_of_an_object_that_does_not_exist_exits_with_2(world: &World) {
    for action in ["enter", "exec -- /bin/true", "container logs"] {
        world.om(&format!("web {action}")).ends(2).says("web does not exist");
    }
}

fn an_unsupported_action_exits_with_4(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[sync#1]\ntype = rsync\nsrc = {w}/from/\ndst = {w}/to\n\
                  target = local\n";
    world.create("web", config);
    world.write("from/a", "one");
    std::fs::create_dir(world.path("to")).unwrap();
    world.om("web start").ok();
    world.om("web sync verify").ends(4).says("not supported by this driver").does_not_say("ignored");
    world.om("web stop").ok();
}

fn running_a_resource_without_run_is_a_mistake(world: &World) {
    world.create(
        "web",
        &format!("[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = /bin/true\n{}", world.app("1", "")),
    );
    world.om("web run --rid app").ends(1).says("--rid").says("app#1");
    world.om("web sync all --rid app#1").ends(1).says("--rid").says("app#1");
    world.om("web run --rid app,task").ok();
}

fn a_failed_action_is_shown_until_it_succeeds_or_is_cleared(world: &World) {
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("1", "")));
    world.write("broken.1", "");
    for forget in ["web clear", "web start"] {
        world.om("web start").ends(1);
        world.om("web print status").ok().says("start failed at app#1, 20").says("om web clear forgets it");
        world.om("web stop").ok();
        world.om("web print status --refresh").ok().says("start failed at app#1");
        if forget == "web start" {
            std::fs::remove_file(world.path("broken.1")).unwrap();
        }
        world.om(forget).ok();
        world.om("web print status").ok().does_not_say("failed");
    }
    world.om("web clear").ok().says("nothing to clear");
    world.om("web stop").ok();
}
