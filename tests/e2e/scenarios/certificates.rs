//! The certificates of a cluster's engine: shown, renewed, replaced with their authority, and revoked. Services go on, and no node
//! loses contact.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use certificate::{CertificateAuthority, CertificatePlace, LeafSubject};
use serde_json::Value;

use crate::joining::{members, processes};
use crate::several::{MemberNode, Several};
use crate::world::{World, until};

crate::trials!(a_cluster_renews_its_certificates_and_their_authority, a_node_is_drained_before_it_leaves);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// All three nodes vote.
const ALL: [&str; 3] = ["n1 voter up", "n2 voter up", "n3 voter up"];

/// A cluster of three nodes, whose members all vote.
fn begin(world: &World) -> Option<Several<'_>> {
    let cluster = Several::alone(world, 3)?;
    cluster.start_daemons();
    let init = cluster.nodes[0].om(world, "cluster init --name blue").ok();
    let token = init.stdout.split_whitespace().last().unwrap().to_owned();
    for node in &cluster.nodes[1..] {
        let begun = Instant::now();
        node.om(world, &format!("cluster join {} --token {token}", cluster.nodes[0].address())).ok();
        println!("certificates: the join of {} took {:.2?}", node.name, begun.elapsed());
    }
    until("all vote", || members(&cluster.nodes[0], world) == ALL);
    Some(cluster)
}

fn ls(node: &MemberNode, world: &World) -> Value {
    serde_json::from_str(&node.om(world, "cluster cert ls --format json").ok().stdout).unwrap()
}

/// The ids of the certificates of a kind, by node.
fn ids(report: &Value, kind: &str) -> Vec<String> {
    let of_kind = |line: &&Value| line["kind"] == kind;
    let lines = report["certificates"].as_array().into_iter().flatten().filter(of_kind);
    lines.map(|line| format!("{} {}", line["node"].as_str().unwrap(), line["id"].as_str().unwrap())).collect()
}

fn place(node: &MemberNode) -> CertificatePlace {
    CertificatePlace::new(node.file("var/certificate/engine"))
}

/// Gives a node a certificate that ends so long from now, or has ended.
fn forge(node: &MemberNode, left: Option<Duration>) {
    let made = SystemTime::now() - 100 * DAY;
    let authority = CertificateAuthority::open(&place(node), "none", made).unwrap();
    let called = [node.address(), &node.name, "localhost", "127.0.0.1"].map(str::to_owned).to_vec();
    let subject = LeafSubject::Node { name: node.name.clone(), called };
    let leaf = authority.issue(&subject, made, left.map_or(99 * DAY, |left| 100 * DAY + left)).unwrap();
    place(node).write_node(&leaf).unwrap();
}

/// The certificate and the key that a node has now, and the authorities.
fn keep(node: &MemberNode, world: &World, name: &str) -> PathBuf {
    let kept = world.path(name);
    std::fs::create_dir_all(&kept).unwrap();
    for file in ["ca.pem", "node.pem", "node.key"] {
        std::fs::copy(node.file("var/certificate/engine").join(file), kept.join(file)).unwrap();
    }
    kept
}

/// Whether the member of a node answers those who have this certificate.
fn answers(node: &MemberNode, authority: &Path, certificate: &Path) -> bool {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-m", "3", "--cacert"]).arg(authority.join("ca.pem"));
    curl.arg("--cert").arg(certificate.join("node.pem")).arg("--key").arg(certificate.join("node.key"));
    let output = curl.arg(format!("https://{}:2379/health", node.address())).output().unwrap();
    String::from_utf8_lossy(&output.stdout).contains("true")
}

fn a_cluster_renews_its_certificates_and_their_authority(world: &World) {
    let Some(mut cluster) = begin(world) else { return };
    let web = format!("/bin/sleep 71337{:03}", world.number());
    let text = format!("[DEFAULT]\nnodes = n1 n2 n3\norchestrate = ha\n[app#1]\ntype = simple\nstart = {web}\n");
    let file = world.write("web.conf", &text).display().to_string();
    let [n1, n2, n3] = &cluster.nodes[..] else { panic!("three nodes") };
    n1.om(world, &format!("web create --config {file}")).ok();
    until("a node runs it", || processes(&web) == 1);
    let pid = || Command::new("pgrep").args(["-fx", &web]).output().unwrap().stdout;
    let began = pid();

    // All of them are shown, and nothing is wrong with any.
    until("all have said what they have", || ids(&ls(n2, world), "engine").len() == 3);
    let first = ls(n2, world);
    assert_eq!(ids(&first, "engine authority").len(), 1, "{first}");
    assert_eq!(ids(&first, "api authority").len(), 1, "{first}");
    assert_eq!(first["warnings"].as_array().map(Vec::len), Some(0), "{first}");
    n2.om(world, "cluster cert ls").ok().says("engine authority");

    // A node gets another certificate, also when its daemon does not run.
    let renewed = n2.om(world, "cluster cert renew").ok().says("engine: certificate");
    assert!(renewed.stderr.contains("api: certificate") || renewed.stdout.contains("api: certificate"));
    until("the others know it", || ids(&ls(n1, world), "engine") != ids(&first, "engine"));
    assert!(answers(n1, &keep(n2, world, "renewed"), &world.path("renewed")));

    // One that ends soon is said by all nodes, and is renewed by the daemon that starts. So is one that has ended.
    forge(n2, Some(10 * DAY));
    let words = "the certificate of n2 for the engine ends in 9 days";
    until("it is said", || n1.om(world, "cluster cert ls").stdout.contains(words));
    n1.om(world, "cluster check").says(words);
    n3.om(world, "cluster status").says(words);
    until("mon says it", || n1.om(world, "mon").stdout.contains(words));
    forge(n3, None);
    until("it is said", || n1.om(world, "mon").stdout.contains("the certificate of n3 for the engine has ended"));
    assert!(!answers(n1, &keep(n3, world, "ended"), &world.path("ended")), "a certificate that has ended is accepted");
    for node in [n2, n3] {
        node.om(world, "daemon restart").ok();
        node.until_ready(world);
    }
    until("nothing is wrong any more", || ls(n1, world)["warnings"].as_array().map(Vec::len) == Some(0));
    until("all vote", || members(n3, world) == ALL);

    // The authority is replaced while a node is away: the others wait for it, and go on when it is back.
    let former = keep(n2, world, "former");
    cluster.kill_node("n3");
    let n2 = &cluster.nodes[1];
    n2.om(world, "cluster cert rotate-ca --time 4s").ends(7).says("waiting for").says("n3");
    n2.om(world, "cluster cert rotate-ca --time 1s").ends(7).says("already");
    n2.om(world, "cluster check").says("the authority of the engine is being replaced: trust, waiting for");
    cluster.boot_again("n3");
    let [n1, n2, n3] = &cluster.nodes[..] else { panic!("three nodes") };
    let begun = Instant::now();
    n2.om(world, "cluster cert rotate-ca --time 2m").ok().says("the authority of the engine was replaced");
    println!("certificates: the authority was replaced {:.2?} after the last node was back", begun.elapsed());
    until("all vote", || members(n1, world) == ALL);
    let replaced = ls(n1, world);
    assert_ne!(ids(&replaced, "engine authority"), ids(&first, "engine authority"));
    let present = keep(n2, world, "present");
    for node in [n1, n2, n3] {
        assert_eq!(place(node).trusted().unwrap().len(), 1, "{} trusts the former one, too", node.name);
        assert!(place(node).next().unwrap().is_none());
        assert!(answers(node, &present, &present) && !answers(node, &present, &former), "{}", node.name);
    }
    assert_eq!(pid(), began, "the service did not go on");

    // A token of before is still good, and what a node had that was taken out is refused.
    let gone = keep(n3, world, "gone");
    n1.om(world, "web set --kw nodes-=n3").ok();
    until("it leaves", || n3.om(world, "cluster leave").is_ok());
    until("its certificate is refused", || !answers(n1, &present, &gone) && !answers(n2, &present, &gone));
    assert!(answers(n1, &present, &present));
    assert_eq!(ls(n1, world)["revoked"].as_array().map(Vec::len), Some(1));
    let token = n1.om(world, "cluster token create").ok().stdout.trim().to_owned();
    n3.om(world, &format!("cluster join {} --token {token}", n1.address())).ok().says("voter");
    assert_eq!(pid(), began, "the service did not go on");
    n1.om(world, "web stop --wait").ok();
    cluster.end();
}

fn a_node_is_drained_before_it_leaves(world: &World) {
    let Some(cluster) = begin(world) else { return };
    let number = world.number();
    let process = |kind: u8| format!("/bin/sleep {kind}1338{number:03}");
    let app = |nodes: &str, more: &str, start: &str, stop: &str| {
        format!("[DEFAULT]\nnodes = {nodes}\n{more}[app#1]\ntype = simple\nstart = {start}\n{stop}")
    };
    let [n1, n2, n3] = &cluster.nodes[..] else { panic!("three nodes") };
    let create = |name: &str, text: &str| {
        let file = world.write(&format!("{name}.conf"), text).display().to_string();
        n1.om(world, &format!("{name} create --config {file}")).ok();
    };
    let (web, own, manual) = (process(1), process(2), process(3));
    create("web", &app("n3 n1 n2", "orchestrate = ha\n", &web, ""));
    create("own", &app("n3", "", &own, ""));
    create("manual", &app("n3 n1", "", &manual, ""));
    until("n3 knows them", || n3.om(world, "manual print config").is_ok() && n3.om(world, "own print config").is_ok());
    n3.om(world, "own start --wait").ok();
    n3.om(world, "manual start --wait").ok();
    n3.om(world, "manual switch --to n3 --wait");
    until("n3 runs it", || n1.sees(world, "n3", "web") == "up" || n1.om(world, "web switch --to n3 --wait").is_ok());
    until("all run", || [&web, &own, &manual].iter().all(|line| processes(line) == 1));

    // What names this node in another way cannot be taken out of it: nothing is changed.
    n3.om(world, "cluster leave").ends(5).says("or say --drain");
    create("wide", &app("{clusternodes}", "", &process(4), ""));
    until("n3 knows it", || n3.om(world, "wide print config").is_ok());
    n3.om(world, "cluster leave --drain")
        .ends(1)
        .says("wide may run on this node, and its nodes do not name it as a word");
    assert_eq!(processes(&web), 1);
    assert_eq!(n1.sees(world, "n3", "web"), "up");
    n1.om(world, "wide delete --wait").ok();
    until("it is gone", || !n3.om(world, "wide print config").is_ok());

    // Killed in the middle, it goes on.
    n3.om_until(world, "cluster leave --drain", "var/cluster/leave.json");
    let begun = Instant::now();
    n3.om(world, "cluster leave --drain --time 1m").ok().says("web runs on").says("manual was stopped here");
    println!("certificates: the leave took {:.2?}", begun.elapsed());
    assert_eq!(members(n1, world), ["n1 voter up", "n2 voter up"]);
    until("another node runs it", || ["n1", "n2"].iter().any(|node| n1.sees(world, node, "web") == "up"));
    until("what is its own runs again", || processes(&own) == 1);
    assert_eq!((processes(&web), processes(&manual)), (1, 0));
    assert_eq!(n2.om(world, "web get --kw nodes").stdout.trim(), "n1 n2");
    n3.om(world, "cluster status").ends(3);
    assert!(!n3.file("var/cluster/leave.json").exists());
    n1.om(world, "web stop --wait").ok();
    until("the order that has started it again is over", || n3.om(world, "own stop --wait").code == Some(0));
    cluster.end();
}
