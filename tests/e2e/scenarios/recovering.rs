//! An engine that has lost its majority, or all of its data: a new one is made of what is left, and services go on meanwhile.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::joining::{members, report};
use crate::several::{MemberNode, Observer, Several};
use crate::world::{World, until};

crate::trials!(
    an_engine_without_a_majority_is_made_anew_and_nothing_stops,
    of_two_nodes_the_one_that_followed_goes_on,
    an_engine_of_which_nothing_is_left_begins_from_files,
    a_node_is_evicted_on_the_word_of_the_operator,
    an_engine_that_went_back_is_refused_until_it_is_accepted,
);

/// More than the goal of 5 s: the machine runs other tests at the same time.
const RECOVERY: Duration = Duration::from_secs(20);

/// Nodes that have become one cluster, with a service on n1.
struct Recovered<'w> {
    cluster: Several<'w>,
    observer: Observer,
}

impl Recovered<'_> {
    fn begin(world: &World, count: u8) -> Option<Recovered<'_>> {
        let mut cluster = Several::alone(world, count)?;
        let process = format!("/bin/sleep 41338{:03}", world.number());
        let observer = cluster.observe(&process);
        cluster.start_daemons();
        let first = cluster.node("n1").address().to_owned();
        let init = cluster.node("n1").om(world, "cluster init --name blue").ok();
        let token = init.stdout.split_whitespace().last().unwrap().to_owned();
        for node in &cluster.nodes[1..] {
            node.om(world, &format!("cluster join {first} --token {token}")).ok();
        }
        let role = if count > 2 { "voter" } else { "learner" };
        until("the engine is complete", || {
            let others = (2..=count).map(|number| format!("n{number} {role} up"));
            members(cluster.node("n1"), world)
                == ["n1 voter up".to_owned()].into_iter().chain(others).collect::<Vec<_>>()
        });
        let names: Vec<String> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
        let config = format!(
            "[DEFAULT]\nnodes = {}\norchestrate = ha\n[ip#1]\ntype = host\nname = {}\nnetmask = 24\ndev = eth0\n\
             check_carrier = false\n[app#1]\ntype = simple\nstart = {process}\n",
            names.join(" "),
            cluster.service_address()
        );
        let file = world.write("web.conf", &config);
        cluster.node("n1").om(world, &format!("web create --config {}", file.display())).ok();
        let begun = Recovered { cluster, observer };
        begun.until_on("n1");
        for node in &begun.cluster.nodes {
            until("the daemons reach each other", || {
                let mon = node.om(world, "mon").stdout;
                let rows: Vec<&str> = mon.lines().filter(|line| line.contains("hb#2")).collect();
                rows.len() == 2 && rows.iter().all(|row| row.matches(" O").count() == usize::from(count) - 1)
            });
        }
        Some(begun)
    }

    fn until_on(&self, node: &str) {
        until(&format!("{node} has the service"), || {
            let seen = self.observer.since(Instant::now() - Duration::from_millis(300));
            seen.last().is_some_and(|seen| seen.nodes == [node] && seen.processes == 1)
        });
    }

    /// The service was there all the time since then, once and on n1.
    fn assert_untouched(&self, since: Instant) {
        let seen = self.observer.since(since);
        let other = seen.iter().find(|seen| seen.nodes != ["n1"] || seen.processes != 1);
        assert_eq!(other, None, "it was stopped or moved after {:?}", other.map(|it| it.at - since));
        assert!(seen.len() > 20, "{} looks", seen.len());
    }

    fn assert_never_twice(self) -> Self {
        let Recovered { cluster, observer } = self;
        let seen = observer.since(Instant::now() - Duration::from_secs(3600));
        let twice = seen.iter().find(|seen| seen.nodes.len() > 1 || seen.processes > 1);
        assert_eq!(twice, None, "it ran twice");
        Recovered { cluster, observer }
    }

    /// It moves by order, so the cluster works as a whole.
    fn assert_moves(&mut self, world: &World, to: &str) {
        self.cluster.nodes[1].om(world, &format!("web switch --to {to} --wait")).ok();
        self.until_on(to);
    }
}

fn first_line(node: &MemberNode, world: &World) -> String {
    node.om(world, "mon").stdout.lines().next().unwrap_or_default().to_owned()
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn an_engine_without_a_majority_is_made_anew_and_nothing_stops(world: &World) {
    let Some(mut run) = Recovered::begin(world, 3) else { return };
    let [n1, n2, n3] = &run.cluster.nodes[..] else { panic!("three nodes") };
    n1.om(world, "cluster recover --others-are-off --confirm").ends(1).says("the engine answers at https://");
    let generation = report(n1, world)["generation"].as_u64().unwrap();

    // Two of three lose their data. Their machines and daemons go on, and so does the service.
    let since = Instant::now();
    [n2, n3].iter().for_each(|node| node.lose_engine());
    until("the nodes do without the engine", || first_line(n1, world).contains("failsafe, 3 of 3 nodes answer"));
    n1.om(world, "cluster recover").ends(1).says("n2-").says("n3-").says("say --others-are-off");
    n1.om(world, "cluster recover --others-are-off").ends(1).says("standard input is not a terminal");
    let plan = document(&n1.om(world, "cluster recover --dry-run --format json").ok().stdout);
    assert_eq!((&plan["cluster"], plan["others"].as_array().map(Vec::len)), (&"blue".into(), Some(2)), "{plan}");
    n2.om(world, "cluster recover --others-are-off --confirm").ends(1).says("cannot read");

    // Interrupted at several steps, it goes on.
    for millis in [900, 1_500, 2_100] {
        n1.om_for(world, "cluster recover --others-are-off --confirm", Duration::from_millis(millis));
    }
    let begun = Instant::now();
    let made = n1.om(world, "cluster recover --others-are-off --confirm --format json");
    println!("recovering: recover took {:.2?}: {}", begun.elapsed(), made.stdout.trim());
    assert!(begun.elapsed() < RECOVERY);
    if made.is_ok() {
        let made = document(&made.stdout);
        assert_eq!(made["way"], "continued", "{made}");
        // A recovery that was interrupted when the generation had begun begins another one.
        assert!(made["generation"].as_u64().is_some_and(|made| made > generation), "{made}");
    } else {
        // A fast machine was through before it was interrupted.
        made.says("nothing is to be recovered");
    }
    until("the daemon knows the new engine", || report(n1, world)["generation"].as_u64() > Some(generation));
    assert_eq!(members(n1, world), ["n1 voter up"]);
    run.assert_untouched(since);

    // The others come back with one command each.
    for node in [n2, n3] {
        until("it knows why it has no engine", || {
            node.om(world, "cluster check").stdout.contains("om cluster rebuild makes it anew")
        });
        let begun = Instant::now();
        node.om(world, "cluster rebuild").ok().says("engine: ");
        println!("recovering: rebuild of {} took {:.2?}", node.name, begun.elapsed());
    }
    until("all vote", || members(n1, world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);
    n1.om(world, "cluster recover --others-are-off --confirm").ends(1).says("nothing is to be recovered");
    run.assert_untouched(since);
    run.assert_moves(world, "n3");
    let Recovered { mut cluster, .. } = run.assert_never_twice();

    // A member whose data are lost while the others answer.
    cluster.node("n2").lose_engine();
    cluster.node("n2").om(world, "cluster rebuild").ok().says("voter");
    let n1 = &cluster.nodes[0];
    until("all vote", || members(n1, world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);
    n1.om(world, "web stop --wait").ok();
    cluster.end();
}

fn of_two_nodes_the_one_that_followed_goes_on(world: &World) {
    let Some(mut run) = Recovered::begin(world, 2) else { return };
    run.cluster.nodes[1].om(world, "cluster recover --dry-run").ends(1).says("nothing is to be recovered");
    run.cluster.kill_node("n1");
    let n2 = &run.cluster.nodes[1];
    until("n2 does without the engine", || first_line(n2, world).contains("engine down"));
    let begun = Instant::now();
    let made = n2.om(world, "cluster recover --others-are-off --confirm").ok();
    println!("recovering: recover of a follower took {:.2?}", begun.elapsed());
    made.says("what this node had was copied into a new engine").says("om cluster rebuild --from");
    assert_eq!(members(n2, world), ["n2 voter up"]);
    run.until_on("n2");
    println!("recovering: n2 runs the service {:.2?} after the recovery began", begun.elapsed());

    // The machine of n1 is switched on, with the engine that it had: it learns that there is a newer one, and starts nothing.
    run.cluster.boot_again("n1");
    let (n1, n2) = (&run.cluster.nodes[0], &run.cluster.nodes[1]);
    until("n1 knows that there is a newer engine", || n1.status(world).to_string().contains("n2 knows a newer engine"));
    std::thread::sleep(Duration::from_secs(20));
    n1.om(world, &format!("cluster rebuild --from {}", n2.address())).ok().says("standby");
    until("n1 follows", || members(n2, world) == ["n1 learner up", "n2 voter up"]);
    until("n1 sees the service", || n1.sees(world, "n2", "web") == "up" && n1.sees(world, "n1", "web") == "down");
    // The observer does not see the network that it has since it was switched on.
    n2.om(world, "web switch --to n1 --wait").ok();
    until("n1 runs it", || n2.sees(world, "n1", "web") == "up" && n2.sees(world, "n2", "web") == "down");
    let Recovered { cluster, .. } = run.assert_never_twice();
    cluster.nodes[0].om(world, "web stop --wait").ok();
    cluster.end();
}

fn an_engine_of_which_nothing_is_left_begins_from_files(world: &World) {
    let Some(mut run) = Recovered::begin(world, 3) else { return };
    let [n1, n2, n3] = &run.cluster.nodes[..] else { panic!("three nodes") };
    n1.om(world, "cluster rebuild --from-files --others-are-off --confirm").ends(1).says("the engine answers");
    let since = Instant::now();
    [n1, n2, n3].iter().for_each(|node| node.lose_engine());
    until("the nodes do without the engine", || first_line(n1, world).contains("failsafe, 3 of 3 nodes answer"));
    n1.om(world, "cluster recover --others-are-off --confirm").ends(1).says("om cluster rebuild --from-files");
    n1.om(world, "cluster rebuild --from-files").ends(1).says("say --others-are-off");
    for millis in [200, 350, 500] {
        n1.om_for(world, "cluster rebuild --from-files --others-are-off --confirm", Duration::from_millis(millis));
    }
    let begun = Instant::now();
    n1.om(world, "cluster rebuild --from-files --others-are-off --confirm").ok().says("the new engine has begun");
    println!("recovering: rebuild from files took {:.2?}", begun.elapsed());
    for node in [n2, n3] {
        node.om(world, &format!("cluster rebuild --from {}", n1.address())).ok();
    }
    until("all vote", || members(n1, world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);
    until("all know the service", || [n1, n2, n3].iter().all(|node| node.sees(world, "n1", "web") == "up"));
    run.assert_untouched(since);
    run.assert_moves(world, "n2");
    let Recovered { cluster, .. } = run.assert_never_twice();
    cluster.nodes[0].om(world, "web stop --wait").ok();
    cluster.end();
}

fn a_node_is_evicted_on_the_word_of_the_operator(world: &World) {
    let Some(mut run) = Recovered::begin(world, 3) else { return };
    let n2 = &run.cluster.nodes[1];
    n2.om(world, "cluster evict n1 --services-are-stopped --confirm").ends(1).says("n1 sends beats, so it lives");
    n2.om(world, "cluster evict n9").ends(2).says("n9 has begun no life");
    n2.om(world, "cluster evict n2 --services-are-stopped --confirm").ends(1).says("sends beats");

    // Its daemon is away by plan, and then the machine dies: without a word, the others wait.
    run.cluster.node("n1").om(world, "daemon stop --keep").ok();
    run.cluster.kill_node("n1");
    // The address has no lifetime while the daemon is away, and goes with the machine.
    run.cluster.node("n1").cut_off();
    std::thread::sleep(Duration::from_secs(9));
    let n2 = &run.cluster.nodes[1];
    assert_eq!(
        run.observer.since(Instant::now() - Duration::from_millis(300)).last().unwrap().processes,
        0,
        "taken over"
    );
    let told = n2.om(world, "cluster evict n1").ends(1).says("its services go on without its daemon");
    told.says("it has the slots of web").says("say --services-are-stopped");
    n2.om(world, "cluster evict n1 --services-are-stopped").ends(1).says("standard input is not a terminal");
    let evicted = n2.om(world, "cluster evict n1 --services-are-stopped --confirm --format json").ok();
    let at = Instant::now();
    let evicted = document(&evicted.stdout);
    assert_eq!((&evicted["evicted"], &evicted["slots"][0]), (&true.into(), &"web".into()), "{evicted}");
    assert!(evicted["removed_member"].as_str().is_some_and(|name| name.starts_with("n1-")), "{evicted}");
    until("another node takes over", || run.observer.seen_on("n2", at).or(run.observer.seen_on("n3", at)).is_some());
    println!("recovering: taken over {:.2?} after the eviction", at.elapsed());
    n2.om(world, "cluster evict n1 --services-are-stopped --confirm").ok().says("had ended before");
    assert_eq!(members(n2, world), ["n2 voter up", "n3 voter up"]);

    // It comes back, and gets another member.
    run.cluster.boot_again("n1");
    let (n1, n2) = (&run.cluster.nodes[0], &run.cluster.nodes[1]);
    n1.om(world, "cluster rebuild").ok().says("engine: voter");
    until("all vote", || members(n2, world) == ["n1 voter up", "n2 voter up", "n3 voter up"]);
    until("n1 sees the service", || n1.sees(world, "n1", "web") == "down");
    // The network of the machine that died is kept, with its address: only processes tell here.
    let Recovered { cluster, observer } = run;
    let twice = observer.end().into_iter().find(|seen| seen.processes > 1);
    assert_eq!(twice, None, "it ran twice");
    cluster.nodes[1].om(world, "web stop --wait").ok();
    cluster.end();
}

fn an_engine_that_went_back_is_refused_until_it_is_accepted(world: &World) {
    let Some(mut cluster) = Several::new(world, 3) else { return };
    let process = format!("/bin/sleep 41339{:03}", world.number());
    let observer = cluster.observe(&process);
    cluster.start_daemons();
    let text = |process: &str| {
        format!("[DEFAULT]\nnodes = n1 n2 n3\norchestrate = ha\n[app#1]\ntype = simple\nstart = {process}\n")
    };
    let web = world.write("web.conf", &text(&process));
    cluster.nodes[0].om(world, &format!("web create --config {}", web.display())).ok();
    until("n1 runs it", || cluster.nodes[0].sees(world, "n1", "web") == "up");
    let copy = |from: &str, to: &str| {
        let copied = std::process::Command::new("cp").arg("-a").arg(world.path(from)).arg(world.path(to)).status();
        assert!(copied.unwrap().success());
    };
    let engine =
        |node: &MemberNode| node.status(world)["cluster"]["engine"]["state"].as_str().unwrap_or("?").to_owned();
    cluster.kill_engine();
    copy("etcd", "etcd.copy");
    cluster.start_engine_again();
    until("the engine is back", || cluster.nodes.iter().all(|node| engine(node) == "running"));
    let later = world.write("later.conf", &text("/bin/sleep 1234").replace("orchestrate = ha\n", ""));
    cluster.nodes[1].om(world, &format!("later create --config {}", later.display())).ok();
    until("n3 knows it", || cluster.nodes[2].sees(world, "n3", "later") == "down");
    let all_know = || cluster.nodes.iter().all(|node| node.sees(world, "n1", "later") == "down");
    until("all know it", all_know);
    // What a node has seen it writes down once in a while, and when it ends.
    for node in &cluster.nodes[1..] {
        node.om(world, "daemon restart").ok();
        node.until_ready(world);
    }

    // The engine is as it was before.
    let since = Instant::now();
    cluster.kill_engine();
    std::fs::remove_dir_all(world.path("etcd")).unwrap();
    copy("etcd.copy", "etcd");
    cluster.start_engine_again();
    until("it is refused", || cluster.nodes.iter().all(|node| engine(node).contains("it is older than what was seen")));
    let n2 = &cluster.nodes[1];
    n2.om(world, "cluster accept-engine")
        .ends(1)
        .says("the one that answers has id")
        .says("standard input is not a terminal");
    let accepted = document(&n2.om(world, "cluster accept-engine --confirm --format json").ok().stdout);
    assert_eq!(accepted["changed"], true, "{accepted}");
    assert!(accepted["generation"].as_u64() > accepted["known"]["generation"].as_u64(), "{accepted}");
    until("all take it", || cluster.nodes.iter().all(|node| engine(node) == "running"));
    n2.om(world, "cluster accept-engine --confirm").ok().says("there is nothing to accept");
    until("what was made since is back, from the files", || cluster.nodes[2].sees(world, "n1", "later") == "down");
    std::thread::sleep(Duration::from_secs(8));
    let seen = observer.since(since);
    let other = seen.iter().find(|seen| seen.processes != 1);
    assert_eq!(other, None, "it was stopped or ran twice after {:?}", other.map(|it| it.at - since));
    cluster.nodes[2].om(world, "web switch --to n2 --wait").ok();
    until("it moves", || cluster.nodes[2].sees(world, "n2", "web") == "up");
    cluster.nodes[2].om(world, "web stop --wait").ok();
    cluster.end();
}
