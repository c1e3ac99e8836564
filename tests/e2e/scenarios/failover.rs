//! Services that move between the nodes of a cluster, and never run twice: what takes over when a node dies, is cut off or is
//! asked to give a service away.

use std::time::{Duration, Instant};

use crate::several::{Observer, Several};
use crate::world::{World, until};

crate::trials!(a_service_moves_between_nodes_and_never_runs_twice);

/// T of the profile `lan`: a lost node is taken over from after so long.
const VALIDITY: Duration = Duration::from_secs(6);

/// More than the goal of 7 s: the machine runs other tests at the same time.
const TAKEOVER: Duration = Duration::from_secs(20);

fn until_held(observer: &Observer, node: &str) {
    until(&format!("{node} has the address"), || observer.holder().as_deref() == Some(node));
}

fn a_service_moves_between_nodes_and_never_runs_twice(world: &World) {
    let Some(mut cluster) = Several::new(world, 3) else { return };
    let process = format!("sleep 31337{:03}", world.number());
    let observer = cluster.observe(&format!("/bin/{process}"));
    cluster.start_daemons();

    // Created on a node that does not come first, it reaches all, and starts on the one that placement prefers.
    let config = format!(
        "[DEFAULT]\nnodes = n1 n2 n3\norchestrate = ha\n[ip#1]\ntype = host\nname = {}\nnetmask = 24\ndev = eth0\n\
         check_carrier = false\n[app#1]\ntype = simple\nstart = /bin/{process}\n",
        cluster.service_address()
    );
    let file = world.write("web.conf", &config);
    cluster.node("n2").om(world, &format!("web create --config {}", file.display())).ok();
    until_held(&observer, "n1");
    for node in &cluster.nodes {
        until("all nodes see it", || {
            let seen: Vec<String> = ["n1", "n2", "n3"].map(|of| node.sees(world, of, "web")).into();
            seen == ["up", "down", "down"]
        });
    }
    let mon = cluster.node("n3").om(world, "mon").ok();
    mon.says(" web         up failover ha 1/1").says("| O^        X         X");
    // The daemons reach each other beside the engine, by keys that each has made for itself.
    for row in ["hb#1.rx", "hb#1.tx", "hb#2.rx", "hb#2.tx"] {
        until("every path leads everywhere", || {
            let mon = cluster.nodes[2].om(world, "mon").ok().stdout;
            let line = mon.lines().find(|line| line.contains(row)).unwrap_or_default();
            line.contains("running") && line.ends_with("| O         O         /")
        });
    }

    cluster.node("n3").om(world, "daemon hb status").ok().says("hb#2.tx");
    on_other_nodes(&mut cluster, world);

    provisioned_by_order(&mut cluster, world);

    // An order of any node moves it, and it stays where it was put.
    cluster.node("n3").om(world, "web switch --to n3 --wait").ok();
    until_held(&observer, "n3");
    cluster.node("n2").om(world, "web giveback --wait").ok();
    until_held(&observer, "n1");

    // A node that is drained gives away what it has, and takes nothing before it is thawed.
    cluster.node("n1").om(world, "daemon stop").ends(5).says("web run here with their slots: --drain stops them");
    cluster.node("n3").om(world, "node drain --node n9").ends(2).says("--node n9: no such node");
    cluster.node("n3").om(world, "node drain --node n1 --time 60s --wait").ok().says("n1: nothing is left");
    until_held(&observer, "n2");
    cluster.node("n1").om(world, "node undrain").ok().says("the node is thawed");
    cluster.node("n2").om(world, "web giveback --wait").ok();
    until_held(&observer, "n1");

    // What another node may run is not started beside it, by no hand either.
    for line in ["web instance start", "web start --local"] {
        cluster.node("n2").om(world, line).ends(1).says("its slot is not this node's");
    }

    // The owner dies with all of its processes.
    let killed = Instant::now();
    cluster.kill_node("n1");
    until("n2 takes over", || observer.seen_on("n2", killed).is_some());
    let took = observer.seen_on("n2", killed).unwrap() - killed;
    println!("failover: taken over {took:.2?} after the owner died");
    assert!(took < TAKEOVER, "{took:?}");
    cluster.node("n2").om(world, "mon").ok().says("evicted");

    // The next owner is cut off: it gives up before another one may begin.
    let cut = Instant::now();
    cluster.node("n2").cut_off();
    until("n3 takes over", || observer.seen_on("n3", cut).is_some());
    let took = observer.seen_on("n3", cut).unwrap() - cut;
    println!("failover: taken over {took:.2?} after the owner was cut off");
    assert!(took < TAKEOVER && took > VALIDITY - Duration::from_secs(2), "{took:?}");
    // A node that does not answer is named, and the others go on.
    let all = cluster.node("n3").om(world, "web print status --cluster").ends(1).says("n3 | ");
    all.says("error: n2: ").says("error: n1: cannot reach ");
    cluster.node("n2").reconnect();
    cluster.node("n2").until_ready(world);
    until("n2 is back", || cluster.node("n3").sees(world, "n2", "web") == "down");
    assert_eq!(observer.holder().as_deref(), Some("n3"), "it moved back");

    // Stopped by order, it is down everywhere and stays so.
    cluster.node("n2").om(world, "web stop --wait").ok();
    until("it is down", || observer.holder().is_none());
    let seen = observer.end();
    let twice = seen.iter().find(|seen| seen.nodes.len() > 1 || seen.processes > 1);
    assert_eq!(twice, None, "it ran twice");
    cluster.boot_again("n1");
    let n1 = cluster.node("n1");
    until("n1 sees that it is frozen", || n1.status(world)["cluster"]["object"]["web"]["frozen"] == "frozen");
    assert_eq!(n1.sees(world, "n1", "web"), "down");
    cluster.end();
}

/// Local actions, and looks, on other nodes than that on which they are typed.
fn on_other_nodes(cluster: &mut Several<'_>, world: &World) {
    let n3 = cluster.node("n3");
    let all = n3.om(world, "web print status --cluster").ok();
    all.says("n1 | web").says("n2 | web").says("n3 | web");
    n3.om(world, "web print status").ok().says("|- n1").says("'- n2");
    let one = n3.om(world, "web print status --node n1 --format json").ok().stdout;
    let one: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!((&one["n1"]["avail"], one.as_object().unwrap().len()), (&"up".into(), 1), "{one}");
    n3.om(world, "web status --node n*,n9")
        .ends(2)
        .says("--node n9: no such node: the nodes of this cluster are n1 n2 n3");
    n3.om(world, "web restart --rid app#1 --node n1").ok().says("n1 | ");
    // What is refused there is refused, with its exit code; and the others go on.
    n3.om(world, "web start --node n2").ends(1).says("n2 | ").says("its slot is not this node's");
    n3.om(world, "web freeze --node n2,n3").ok().says("n2 | web: frozen").says("n3 | web: frozen");
    n3.om(world, "web thaw --local --cluster").ok().says("n2 | web: thawed").says("n1 | web: not frozen");
    // The daemon of the other node has written down who asked.
    let trail = cluster.node("n1").om(world, "daemon audit").ok().stdout;
    assert!(trail.contains("commandOfPeer") && trail.contains("node n3"), "{trail}");
}

/// A provision by order: each node makes what is its own, and the service starts on one of them alone.
fn provisioned_by_order(cluster: &mut Several<'_>, world: &World) {
    let config = format!(
        "[DEFAULT]\nnodes = n1 n2\n[disk#1]\ntype = loop\nfile = {{w}}/disk-{{nodename}}.img\nsize = 8m\n\
         [fs#1]\ntype = ext4\ndev = {{disk#1.exposed_devs[0]}}\nmnt = {{w}}/mnt-{{nodename}}\n\
         [app#1]\ntype = simple\nstart = /bin/sleep 31338{:03}\n",
        world.number()
    );
    let file = world.write("own.conf", &world.fill(&config));
    cluster.node("n3").om(world, &format!("own create --config {}", file.display())).ok();
    cluster.node("n3").om(world, "own provision --wait").ok();
    until("it runs on the node that leads", || cluster.node("n1").sees(world, "n1", "own") == "up");
    until("the other one has provisioned", || cluster.node("n2").sees(world, "n2", "own") == "down");
    let others = cluster.node("n2").om(world, "own logs").ok().stdout;
    assert!(others.contains("disk#1") && !others.contains("app#1: spawn"), "{others}");
    assert!(world.exists("disk-n1.img") && world.exists("disk-n2.img"));
    cluster.node("n2").om(world, "own print holdings").ok().does_not_say("disk#1");
    cluster.node("n3").om(world, "own purge --wait --confirm").ok();
    until("nothing is left", || !world.exists("disk-n1.img") && !world.exists("disk-n2.img"));
}
