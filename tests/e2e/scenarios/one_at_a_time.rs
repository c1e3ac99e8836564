//! Only one action on an instance at a time, however many callers there are.

use std::process::Child;

use crate::ran::Ran;
use crate::world::{World, until};

crate::trials!(
    of_twenty_starts_one_acts,
    a_refused_caller_learns_which_process_acts,
    a_waiting_caller_gets_the_turn,
    another_object_does_not_wait,
    without_the_lock_a_stop_goes_on_beside_a_start_that_hangs,
);

/// A service whose start waits for the file `gate`.
fn gated(world: &World) {
    let script = "#!/bin/sh\ncd {w}\necho +1 >>marks\nwhile ! test -e gate; do sleep 0.02; done\n: >up.1\n";
    let file = world.write("wait", &world.fill(script));
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[app#1]\ntype = forking\nstart = /bin/sh {}\nstop = {{w}}/act stop 1\n\
         check = {{w}}/act check 1\n",
        file.display()
    );
    world.create("web", &config);
}

fn acting(world: &World) -> Child {
    let om = world.spawn("web start");
    until("the start is under way", || world.marks() == "+1");
    om
}

fn end(line: &str, om: Child) -> Ran {
    Ran::new(line, om.wait_with_output().unwrap())
}

fn of_twenty_starts_one_acts(world: &World) {
    gated(world);
    let mut all: Vec<Child> = (0..20).map(|_| world.spawn("web start")).collect();
    let pids: Vec<u32> = all.iter().map(Child::id).collect();
    let mut refused = Vec::new();
    // The one that acts waits for the gate, all others exit without acting.
    until("nineteen are refused", || {
        while let Some(at) = all.iter_mut().position(|om| om.try_wait().unwrap().is_some()) {
            refused.push(end("om web start", all.swap_remove(at)));
        }
        all.len() <= 1
    });
    world.write("gate", "");
    assert_eq!((all.len(), refused.len()), (1, 19));
    all.into_iter().for_each(|om| drop(end("om web start", om).ok()));
    for ran in refused {
        let ran = ran.ends(5).says("busy: process ").says("has been running start since");
        assert!(pids.iter().any(|pid| ran.stderr.contains(&format!("process {pid} "))), "{ran}");
    }
    assert_eq!(world.take_marks(), "+1", "more than one has acted");
    world.om("web stop").ok();
}

fn a_refused_caller_learns_which_process_acts(world: &World) {
    gated(world);
    let om = acting(world);
    for action in ["start", "stop", "restart", "provision", "run", "unprovision --confirm"] {
        world.om(&format!("web {action}")).ends(5).says(&format!("process {} has been running start since", om.id()));
    }
    world.om("web print status").ok();
    world.om("web start --dry-run").ok();
    world.om("web delete --force").ends(5);
    world.om("web stop --waitlock 100ms").ends(5);
    world.write("gate", "");
    end("om web start", om).ok();
    world.om("web stop").ok();
}

fn a_waiting_caller_gets_the_turn(world: &World) {
    gated(world);
    let first = acting(world);
    let second = world.spawn("web start --waitlock 30s");
    let third = world.spawn("web start --waitlock 30s");
    world.write("gate", "");
    for om in [first, second, third] {
        end("om web start --waitlock", om).ok();
    }
    assert_eq!(world.take_marks(), "+1");
    world.om("web stop").ok();
}

fn another_object_does_not_wait(world: &World) {
    gated(world);
    world.create("db", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    let om = acting(world);
    world.om("db start").ok();
    world.om("db stop").ok();
    world.write("gate", "");
    end("om web start", om).ok();
    world.om("web stop").ok();
}

fn without_the_lock_a_stop_goes_on_beside_a_start_that_hangs(world: &World) {
    gated(world);
    let om = acting(world);
    world.om("web stop").ends(5);
    // Nothing is up yet, so there is nothing to do but to look at it.
    world.write("up.1", "");
    world.om("web stop --no-lock --local").ok();
    assert_eq!(world.take_marks(), "+1 -1");
    // If an action without the lock is killed, the next action with the lock deals with it.
    world.write("up.1", "");
    world.om_with("web stop --no-lock --local", &[("HOSTLER_FAILPOINT", "after-driver")]).dies();
    world.write("gate", "");
    end("om web start", om).ok();
    assert!(world.exists("root/var/svc/web/journal.unlocked"));
    world.om("web stop").ok().says("an earlier stop");
    // If the lock is free, it is taken.
    world.om("web start --no-lock").ok();
    world.om("web stop --no-lock").ok();
}
