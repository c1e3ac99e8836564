//! A node that is lost is ended from outside, and what it had is taken over as soon as that is proven, and not before.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crate::several::{MemberNode, Observer, Several};
use crate::world::{World, until};

crate::trials!(a_proven_end_of_a_node_is_taken_over_from_at_once_and_a_failure_is_not);

/// T of the profile `lan`: without a fence, a lost node is taken over from after so long.
const VALIDITY: Duration = Duration::from_secs(6);

/// More than the goal of 0.5 s behind the fence: the machine runs other tests at the same time.
const BEHIND_THE_FENCE: Duration = Duration::from_millis(2_500);

/// The power supply of the nodes: it ends those that it is asked to end, and says when they have ended.
struct PowerSupply<'w> {
    world: &'w World,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<'w> PowerSupply<'w> {
    fn of(world: &'w World, nodes: &[MemberNode]) -> PowerSupply<'w> {
        let ends = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&ends);
        let plugs: Vec<_> = nodes
            .iter()
            .map(|node| {
                (world.path(&format!("asked-{}", node.name)), world.path(&format!("off-{}", node.name)), node.plug())
            })
            .collect();
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                for (asked, off, plug) in &plugs {
                    if asked.exists() && !off.exists() {
                        plug();
                        fs::write(off, "").unwrap();
                    }
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        PowerSupply { world, ends, thread: Some(thread) }
    }

    /// How long ago it was asked to end a node.
    fn asked(&self, node: &str) -> Option<Duration> {
        let asked = fs::metadata(self.world.path(&format!("asked-{node}"))).ok()?.modified().ok()?;
        SystemTime::now().duration_since(asked).ok()
    }
}

impl Drop for PowerSupply<'_> {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The sections of `cluster.conf`: n1 by OpenSVC's name, n2 by a device that fails, n3 by that device and then by one that works.
fn write_fences(world: &World, nodes: &[MemberNode]) {
    let script = "#!/bin/sh\n: >{w}/asked-$1\nwhile [ ! -e {w}/off-$1 ]; do sleep 0.02; done\n";
    let script = world.write("fence", &world.fill(script)).display().to_string();
    let broken = "[ -e {w}/mended ] && exec /bin/sh {w}/fence n2\necho the plug does not answer >&2\nexit 1\n";
    let broken = world.write("broken", &world.fill(broken)).display().to_string();
    let fences = format!(
        "[stonith#n1]\ncmd = /bin/sh {script} n1\n\
         [fence#n2]\ncommand = /bin/sh {broken}\ntest = /bin/true\n\
         [fence#n3]\ncommand = /bin/false\ntest = /bin/true\n\
         [fence#power]\nnodes = n3\nlevel = 2\ncommand = /bin/sh {script} n3\ntest = /bin/true\n"
    );
    for node in nodes {
        let file = node.file("etc/cluster.conf");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, text + &fences).unwrap();
    }
}

fn until_held(observer: &Observer, node: &str) {
    until(&format!("{node} has the address"), || observer.holder().as_deref() == Some(node));
}

/// A fence counts as tested when it was, from that node and as it is now.
fn tests_are_told(world: &World, n2: &MemberNode) {
    until("mon says that no fence was tested", || n2.om(world, "mon").stdout.contains("never tested from this node"));
    n2.om(world, "cluster config validate").says("fence#n3 was never tested from this node for n3");
    n2.om(world, "node fence n3 --test").ok().says("fence#n3 (fence.command, level 1)").says("n3 could be ended");
    n2.om(world, "node fence n1 --test").ends(1).says("fence#n1 cannot be tried without ending the node");
    n2.om(world, "node fence n2 --test").says("n2 is this node");
    n2.om(world, "node fence n9 --test").says("no fence of cluster.conf ends n9");
    let validated = n2.om(world, "cluster config validate");
    validated.does_not_say("fence#n3 was never tested").says("fence#n1 was never tested from this node for n1");
    n2.om(world, "node fence n1").ends(1).says("--confirm confirms");
}

fn a_proven_end_of_a_node_is_taken_over_from_at_once_and_a_failure_is_not(world: &World) {
    let Some(mut cluster) = Several::new(world, 3) else { return };
    write_fences(world, &cluster.nodes);
    let process = format!("sleep 31347{:03}", world.number());
    let observer = cluster.observe(&format!("/bin/{process}"));
    let power = PowerSupply::of(world, &cluster.nodes);
    cluster.start_daemons();
    let config = format!(
        "[DEFAULT]\nnodes = n1 n2 n3\norchestrate = ha\nstonith = true\n[ip#1]\ntype = host\nname = {}\nnetmask = 24\ndev = eth0\n\
         check_carrier = false\n[app#1]\ntype = simple\nstart = /bin/{process}\n",
        cluster.service_address()
    );
    let file = world.write("web.conf", &config);
    cluster.node("n2").om(world, &format!("web create --config {}", file.display())).ok();
    until_held(&observer, "n1");
    until("all nodes see it", || cluster.nodes.iter().all(|node| node.sees(world, "n1", "web") == "up"));
    tests_are_told(world, cluster.node("n2"));
    assert_eq!(power.asked("n1"), None, "a node was ended that nobody had lost");

    // All processes of the owner die.
    let killed = Instant::now();
    cluster.kill_node("n1");
    until("n2 takes over", || observer.seen_on("n2", killed).is_some());
    let seen = observer.seen_on("n2", killed).unwrap();
    let behind = power.asked("n1").unwrap().saturating_sub(seen.elapsed());
    println!("fencing: taken over {:.2?} after the owner died, {behind:.2?} after its fence began", seen - killed);
    assert!(behind < BEHIND_THE_FENCE, "{behind:?}");
    cluster.node("n3").om(world, "mon").ok().says("fenced");
    let audit = cluster.nodes[1..].iter().map(|node| node.om(world, "driver audit").stdout).collect::<String>();
    assert!(audit.contains("fence#n1") && audit.contains("exec = /bin/sh"), "{audit}");

    // A node that lives, and whose beats do not arrive, is ended by its second level.
    until("it can be moved", || cluster.nodes[1].om(world, "web switch --to n3 --wait").is_ok());
    until_held(&observer, "n3");
    let cut = Instant::now();
    cluster.node("n3").cut_off();
    until("n2 takes over", || observer.seen_on("n2", cut).is_some());
    let seen = observer.seen_on("n2", cut).unwrap();
    let behind = power.asked("n3").unwrap().saturating_sub(seen.elapsed());
    println!("fencing: taken over {:.2?} after the cut, {behind:.2?} after its fence began", seen - cut);
    assert!(behind < BEHIND_THE_FENCE, "{behind:?}");

    // The fence of the last one fails: nothing is taken upon that, whatever time ends, before a person has mended it.
    cluster.boot_again("n1");
    until("n1 is back", || cluster.nodes[1].sees(world, "n1", "web") == "down");
    let cut = Instant::now();
    cluster.node("n2").cut_off();
    let n1 = &cluster.nodes[0];
    until("the failure is shown", || n1.om(world, "mon").stdout.contains("fence failed"));
    std::thread::sleep((VALIDITY * 2).saturating_sub(cut.elapsed()));
    n1.om(world, "node fence n2 --confirm").ends(1).says("n2 may go on: nothing is taken from it");
    let after = observer.since(cut + VALIDITY);
    assert!(after.len() > 20 && after.iter().all(|seen| seen.processes == 0), "it was taken without a proof");
    world.write("mended", "");
    n1.om(world, "node fence n2 --confirm").ok().says("n2 has ended, and so has its life");
    until("n1 takes over", || n1.sees(world, "n1", "web") == "up");

    let seen = observer.end();
    let twice = seen.iter().find(|seen| seen.nodes.len() > 1 || seen.processes > 1);
    assert_eq!(twice, None, "it ran twice");
    drop(power);
    drop(cluster);
}
