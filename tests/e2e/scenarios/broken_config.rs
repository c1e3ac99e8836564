//! A configuration that an operator broke by hand: the last valid one stays active, and all other objects are unaffected.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::ran::Ran;
use crate::world::World;

crate::trials!(
    the_last_good_configuration_stays_active,
    a_configuration_that_was_never_valid_is_not_acted_on,
    unknown_keywords_leave_all_else_active,
    bytes_that_are_not_text_are_located_and_never_written,
    no_resource_is_left_out_for_the_name_of_its_driver,
    each_mistake_is_reported_once_with_its_position,
    a_configuration_that_is_not_a_file_does_not_block,
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
            world.om("web print status").ok().says("the last valid version is in use");
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

fn a_configuration_that_was_never_valid_is_not_acted_on(world: &World) {
    world.write("root/etc/web.conf", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\nstandby = ring\n");
    world.om("web start").ends(1).says("config validate");
    world.om("web config validate").ends(1).says("ring").says("web.conf:5:11");
    world.om("web print status").ends(1).says("config validate");
}

/// A driver of that name may exist on another node, or nowhere. Either way, the service is not up without it.
fn no_resource_is_left_out_for_the_name_of_its_driver(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[fs#2]\ntype = {type}\n";
    world.write("root/etc/web.conf", &config.replace("{type}", "zorg"));
    world.om("web start --dry-run").ok().says("undef: needs driver fs.zorg: it is not installed here");
    world.om("web start").ends(1).says("fs#2: needs driver fs.zorg: it is not installed here");
    for odd in ["Flag", "flag x", "fl/ag"] {
        world.write("root/etc/web.conf", &config.replace("{type}", odd));
        world.write("root/etc/db.conf", &config.replace("{type}", odd));
        world.om("db start").ends(1).says("has errors");
        world.om("db validate").ends(1).says(&format!("unknown driver fs.{odd}")).says("db.conf:6:8");
    }
}

fn each_mistake_is_reported_once_with_its_position(world: &World) {
    for (text, expected) in [
        ("[DEFAULT]\nflex_min = many\n", "2:12 error flex_min is not an integer"),
        ("[DEFAULT]\ntopology = flex\nflex_min = 5\nflex_max = 2\n", "4:12 error flex_max is less than flex_min"),
        ("[fs#1]\ntype = tmpfs\nmnt = /srv\n[fs#1]\ntype = flag\n", "4:2 error a second section [fs#1]"),
    ] {
        let file = world.write("check.conf", text);
        let found = world.om(&format!("config validate {} --format json", file.display())).ends(1);
        let found: Vec<serde_json::Value> = serde_json::from_str(&found.stdout).unwrap();
        let word =
            |item: &serde_json::Value, key: &str| item[key].as_str().map_or(item[key].to_string(), str::to_owned);
        let description = |item| {
            let words = ["line", "column", "severity", "message"].map(|key| word(item, key));
            format!("{}:{} {} {}", words[0], words[1], words[2], words[3])
        };
        assert_eq!(found.iter().map(description).collect::<Vec<_>>(), [expected], "{text}");
    }
    let file = world.path("check.conf");
    std::fs::write(&file, b"[DEFAULT]\n# caf\xe9\ncolour = red\n").unwrap();
    let validated = world.om(&format!("config validate {}", file.display())).ends(1);
    validated.says("check.conf:2:6").says("0xe9").says("unknown keyword colour");
    world.om(&format!("web create --config {}", file.display())).ends(1).says("check.conf:2:6 holds the byte 0xe9");
}

fn a_configuration_that_is_not_a_file_does_not_block(world: &World) {
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("1", "")));
    nix::unistd::mkfifo(&world.path("root/etc/pipe.conf"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(!world.om("* ls").ok().stdout.contains("pipe"));
    world.om("* start").ok();
    world.om("pipe start").ends(2).says("no match");
    world.om("* stop").ok();
}

fn unknown_keywords_leave_all_else_active(world: &World) {
    let config = format!("[DEFAULT]\nnodes = n1\ngce_zone = europe\n{}", world.app("1", "colour = red\n"));
    let file = world.write("web.conf", &config);
    world.om(&format!("web create --config {}", file.display())).ends(1).says("gce_zone").says("app#1.colour");
    world.om(&format!("web create --force --config {}", file.display())).ok();
    world.om("web print status").ok().says("the configuration has 2 errors: everything else in it is in use");
    world.om("web start").ok();
    world.is("web", "up");
    world.om("web stop").ok();
    assert_eq!(world.take_marks(), "+1 -1");
}

fn bytes_that_are_not_text_are_located_and_never_written(world: &World) {
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
    world.om("web print status").ok().says("the last valid version is in use");
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
