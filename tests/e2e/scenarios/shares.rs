//! Directories shared with others: the real server on a private configuration, and a real client.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Child;

use crate::cluster::{Cluster, Node};
use crate::outside_changes::{Dice, number_of};
use crate::world::{World, until};

crate::trials!(samba_serves_a_share_and_releases_it, no_share_is_left_and_no_other_is_gone_after_any_changes);

/// A Samba whose files are all in the world's directory.
const SMB_CONF: &str = "[global]\nbind interfaces only = yes\ninterfaces = lo\nprivate dir = {w}/smb/private\n\
    lock directory = {w}/smb/lock\nstate directory = {w}/smb/lock\ncache directory = {w}/smb/lock\n\
    pid directory = {w}/smb/lock\nncalrpc dir = {w}/smb/ncalrpc\nlog file = {w}/smb/log\n\
    usershare path = {w}/smb/shares\nusershare max shares = 10\nusershare allow guests = yes\nmap to guest = Bad User\n\
    disable spoolss = yes\nload printers = no\nsmb ports = 445\n";

/// The smbd of a node.
struct Server(Child);

impl Server {
    fn new(world: &World, node: &Node) -> Server {
        for directory in ["private", "lock", "shares"] {
            fs::create_dir_all(world.path("smb").join(directory)).unwrap();
        }
        fs::set_permissions(world.path("smb/shares"), fs::Permissions::from_mode(0o1770)).unwrap();
        let config = world.write("smb/smb.conf", &world.fill(SMB_CONF));
        node.must(&format!("mount --bind {} /etc/samba/smb.conf", config.display()));
        node.must("mkdir /run/samba");
        Server::again(node)
    }

    fn again(node: &Node) -> Server {
        let mut smbd = node.command("/usr/sbin/smbd");
        let server = Server(smbd.args(["--foreground", "--debug-stdout", "-d0"]).spawn().unwrap());
        until("smbd listens", || node.must("ss -Hltn sport = :445").contains(":445"));
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // On SIGTERM it also stops the processes that serve one client each.
        let pid = nix::unistd::Pid::from_raw(self.0.id().try_into().unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

/// The content of a file of the share, as a guest reads it.
fn fetched(node: &Node, share: &str, file: &str) -> String {
    let get = format!("get {file} -");
    let output = node.command("smbclient").args(["-N", &format!("//127.0.0.1/{share}"), "-c", &get]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn samba_serves_a_share_and_releases_it(world: &World) {
    if !Path::new("/usr/sbin/smbd").exists() || !Path::new("/usr/bin/smbclient").exists() {
        println!("shares: skipped: samba and smbclient are not installed");
        return;
    }
    let Some(cluster) = Cluster::new(world, 1) else { return };
    let node = &cluster.nodes[0];
    let sections = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/site\n\
                    [share#1]\ntype = smb\nname = web\npath = {w}/site\nguest = true\n";
    let file = world.write("web.conf", &world.fill(sections));
    // A guest has the user nobody, and must be able to enter this directory.
    fs::set_permissions(world.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    node.om(world, &format!("web create --config {}", file.display())).ok();
    let server = Server::new(world, node);
    node.om(world, "web start").ok();
    let state = |rid: &str| node.resource(world, "web", rid)["status"].clone();
    assert_eq!((state("fs#1"), state("share#1")), ("up".into(), "up".into()));
    node.must(&format!("cp /etc/os-release {}/a", world.path("site").display()));
    assert_eq!(fetched(node, "web", "a"), fs::read_to_string("/etc/os-release").unwrap());
    // A client that stays keeps its share open, and the file system below it.
    let share = "//127.0.0.1/web";
    let mut client = node.command("smbclient");
    let mut client = client.args(["-N", share]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    until("the client is connected", || node.must("smbstatus --shares").contains("web"));
    node.om(world, "web stop").ok();
    assert_eq!((state("fs#1"), state("share#1")), ("down".into(), "down".into()));
    client.kill().unwrap();
    client.wait().unwrap();
    assert!(!fetched(node, "web", "a").contains("NAME="), "still shared");
    // What start shared is taken away, whatever the keywords say by then.
    node.om(world, "web start").ok();
    node.om(world, "web set --kw share#1.name=site").ok().says("share#1 applies at the next start");
    assert_eq!(state("share#1"), "warn");
    node.om(world, "web stop").ok().says("removed the share web of");
    assert!(!fetched(node, "web", "a").contains("NAME="), "still shared under its old name");
    assert_eq!(node.must("net usershare list").trim(), "");
    node.om(world, "web print holdings").ok().does_not_say("share#1");
    node.om(world, "web start").ok().says("shared").says("as site");
    drop(server);
    node.om(world, "web print status --refresh").says("smbd does not answer");
    node.om(world, "web stop").ok();
}

/// The promise of a stop as a property, for shares: see [`crate::outside_changes`].
fn no_share_is_left_and_no_other_is_gone_after_any_changes(world: &World) {
    if !Path::new("/usr/sbin/smbd").exists() {
        println!("shares: skipped: samba is not installed");
        return;
    }
    let Some(cluster) = Cluster::new(world, 1) else { return };
    let node = &cluster.nodes[0];
    fs::set_permissions(world.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    for directory in ["site", "other"] {
        fs::create_dir(world.path(directory)).unwrap();
    }
    let mut server = Server::new(world, node);
    let (first, rounds) = (number_of("HOSTLER_SEED", 1), number_of("HOSTLER_ROUNDS", 3));
    for seed in first..first + rounds {
        server = share_round(world, node, server, seed);
    }
    drop(server);
}

const SHARES: &str = "[DEFAULT]\nnodes = n1\n[share#1]\ntype = smb\nname = one\npath = {w}/site\n\
                      [share#2]\ntype = smb\nname = two\npath = {w}/site\n";

fn share_round(world: &World, node: &Node, mut server: Server, seed: u64) -> Server {
    let mut dice = Dice(seed);
    let file = world.write("web.conf", &world.fill(SHARES));
    node.om(world, &format!("web create --config {}", file.display())).ok();
    node.om(world, "web start").ok();
    let net = |words: &[&str]| drop(node.command("net").arg("usershare").args(words).output().unwrap());
    let add = |name: &str| net(&["add", name, &world.path("other").display().to_string(), "another's", "S-1-1-0:R"]);
    add("stranger");
    let (mut own, mut done) = (vec!["one", "two"], Vec::new());
    for kind in dice.kinds(seed, 2, 5) {
        done.push(match kind {
            0 => {
                node.om(world, "web set --kw share#1.name=renamed");
                "share#1.name is edited"
            }
            1 => {
                node.om(world, &format!("web set --kw share#2.path={}", world.path("other").display()));
                "share#2.path is edited"
            }
            2 => {
                drop(server);
                server = Server::again(node);
                "smbd is started again"
            }
            3 => {
                net(&["delete", "one"]);
                "a share is deleted"
            }
            _ => {
                net(&["delete", "two"]);
                add("two");
                own.retain(|name| *name != "two");
                "a share is replaced by a stranger"
            }
        });
    }
    let stopped = node.om(world, "web stop");
    let (context, left) = (format!("seed {seed}: {}", done.join(", ")), node.must("net usershare list"));
    let is_there = |name: &str| left.lines().any(|line| line.trim() == name);
    assert!(is_there("stranger") && (own.contains(&"two") || is_there("two")), "{context}: a stranger is gone: {left}");
    assert_eq!(stopped.code, Some(0), "{context}: {stopped}");
    assert!(!own.iter().any(|name| is_there(name)) && !is_there("renamed"), "{context}: exit 0, and left is {left}");
    left.lines().for_each(|share| net(&["delete", share.trim()]));
    node.om(world, "web delete --force").ok();
    server
}
