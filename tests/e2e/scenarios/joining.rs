//! Nodes that become a cluster, one command each: the engine is theirs, their services go on, and one of them may die.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::several::{MemberNode, Several};
use crate::world::{World, until};

crate::trials!(nodes_become_a_cluster_and_leave_it);

/// More than the goal of 7 s: the machine runs other tests at the same time.
const TAKEOVER: Duration = Duration::from_secs(20);

pub(crate) fn report(node: &MemberNode, world: &World) -> Value {
    serde_json::from_str(&node.om(world, "cluster status --format json").stdout).unwrap_or_default()
}

/// The members of the engine, as `node role state`.
pub(crate) fn members(node: &MemberNode, world: &World) -> Vec<String> {
    let report = report(node, world);
    let word = |member: &Value, name: &str| member[name].as_str().unwrap_or("?").to_owned();
    let line = |member: &Value| ["node", "role", "state"].map(|name| word(member, name)).join(" ");
    let mut lines: Vec<String> = report["members"].as_array().into_iter().flatten().map(line).collect();
    lines.sort();
    lines
}

pub(crate) fn processes(of: &str) -> usize {
    let pgrep = std::process::Command::new("pgrep").args(["-cfx", of]).output().unwrap();
    String::from_utf8_lossy(&pgrep.stdout).trim().parse().unwrap_or(0)
}

fn nodes_become_a_cluster_and_leave_it(world: &World) {
    let Some(mut cluster) = Several::alone(world, 3) else { return };
    let number = world.number();
    let (solo, far, web) = (
        format!("/bin/sleep 41337{number:03}"),
        format!("/bin/sleep 51337{number:03}"),
        format!("/bin/sleep 61337{number:03}"),
    );
    let app = |nodes: &str, more: &str, process: &str| {
        format!("[DEFAULT]\nnodes = {nodes}\n{more}[app#1]\ntype = simple\nstart = {process}\n")
    };
    let config = |name: &str, text: &str| world.write(name, text).display().to_string();
    cluster.start_daemons();
    let (n1, n2, n3) = (cluster.node("n1").address().to_owned(), &cluster.nodes[1], &cluster.nodes[2]);
    let first = &cluster.nodes[0];
    first.om(world, &format!("solo create --config {}", config("solo.conf", &app("n1", "", &solo)))).ok();
    first.om(world, "solo start --wait").ok();
    n2.om(world, &format!("far create --config {}", config("far.conf", &app("n2", "", &far)))).ok();
    n2.om(world, "far start --wait").ok();

    // One command begins it. What is refused changes nothing.
    first.om(world, "cluster status").ends(3).says("this node is in no cluster: om cluster init begins one");
    first.om(world, "cluster init --addr 192.0.2.1").ends(1).says("192.0.2.1 is not this node's");
    let begun = Instant::now();
    let init = first.om(world, "cluster init --name blue").ok().says("cluster blue, engine etcd 3.");
    println!("joining: init took {:.2?}", begun.elapsed());
    let token = init.stdout.split_whitespace().last().unwrap().to_owned();
    assert!(init.stdout.contains(&format!("om cluster join {n1} --token H1.")), "{}", init.stdout);
    first.om(world, "cluster init").ends(1).says("this node is in the cluster blue already");
    assert_eq!(members(first, world), ["n1 voter up"]);
    assert_eq!(processes(&solo), 1, "the service did not go on");

    // Who has no right to join learns why, and nothing is changed.
    let join = |token: &str| format!("cluster join {n1} --token {token}");
    let once = first.om(world, "cluster token create --uses 1").ok().stdout.trim().to_owned();
    let short = first.om(world, "cluster token create --ttl 1s").ok().stdout.trim().to_owned();
    let forged = format!("{}.{}", token.rsplit_once('.').unwrap().0, "A".repeat(64));
    n2.om(world, &join("nonsense")).ends(1).says("expected H1.");
    n2.om(world, &join(&forged)).ends(1).says("its authority is not the one of the token");
    until("the token has expired", || first.om(world, "cluster token ls").stdout.contains("expired"));
    n2.om(world, &join(&short)).ends(1).says("expired");
    let clash = config("clash.conf", &app("n2", "", "/bin/sleep 1"));
    n2.om(world, &format!("solo create --config {clash}")).ok();
    n2.om(world, &join(&once)).ends(1).says("solo is on both sides, with different configurations");
    n2.om(world, "solo delete --local").ok();
    for file in ["var/cluster/join.json", "var/cluster/seat.json", "var/certificate/engine"] {
        assert!(!n2.file(file).exists(), "{file} was left by a join that was refused");
    }
    assert_eq!(report(first, world)["nodes"].as_array().map(Vec::len), Some(1));

    // Two nodes: the second follows. Its join is killed twice, and goes on; its object comes along and runs on.
    for file in ["var/cluster/join.json", "var/cluster/seat.json"] {
        n2.om_until(world, &join(&once), file);
    }
    let begun = Instant::now();
    n2.om(world, &join(&once)).ok().says("standby");
    println!("joining: the join of n2 took {:.2?} after it was killed twice", begun.elapsed());
    n3.om(world, &join(&once)).ends(1).says("was used up");
    assert_eq!(members(first, world), ["n1 voter up", "n2 learner up"]);
    assert_eq!(
        report(n2, world)["loss"],
        "no failure of n1's engine is survived; join a third node, or a witness (om cluster join --witness)"
    );
    assert_eq!(processes(&far), 1, "the service did not go on");
    until("both know both objects", || {
        [first, n2].iter().all(|node| node.sees(world, "n1", "solo") == "up" && node.sees(world, "n2", "far") == "up")
    });

    // With a third, all vote, and the loss of one is survived.
    let begun = Instant::now();
    n3.om(world, &join(&token)).ok().says("voter");
    println!("joining: the join of n3 took {:.2?}", begun.elapsed());
    until("all vote", || members(first, world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);
    assert_eq!(report(n3, world)["loss"], "the loss of one engine is survived");
    assert_eq!(report(n3, world)["alarms"].as_array().map(Vec::len), Some(0));
    until("all know all nodes", || {
        cluster
            .nodes
            .iter()
            .all(|node| node.status(world)["cluster"]["config"]["nodes"].as_array().map(Vec::len) == Some(3))
    });
    assert_eq!((processes(&solo), processes(&far)), (1, 1));

    // The node that began it dies with its engine: another one takes over.
    let text = app("n1 n2 n3", "orchestrate = ha\n", &web);
    cluster.nodes[1].om(world, &format!("web create --config {}", config("web.conf", &text))).ok();
    let up = |node: &str| cluster.nodes[2].sees(world, node, "web") == "up";
    until("a node runs it", || ["n1", "n2", "n3"].iter().any(|node| up(node)));
    cluster.nodes[1].om(world, "web switch --to n1 --wait").ok();
    until("n1 runs it", || up("n1"));
    let backup = world.path("blue.backup").display().to_string();
    cluster.nodes[1].om(world, &format!("cluster backup {backup}")).ok().says("backup of ");
    let killed = Instant::now();
    cluster.kill_node("n1");
    let n2 = &cluster.nodes[1];
    until("n2 takes over", || n2.sees(world, "n2", "web") == "up");
    println!("joining: taken over {:.2?} after the owner and its engine died", killed.elapsed());
    assert!(killed.elapsed() < TAKEOVER);
    n2.om(world, "cluster check").ends(1).says("does not answer");
    cluster.boot_again("n1");
    let [n1, n2, n3] = &cluster.nodes[..] else { panic!("three nodes") };
    until("its engine is back", || members(n2, world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);

    // A node leaves when nothing names it any more, and is alone with what is its own.
    n3.om(world, "cluster leave").ends(5).says("web may run here and on other nodes");
    n1.om(world, "web set --kw nodes-=n3").ok();
    until("it leaves", || n3.om(world, "cluster leave").is_ok());
    n3.om(world, "cluster status").ends(3);
    n3.om(world, "web print config").ends(2);
    assert_eq!(members(n1, world), ["n1 voter up", "n2 voter up"]);
    until("the others know it", || n1.status(world)["cluster"]["config"]["nodes"].as_array().map(Vec::len) == Some(2));

    // What was deleted or edited is brought back from the backup.
    n1.om(world, &format!("cluster restore {backup} --dry-run")).ok().prints("web\n");
    n1.om(world, &format!("cluster restore {backup} --object web")).ok();
    until("the configuration is back", || n2.om(world, "web get --kw nodes").stdout.trim() == "n1 n2 n3");
    assert_eq!((processes(&far), processes(&web)), (1, 1), "services did not go on");
    // On a busy machine an engine that has just lost a member may not answer for a moment.
    until("the order is taken", || n1.om(world, "web stop --wait").is_ok());
    cluster.end();
}
