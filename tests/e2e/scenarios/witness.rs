//! Two nodes and a third machine that only votes: the loss of any one of them is survived, and nothing ever runs on the third.

use std::time::{Duration, Instant};

use crate::joining::{members, processes, report};
use crate::several::Several;
use crate::world::{World, until};

crate::trials!(two_nodes_and_a_witness_survive_the_loss_of_one);

/// More than the goal of 7 s: the machine runs other tests at the same time.
const TAKEOVER: Duration = Duration::from_secs(20);

fn two_nodes_and_a_witness_survive_the_loss_of_one(world: &World) {
    let Some(mut cluster) = Several::alone(world, 3) else { return };
    cluster.start_daemons();
    let number = world.number();
    let web = format!("/bin/sleep 81339{number:03}");
    let app = |nodes: &str| {
        let text = format!("[DEFAULT]\nnodes = {nodes}\norchestrate = ha\n[app#1]\ntype = simple\nstart = {web}\n");
        world.write("web.conf", &text).display().to_string()
    };
    let [n1, n2, pi] = &cluster.nodes[..] else { panic!("three nodes") };
    let token = n1.om(world, "cluster init --name blue").ok().stdout.split_whitespace().last().unwrap().to_owned();
    let join = format!("cluster join {} --token {token}", n1.address());
    n2.om(world, &join).ok().says("standby");

    // A machine that has services is refused, and nothing is changed.
    pi.om(world, &format!("web create --config {}", app("n3"))).ok();
    pi.om(world, &format!("{join} --witness")).ends(1).says("a witness runs no services, and web is one of this node");
    pi.om(world, "web delete").ok();
    until("it is gone", || processes(&web) == 0 && !pi.om(world, "web print config").is_ok());
    assert!(!pi.file("var/cluster/seat.json").exists());

    // It votes, and that is all. Killed in the middle, the join goes on.
    pi.om_until(world, &format!("{join} --witness"), "var/cluster/seat.json");
    pi.om(world, &format!("{join} --witness")).ok().says("voter");
    until("all vote", || members(n1, world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);
    assert_eq!(report(n1, world)["loss"], "the loss of one engine is survived");
    n1.om(world, "cluster status").ok().says("witness");
    pi.om(world, "cluster status").ok().says("cluster blue");
    pi.om(world, "cluster init").ends(1).says("this node is in the cluster blue already");
    pi.om(world, "cluster token create").ends(4).says("this node is a witness");
    assert!(!pi.file("var/cluster/join.json").exists());
    until("it is shown", || {
        n2.om(world, "mon").stdout.lines().any(|line| line.contains(" witness ") && line.contains("running n3"))
    });
    n1.om(world, &format!("web create --config {}", app("n1 n2"))).ok();
    until("a node runs it", || processes(&web) == 1);
    until("n1 runs it", || n2.sees(world, "n1", "web") == "up" || n2.om(world, "web switch --to n1 --wait").is_ok());
    assert_eq!(n1.status(world)["cluster"]["config"]["nodes"].as_array().map(Vec::len), Some(2));
    assert!(!n1.om(world, "web switch --to n3 --wait").is_ok());
    assert!(!pi.om(world, "web print config").is_ok(), "a witness has an object of the cluster");

    // The node that began it dies with its engine: the other one and the witness are a majority.
    let killed = Instant::now();
    cluster.kill_node("n1");
    let n2 = &cluster.nodes[1];
    until("n2 takes over", || n2.sees(world, "n2", "web") == "up");
    println!("witness: taken over {:.2?} after the owner and its engine died", killed.elapsed());
    assert!(killed.elapsed() < TAKEOVER);
    cluster.boot_again("n1");
    until("all vote", || members(&cluster.nodes[1], world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);

    // The witness dies: mon says so, and nothing else happens. It comes back by its daemon.
    cluster.kill_node("n3");
    let n2 = &cluster.nodes[1];
    until("it is said", || {
        n2.om(world, "mon").stdout.lines().any(|line| line.contains(" witness ") && line.contains("stopped n3"))
    });
    assert_eq!(n2.sees(world, "n2", "web"), "up");
    cluster.boot_again("n3");
    let [n1, n2, pi] = &cluster.nodes[..] else { panic!("three nodes") };
    until("all vote", || members(n2, world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);

    // Two of three lose their data. The node that is left goes on alone, and the witness votes again.
    [n2, pi].iter().for_each(|node| node.lose_engine());
    pi.om(world, "cluster recover").ends(4).says("this node is a witness");
    let recover = "cluster recover --others-are-off --confirm";
    until("the engine is made anew", || {
        n1.om(world, recover).is_ok() || report(n1, world)["members"].as_array().map(Vec::len) == Some(1)
    });
    until("n2 is back", || n2.om(world, &format!("cluster rebuild --from {}", n1.address())).is_ok());
    until("the witness is back", || pi.om(world, &format!("cluster rebuild --from {}", n1.address())).is_ok());
    until("all vote", || members(n1, world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);
    assert_eq!(n1.status(world)["cluster"]["config"]["nodes"].as_array().map(Vec::len), Some(2));
    assert_eq!(processes(&web), 1, "the service did not go on");

    // It leaves, and is an ordinary machine again.
    until("it leaves", || pi.om(world, "cluster leave").is_ok());
    pi.om(world, "cluster status").ends(3);
    assert_eq!(members(n1, world), ["n1 voter up", "n2 voter up"]);
    until("mon says what is missing", || n1.om(world, "mon").stdout.contains("two nodes without a witness"));
    assert_eq!(processes(&web), 1);
    until("the order is taken", || n2.om(world, "web stop --wait").is_ok());
    cluster.end();
}
