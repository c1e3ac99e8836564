//! A configuration that somebody broke by hand: the last good one stays active, and all other objects are as before.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::ran::Ran;
use crate::world::World;

crate::trials!(
    the_last_good_configuration_stays_active,
    a_configuration_that_never_was_good_is_not_acted_on,
    keywords_that_nobody_knows_leave_all_else_active,
    what_is_no_text_is_located_and_never_written,
    resources_that_wait_for_each_other_are_refused_before_they_are_asked_to_act
);

fn the_last_good_configuration_stays_active(world: &World) {
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("1", "")));
    world.create("db", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("2", "")));
    world.om("web start").ok();
    let good = world.read("root/etc/web.conf");
    for broken in [
        "[DEFAULT\nnodes = n1\n",
        "",
        "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ring\n",
        "\0\u{1}\u{2}",
        "[DEFAULT]\nnodes = {a}\na = {nodes}\n",
    ] {
        world.write("root/etc/web.conf", broken);
        if !broken.is_empty() {
            world.om("web config validate").ends(1);
            world.om("web print status").ok().says("the last good one is active");
        }
        assert!(world.om("* ls").ok().stdout.contains("db"));
        world.om("db start").ok();
        world.om("db stop").ok();
    }
    world.write("root/etc/web.conf", "[DEFAULT\nnodes = n1\n");
    world.is("web", "up");
    world.om("web stop").ok();
    world.take_marks();
    world.om("web start").ok();
    assert_eq!(world.take_marks(), "+1");
    world.write("root/etc/web.conf", &good);
    world.om("web print status").ok().does_not_say("last good");
    world.om("web stop").ok();
}

fn a_configuration_that_never_was_good_is_not_acted_on(world: &World) {
    world.write("root/etc/web.conf", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\nstandby = ring\n");
    world.om("web start").ends(1).says("config validate");
    world.om("web config validate").ends(1).says("ring").says("web.conf:5:11");
    world.om("web print status").ends(1).says("config validate");
}

fn keywords_that_nobody_knows_leave_all_else_active(world: &World) {
    let config = format!("[DEFAULT]\nnodes = n1\ngce_zone = europe\n{}", world.app("1", "colour = red\n"));
    let file = world.write("web.conf", &config);
    world.om(&format!("web create --config {}", file.display())).ends(1).says("gce_zone").says("app#1.colour");
    world.om(&format!("web create --force --config {}", file.display())).ok();
    world.om("web print status").ok().says("the configuration has 2 errors: all else of it is active");
    world.om("web start").ok();
    world.is("web", "up");
    world.om("web stop").ok();
    assert_eq!(world.take_marks(), "+1 -1");
}

fn what_is_no_text_is_located_and_never_written(world: &World) {
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("1", "")));
    world.om("web print status").ok();
    let good = world.read("root/etc/web.conf");
    let mut set = world.command();
    set.args(["web", "set", "--kw"]).arg(OsStr::from_bytes(b"app=\xff"));
    Ran::new("om web set", set.output().unwrap()).ends(1).says("\"app=\\xFF\" is not UTF-8");
    let mut set = world.command();
    set.args(["web", "set", "--kw", "env.y=a\n\nb"]);
    Ran::new("om web set", set.output().unwrap()).ends(1).says("the value of y cannot hold a blank line");
    assert_eq!(world.read("root/etc/web.conf"), good);

    let mut latin = good.into_bytes();
    latin.extend(b"# caf\xe9\n");
    std::fs::write(world.path("root/etc/web.conf"), &latin).unwrap();
    let lines = latin.iter().filter(|byte| **byte == b'\n').count();
    let place = format!("web.conf:{lines}:6 holds the byte 0xe9");
    world.om("web config validate").ends(1).says(&place);
    world.om("web set --kw app=x").ends(1).says(&place);
    world.om("web print status").ok().says("the last good one is active");
    world.om("web start").ok();
    world.om("web stop").ok();
    assert_eq!(std::fs::read(world.path("root/etc/web.conf")).unwrap(), latin);
}

fn resources_that_wait_for_each_other_are_refused_before_they_are_asked_to_act(world: &World) {
    let first = world.app("1", "start_requires = app#2");
    let config = format!("[DEFAULT]\nnodes = n1\n{first}{}", world.app("2", "start_requires = app#1(up)"));
    let file = world.write("web.conf", &config);
    let place = format!("{}:8:18", file.display());
    let words = "these wait for each other: app#1 → app#2 → app#1";
    world.om(&format!("config validate {}", file.display())).ends(1).says(words).says(&place);
    world.om(&format!("web create --config {}", file.display())).ends(1).says(words);
}
