//! Live migration: two nodes, a libvirt on each, real ssh between them, and a guest that counts its seconds all the way.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cluster::{Cluster, Node};
use crate::guest::{Beat, Guest, beats};
use crate::libvirt::Libvirt;
use crate::ran::Ran;
use crate::world::{World, until};

crate::trials!(
    a_guest_goes_to_another_node_and_back_and_never_stops,
    a_guest_stays_where_it_is_unless_all_can_go,
    a_migration_that_is_cut_short_leaves_the_guest_where_it_is,
);

/// The nodes n1 and n2, and the guest on n1, in an object that both know. None, after printing why, if something is missing.
fn guest_on_n1<'w>(world: &'w World, more: &str) -> Option<(Cluster<'w>, Libvirt)> {
    if let Some(missing) = Libvirt::missing().or(Guest::missing()) {
        println!("migration: skipped: there is no {missing}");
        return None;
    }
    let guest = Guest::get().unwrap();
    let cluster = Cluster::new(world, 2)?;
    // Each node has a directory `backup` of its own.
    world.write("web.xml", &guest.domain(world, "web", "backup/console"));
    let head = "[DEFAULT]\nnodes = n1 n2\n[container#1]\ntype = kvm\nname = web\nxml = {w}/web.xml\ngrace = 2m\n";
    let file = world.write("web.conf", &world.fill(&format!("{head}{more}")));
    let [n1, n2] = &cluster.nodes[..] else { unreachable!() };
    n1.om(world, &format!("web create --config {}", file.display())).ok();
    n1.om(world, "web sync nodes").ok();
    assert_eq!(n1.read("root/etc/web.conf"), n2.read("root/etc/web.conf"));
    let libvirt = Libvirt::on(world, n1);
    n1.om(world, "web instance provision").ok();
    until("the guest is up", || !heard(n1).is_empty());
    Some((cluster, libvirt))
}

fn heard(node: &Node) -> Vec<Beat> {
    beats(&node.read("backup/console"))
}

fn is(world: &World, node: &Node, state: &str) {
    let resource = node.resource(world, "web", "container#1");
    assert_eq!(resource["status"], state, "{}: {resource:#}", node.name);
}

/// Waits until the guest is heard on the node, and makes sure that it is the same one, and has heard no time pass twice.
fn goes_on(node: &Node, before: &Beat) -> Beat {
    let later = || heard(node).into_iter().filter(|beat| beat.up > before.up).collect::<Vec<_>>();
    until("the guest is heard", || !later().is_empty());
    let boots: BTreeSet<String> = heard(node).into_iter().map(|beat| beat.boot).collect();
    assert_eq!(boots, BTreeSet::from([before.boot.clone()]), "it was booted again");
    later().pop().unwrap()
}

fn a_guest_goes_to_another_node_and_back_and_never_stops(world: &World) {
    let Some((cluster, here)) = guest_on_n1(world, "") else { return };
    let [n1, n2] = &cluster.nodes[..] else { unreachable!() };
    let there = Libvirt::on(world, n2);
    is(world, n2, "down");
    n1.om(world, "web instance migrate --to n2 --dry-run").ok().says("container#1   migrate   up, to n2");
    n1.om(world, "web migrate --to n2").ends(1).says("om web instance migrate --to n2");
    is(world, n1, "up");
    n1.om(world, "web instance migrate --to n2")
        .ok()
        .says(">>> do migrate [")
        .says("container#1: web runs on n2")
        .says("instance status is now down");
    let last = heard(n1).pop().unwrap();
    is(world, n1, "down");
    is(world, n2, "up");
    assert_eq!((here.state("web"), there.state("web")), ("shut off".to_owned(), "running".to_owned()));
    let arrived = goes_on(n2, &last);
    n1.om(world, "web instance migrate --to n2").ok().says("nothing to do, instance status is down");
    n1.om(world, "driver audit --object web")
        .ok()
        .says("migrate --live --persistent -- web qemu+ssh://n2/system?no_tty=1");
    // Back, by another way, to where it is still defined.
    n2.om(world, "web set --kw container#1.migration_transport=tcp").ok();
    n2.om(world, "web migrate --local --to n1").ok().says("container#1: web runs on n1");
    is(world, n1, "up");
    is(world, n2, "down");
    assert_eq!(there.domains(), ["web"], "both nodes keep the definition");
    goes_on(n1, &arrived);
    n1.om(world, "web instance stop").ok().says("web has shut down");
    assert!(!n2.read("backup/console").contains("power button"));
    n2.om(world, "web instance unprovision --confirm").ok();
    n1.om(world, "web instance unprovision --confirm").ok();
}

fn a_guest_stays_where_it_is_unless_all_can_go(world: &World) {
    let Some((mut cluster, here)) = guest_on_n1(world, "[fs#1]\ntype = flag\n[fs#2]\ntype = flag\nstandby = true\n")
    else {
        return;
    };
    let n1 = &cluster.nodes[0];
    for (to, text) in [
        ("n1", "web cannot be moved to n1: its other nodes are n2"),
        ("n9", "web cannot be moved to n9: its other nodes are n2"),
        ("n2", "nothing is moved: fs#1 is up, and fs.flag does not migrate"),
    ] {
        n1.om(world, &format!("web instance migrate --to {to}")).ends(1).says(text).does_not_say("fs#2 is");
    }
    n1.om(world, "web set --kw fs#1.shared=true --kw container#1.disable@n2=true").ok();
    n1.om(world, "web instance migrate --to n2").ends(1).says("container#1 is up, and disabled on n2");
    n1.om(world, "web unset --kw container#1.disable@n2").ok();
    n1.om(world, "web instance migrate --to n2")
        .ends(1)
        .says("web still runs here")
        .says("failed at container#1, nothing to roll back, instance status is up");
    n1.om(world, "web print status").ok().says("migrate failed");
    cluster.node("n2").fall_silent();
    let n1 = &cluster.nodes[0];
    n1.om(world, "web instance migrate --to n2").ends(1).says("web still runs here").says("Connection refused");
    assert_eq!(
        (n1.resource(world, "web", "fs#1")["status"].as_str(), here.state("web")),
        (Some("up"), "running".to_owned())
    );
    cluster.node("n2").listen();
    let [n1, n2] = &cluster.nodes[..] else { unreachable!() };
    let there = Libvirt::on(world, n2);
    n1.om(world, "web instance migrate --to n2").ok().says("web runs on n2");
    assert_eq!(n1.resource(world, "web", "fs#1")["status"], "down", "what is shared is stopped when all has moved");
    assert_eq!(n1.resource(world, "web", "fs#2")["status"], "stdby up");
    assert_eq!((here.state("web"), there.state("web")), ("shut off".to_owned(), "running".to_owned()));
    n1.om(world, "web print status").ok().does_not_say("migrate failed");
    n2.om(world, "web instance unprovision --confirm").ok();
    n1.om(world, "web instance unprovision --confirm").ok();
}

/// Begins a migration that takes a minute, and returns once it is under way.
fn slowly(world: &World, node: &Node, here: &Libvirt) -> std::process::Child {
    let mut om = node.om_command(world, "web instance migrate --to n2");
    let om = om.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the guest is on its way", || here.virsh(&["domjobinfo", "web"]).is_some_and(|info| info.contains("Memory")));
    om
}

fn a_migration_that_is_cut_short_leaves_the_guest_where_it_is(world: &World) {
    let Some((cluster, here)) = guest_on_n1(world, "migration_bandwidth = 1\n") else { return };
    let [n1, n2] = &cluster.nodes[..] else { unreachable!() };
    let there = Libvirt::on(world, n2);
    let before = heard(n1).pop().unwrap();
    // The caller gives up. The part that has arrived meanwhile is not resumed.
    let om = slowly(world, n1, &here);
    is(world, n2, "warn");
    n2.om(world, "web instance start --force").ends(1).says("paused by a migration").says("virsh resume web");
    kill(Pid::from_raw(om.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    Ran::new("om web instance migrate, interrupted", om.wait_with_output().unwrap()).ends(6);
    until("nothing is on its way", || here.state("web") == "running" && there.state("web") != "paused");
    let before = goes_on(n1, &before);
    // Killed: the next action first stops what is left of the migration.
    let mut om = slowly(world, n1, &here);
    om.kill().unwrap();
    om.wait().unwrap();
    n1.om(world, "web print status").ok().says("migrate was interrupted: the next action recovers it");
    is(world, n1, "up");
    n1.om(world, "web instance start").ok().says("stopped what it left running: /usr/bin/virsh");
    until("nothing is on its way", || here.state("web") == "running" && there.domains().iter().all(String::is_empty));
    let before = goes_on(n1, &before);
    // And one that takes too long.
    n1.om(world, "web set --kw container#1.migrate_timeout=10s").ok();
    n1.om(world, "web instance migrate --to n2").ends(7).says("web still runs here: not done within 5s");
    goes_on(n1, &before);
    std::thread::sleep(Duration::from_secs(1));
    n1.om(world, "web instance stop").ok().says("web has shut down");
    n1.om(world, "web instance unprovision --confirm").ok();
}
