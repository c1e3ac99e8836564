//! The limits of this node: objects of other nodes and environments, resources inside containers, and the limits that the
//! site sets for a driver.

use crate::world::World;

crate::trials!(
    an_object_of_other_nodes_has_no_instance_here,
    a_node_for_production_refuses_other_objects,
    resources_inside_a_container_are_left_alone,
    the_site_limits_a_driver_in_node_conf
);

fn an_object_of_other_nodes_has_no_instance_here(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n2 n3\n[fs#1]\ntype = flag\n");
    world.create("db", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    let words = "web has no instance on n1: it runs on n2 n3";
    world.om("web instance status").ends(3).says(words);
    let status = world.om("web print status").ok();
    assert_eq!(status.stdout, format!("{words}\n"));
    world.om("web print status --format json").ok().says("\"avail\": \"n/a\"").says(words);
    world.om("web start").ends(3).says(words);
    assert_eq!(world.om("* ls --status down").ok().stdout, "db\n");
    assert_eq!(world.om("* ls --status n/a").ok().stdout, "web\n");
    world.om("* instance ls").ok().says("db").does_not_say("web");
}

fn a_node_for_production_refuses_other_objects(world: &World) {
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("1", "")));
    world.om("web start").ok();
    world.om("node set --kw node.host_mode=PRD").ok();
    for action in ["start", "restart", "provision", "start --dry-run"] {
        world
            .om(&format!("web {action}"))
            .ends(1)
            .says("web is of environment TST, and n1 is a node of environment PRD");
    }
    assert_eq!(world.take_marks(), "+1");
    world.is("web", "up");
    world.om("web stop").ok();
    world.om("web set --kw env=PRD").ok();
    world.om("web start").ok();
    world.om("web stop").ok();
    assert_eq!(world.take_marks(), "-1 +1 -1");
}

fn resources_inside_a_container_are_left_alone(world: &World) {
    let inside = world.app("2", "encap = true\n");
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}{inside}", world.app("1", "")));
    let words = "encap: acts inside its container, which is not supported here yet";
    world.om("web start --dry-run").ok().says(words);
    world.om("web start").ok().says(words);
    assert_eq!(world.states("web"), "app#1 up, app#2 n/a");
    world.om("web print status").ok().says(words);
    world.om("web stop").ok();
    assert_eq!(world.take_marks(), "+1 -1");
}

fn the_site_limits_a_driver_in_node_conf(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    world.om("node set --kw driver#fs.flag.memory=64k").ok();
    world.om("web start").ends(1).says("memory");
    world.om("node set --kw driver#fs.flag.memory=much").ends(1).says("driver#fs.flag.memory is not a size");
    world.om("node set --kw driver#fs.flag.memory=100m").ends(1).says("at most 64m");
    world.om("node set --kw driver#fs.flag.memory=32m").ok();
    world.om("web start").ok();
    world.om("web stop").ok();
}
