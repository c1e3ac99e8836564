//! The engine of a cluster is away: services go on for as long as all nodes reach each other, and are cut in time where they do not.

use std::time::{Duration, Instant};

use crate::several::{MemberNode, Observer, Several};
use crate::world::{World, until};

crate::trials!(services_go_on_without_the_engine_while_all_nodes_promise_it);

/// T of the profile `lan`.
const VALIDITY: Duration = Duration::from_secs(6);

/// How long the engine is away: longer than any deadline that it has acknowledged.
const OUTAGE: Duration = Duration::from_secs(8);

/// More than the goal of 2 s: the machine runs other tests at the same time.
const RECOVERY: Duration = Duration::from_secs(6);

fn first_line(node: &MemberNode, world: &World) -> String {
    node.om(world, "mon").stdout.lines().next().unwrap_or_default().to_owned()
}

fn until_linked(cluster: &Several<'_>, world: &World) {
    for node in &cluster.nodes {
        until("the daemons reach each other", || {
            let mon = node.om(world, "mon").stdout;
            let rows: Vec<&str> = mon.lines().filter(|line| line.contains("hb#2")).collect();
            rows.len() == 2 && rows.iter().all(|row| row.matches(" O").count() == 2)
        });
    }
}

/// All that was seen is the service, once, on that node.
fn assert_untouched(observer: &Observer, since: Instant, node: &str) {
    let seen = observer.since(since);
    let other = seen.iter().find(|seen| seen.nodes != [node] || seen.processes != 1);
    assert_eq!(other, None, "it was stopped or moved {:?} after the engine was gone", other.map(|it| it.at - since));
    assert!(seen.len() > 50, "{} looks", seen.len());
}

fn services_go_on_without_the_engine_while_all_nodes_promise_it(world: &World) {
    let Some(mut cluster) = Several::new(world, 3) else { return };
    let process = format!("sleep 31338{:03}", world.number());
    let observer = cluster.observe(&format!("/bin/{process}"));
    cluster.start_daemons();
    let config = format!(
        "[DEFAULT]\nnodes = n1 n2 n3\norchestrate = ha\n[ip#1]\ntype = host\nname = {}\nnetmask = 24\ndev = eth0\n\
         check_carrier = false\n[app#1]\ntype = simple\nstart = /bin/{process}\n",
        cluster.service_address()
    );
    let file = world.write("web.conf", &config);
    cluster.node("n2").om(world, &format!("web create --config {}", file.display())).ok();
    let held = |observer: &Observer, node: &str| {
        until(&format!("{node} has the service"), || {
            observer
                .since(Instant::now() - Duration::from_millis(200))
                .last()
                .is_some_and(|seen| seen.nodes == [node] && seen.processes == 1)
        });
    };
    held(&observer, "n1");
    until_linked(&cluster, world);

    // It hangs, for longer than any deadline: nothing stops and nothing moves, and no node loses its life.
    let hung = Instant::now();
    cluster.hang_engine(true);
    for node in &cluster.nodes {
        until("the outage is said", || {
            let line = first_line(node, world);
            line.starts_with("engine down for ")
                && line.ends_with("s: failsafe, 3 of 3 nodes answer; no moves, no edits")
        });
    }
    let n2 = cluster.node("n2");
    n2.om(world, "web switch --to n2").ends(1).says("no order is taken until it does");
    n2.om(world, "web set --kw app#1.comment=changed").ends(1).says("no other node would learn of this change");
    n2.om(world, "web print status").ok();
    // A daemon that is restarted meanwhile has what a promise rests on in its run directory, and is asked again.
    let n3 = cluster.node("n3");
    n3.om(world, "daemon stop").ok();
    n3.om(world, "daemon start --time 100ms").ends(7);
    until("the outage is long enough", || hung.elapsed() > OUTAGE);
    cluster.hang_engine(false);
    let back = Instant::now();
    for node in &cluster.nodes {
        until("the daemon is back with the engine", || first_line(node, world).starts_with("Threads"));
    }
    let took = back.elapsed();
    println!("failsafe: recovered {took:.2?} after the engine was back");
    assert!(took < RECOVERY, "{took:?}");
    cluster.node("n2").om(world, "web set --kw app#1.comment=changed").ok();
    assert_untouched(&observer, hung, "n1");
    let mon = cluster.node("n3").om(world, "mon").ok().stdout;
    assert!(!mon.contains("evicted"), "{mon}");
    cluster.node("n2").om(world, "web switch --to n2 --wait").ok();
    held(&observer, "n2");

    // The engine dies, and one node cannot be asked: what it might take over later is cut before T.
    cluster.node("n3").cut_off();
    cluster.kill_engine();
    let killed = Instant::now();
    until("the holder knows", || {
        first_line(cluster.node("n2"), world).contains("no failsafe, 2 of 3 nodes answer, not n3")
    });
    let gone =
        || observer.since(killed).iter().find(|seen| seen.nodes.is_empty() && seen.processes == 0).map(|it| it.at);
    until("the service is cut", || gone().is_some());
    let cut = gone().unwrap();
    let took = cut - killed;
    println!("failsafe: cut {took:.2?} after the engine was gone and a node could not be asked");
    assert!(took < VALIDITY, "{took:?}");

    // With the engine back it runs again, once.
    cluster.start_engine_again();
    cluster.node("n3").reconnect();
    until("it runs again", || observer.since(cut).iter().any(|seen| seen.processes == 1));
    cluster.node("n2").om(world, "web stop --wait").ok();
    let seen = observer.end();
    let twice = seen.iter().find(|seen| seen.nodes.len() > 1 || seen.processes > 1);
    assert_eq!(twice, None, "it ran twice");
    cluster.end();
}
