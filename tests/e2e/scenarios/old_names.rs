//! The commands that operators of OpenSVC are used to.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::ran::Ran;
use crate::world::{OM, World};

crate::trials!(old_programs_are_names_of_the_new_one, old_actions_are_understood, an_unbuilt_action_says_so);

fn as_called(world: &World, program: &str, line: &str) -> Ran {
    as_called_with(world, program, line, &[])
}

/// `om` by another name.
pub(crate) fn as_called_with(world: &World, program: &str, line: &str, env: &[(&str, &str)]) -> Ran {
    let link = world.path(program);
    if !link.exists() {
        symlink(OM, &link).unwrap();
    }
    let mut command = Command::new(&link);
    for (name, value) in world.command().get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    let output = command.args(line.split_whitespace()).envs(env.iter().copied()).output().unwrap();
    Ran::new(&format!("{program} {line}"), output)
}

fn service(world: &World, name: &str) {
    let config = "[DEFAULT]\nnodes = n1 n2\n[fs#1]\ntype = flag\n";
    world.create(name, &format!("{config}{}", world.app("1", "")));
}

fn old_programs_are_names_of_the_new_one(world: &World) {
    service(world, "web.example.com");
    as_called(world, "svcmgr", "-s web.example.com start").ok().says("instance status is now up");
    as_called(world, "svcmgr", "-s web.example.com print status").ok().says("- avail");
    as_called(world, "web.example.com", "stop --local").ok().says("instance status is now down");
    as_called(world, "web.example.com", "print status").ok().says("down");
    as_called(world, "nodemgr", "set --kw node.env=TST").ok();
    assert_eq!(as_called(world, "nodemgr", "get --kw node.env").ok().stdout.trim(), "TST");
    as_called(world, "svcmgr", "-s nosuch start").ends(2);
}

fn old_actions_are_understood(world: &World) {
    service(world, "web");
    world.om("web start").ends(1).says("n2").says("om web instance start");
    world.om("web startfs --local").ok();
    assert_eq!(world.states("web"), "app#1 down, fs#1 up, sync#i0 down");
    world.om("web startapp").ok();
    assert_eq!(world.states("web"), "app#1 up, fs#1 up, sync#i0 down");
    world.om("web stopapp").ok();
    world.om("web instance stop").ok();
    world.om("web start --local").ok();
    world.om("web instance status").ok().says("- avail");
    world.om("web print_status").ok().says("- avail");
    assert!(world.om("web print config").ok().stdout.contains("[fs#1]"));
    world.om("web instance freeze").ok();
    assert_eq!(world.status("web")["frozen"], true);
    world.om("web instance unfreeze").ok();
    assert_eq!(world.status("web")["frozen"], false);
    world.om("svc -s web stop --local").ok();
    world.is("web", "down");
}

fn an_unbuilt_action_says_so(world: &World) {
    service(world, "web");
    for line in ["cluster freeze", "web compliance check", "web pg_freeze", "web toc"] {
        world.om(line).ends(4).says("not supported here");
    }
    world.om("web start --node n2").ends(1).says("--node and --cluster need the daemon");
    world.om("nosuch start").ends(2).says("no match");
    world.om("web strat").ends(1).says("unknown action \"strat\": did you mean start?");
    for (typed, meant) in [("web print statsu", "status"), ("web instance strat", "start"), ("node prnt", "print")] {
        world.om(typed).ends(1).says(&format!("did you mean {meant}?"));
    }
    world.om("web nosuchaction").ends(1).says("unknown action \"nosuchaction\": see om SELECTOR --help");
}
