//! A cluster of daemons on one machine: each node in network, mount and pid namespaces of its own, with its own files of the agent,
//! all on one bridge, with Debian's etcd as the store that they share. And an observer that trusts none of them.

use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::network::ip;
use crate::ran::Ran;
use crate::world::{OM, World, until};

/// How often the observer looks.
const SAMPLE: Duration = Duration::from_millis(50);

pub(crate) struct Several<'w> {
    world: &'w World,
    pub(crate) nodes: Vec<MemberNode>,
    /// The engine that all of them share. None: they are alone at first, and manage their own.
    etcd: Option<Child>,
}

/// A node: the first process of its namespaces, and its daemon.
pub(crate) struct MemberNode {
    pub(crate) name: String,
    /// Its own part of the world's directory.
    directory: PathBuf,
    near: String,
    far: String,
    address: String,
    bridge: String,
    /// Keeps the network namespace when all of its processes are gone.
    network: Arc<File>,
    launcher: Child,
    init: Pid,
}

impl Several<'_> {
    /// Nodes n1 to n`count` and their engine, without daemons. None, after printing why, if etcd is not installed.
    pub(crate) fn new(world: &World, count: u8) -> Option<Several<'_>> {
        Several::begin(world, count, true)
    }

    /// The same nodes without an engine: each is alone.
    pub(crate) fn alone(world: &World, count: u8) -> Option<Several<'_>> {
        Several::begin(world, count, false)
    }

    fn begin(world: &World, count: u8, with_engine: bool) -> Option<Several<'_>> {
        let installed = Command::new("etcd").arg("--version").output().is_ok();
        if !installed {
            println!("several: skipped: etcd is not installed (Debian: etcd-server)");
            return None;
        }
        let bridge = format!("e2eb{}", world.number());
        ip(&format!("link add {bridge} type bridge"));
        ip(&format!("address add {}/24 dev {bridge}", address(world, 254)));
        ip(&format!("link set {bridge} up"));
        let etcd = with_engine.then(|| start_etcd(world));
        let mut several = Several { world, nodes: Vec::new(), etcd };
        for number in 1..=count {
            several.nodes.push(several.boot(number));
        }
        Some(several)
    }

    pub(crate) fn engine(&self) -> String {
        engine(self.world)
    }

    /// An address that no node has.
    pub(crate) fn service_address(&self) -> String {
        address(self.world, 100)
    }

    fn boot(&self, number: u8) -> MemberNode {
        let name = format!("n{number}");
        let directory = self.world.path(&name);
        let names: Vec<String> = (1..=3).map(|number| format!("n{number}")).collect();
        let cluster = match self.etcd {
            Some(_) => format!("[cluster]\nname = blue\nnodes = {}\nengine = {}\n", names.join(" "), self.engine()),
            None => String::new(),
        };
        self.world.write(&format!("{name}/root/etc/cluster.conf"), &cluster);
        let (near, far) =
            (format!("e2e{}n{number}", self.world.number()), format!("e2e{}f{number}", self.world.number()));
        let bridge = format!("e2eb{}", self.world.number());
        let address = address(self.world, number);
        let mut node = MemberNode::launch(self.world, name, directory, (near, far, address, bridge));
        node.connect();
        node
    }

    pub(crate) fn node(&mut self, name: &str) -> &mut MemberNode {
        self.nodes.iter_mut().find(|node| node.name == name).unwrap()
    }

    /// Starts the daemons of all nodes, and waits until they are ready.
    pub(crate) fn start_daemons(&self) {
        self.nodes.iter().for_each(|node| node.start_daemon(self.world));
        self.nodes.iter().for_each(|node| node.until_ready(self.world));
    }

    /// All processes of a node die at once, as if the machine had lost its power. What the kernel has of it stays.
    pub(crate) fn kill_node(&mut self, name: &str) {
        self.node(name).kill();
    }

    /// The machine of a node that was killed is switched on again.
    pub(crate) fn boot_again(&mut self, name: &str) {
        let world = self.world;
        let node = self.node(name);
        let parts = (node.near.clone(), node.far.clone(), node.address.clone(), node.bridge.clone());
        let _ = Command::new("ip").args(["link", "del", &node.near]).output();
        // Its run directory is in memory on a real machine.
        let _ = fs::remove_dir_all(node.directory.join("root/run"));
        let mut again = MemberNode::launch(world, node.name.clone(), node.directory.clone(), parts);
        again.connect();
        *node = again;
        node.start_daemon(world);
        node.until_ready(world);
    }

    /// The engine's process hangs, or goes on.
    pub(crate) fn hang_engine(&self, hangs: bool) {
        let signal = if hangs { Signal::SIGSTOP } else { Signal::SIGCONT };
        let etcd = self.etcd.as_ref().unwrap();
        kill(Pid::from_raw(etcd.id().try_into().unwrap()), signal).unwrap();
    }

    /// The engine's process dies.
    pub(crate) fn kill_engine(&mut self) {
        let etcd = self.etcd.as_mut().unwrap();
        etcd.kill().unwrap();
        etcd.wait().unwrap();
    }

    /// It is started again, with all that it had.
    pub(crate) fn start_engine_again(&mut self) {
        self.etcd = Some(start_etcd(self.world));
    }

    /// Watches that the address and the process of a service are on one node at most.
    pub(crate) fn observe(&self, process: &str) -> Observer {
        let networks = self.nodes.iter().map(|node| (node.name.clone(), Arc::clone(&node.network))).collect();
        Observer::start(networks, self.service_address(), process.to_owned())
    }

    /// Ends all daemons.
    pub(crate) fn end(mut self) {
        for node in &self.nodes {
            node.om(self.world, "daemon stop").ok();
        }
        self.nodes.iter_mut().for_each(MemberNode::kill);
    }
}

impl Drop for Several<'_> {
    fn drop(&mut self) {
        self.nodes.iter_mut().for_each(MemberNode::kill);
        if let Some(etcd) = &mut self.etcd {
            let _ = etcd.kill();
            let _ = etcd.wait();
        }
        for node in &self.nodes {
            let _ = Command::new("ip").args(["link", "del", &node.near]).output();
            node.remove_groups();
        }
        let _ = Command::new("ip").args(["link", "del", &format!("e2eb{}", self.world.number())]).output();
    }
}

fn address(world: &World, number: u8) -> String {
    format!("10.87.{}.{number}", world.number())
}

fn engine(world: &World) -> String {
    format!("http://{}:2379", address(world, 254))
}

fn start_etcd(world: &World) -> Child {
    let peer = format!("http://{}:2380", address(world, 254));
    let data = world.path("etcd");
    let log = File::create(world.path("etcd.log")).unwrap();
    let mut etcd = Command::new("setpriv");
    etcd.args(["--pdeathsig", "KILL", "etcd", "--name", "e", "--logger", "zap", "--data-dir"])
        .arg(&data)
        .args(["--listen-client-urls", &engine(world), "--advertise-client-urls", &engine(world)])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("e={peer}"), "--heartbeat-interval", "10", "--election-timeout", "100"])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    etcd.spawn().unwrap()
}

impl MemberNode {
    fn launch(
        world: &World,
        name: String,
        directory: PathBuf,
        (near, far, address, bridge): (String, String, String, String),
    ) -> MemberNode {
        let ready = directory.join("ready");
        let _ = fs::remove_file(&ready);
        // Otherwise the current mounts of other worlds would stay in use here.
        let script = format!(
            "set -e\ncut -d ' ' -f 5 /proc/self/mountinfo | while read -r at; do case $at in {w}/*) ;; \
             {theirs}*) umount -l \"$at\" 2>/dev/null || : ;; esac; done\nip link set lo up\n: >{ready}\nexec sleep 3600\n",
            w = world.directory().display(),
            theirs = std::env::temp_dir().join("hostler-e2e-").display(),
            ready = ready.display(),
        );
        let script = world.write(&format!("{name}/boot"), &script);
        let mut launcher = Command::new("unshare");
        launcher
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"])
            .arg("/bin/sh")
            .arg(&script)
            .stdin(Stdio::null())
            // It complains about a signal that it does not know.
            .stderr(Stdio::null());
        let launcher = launcher.spawn().unwrap();
        until("the node has its namespaces", || ready.exists());
        let children = Command::new("pgrep").args(["-P", &launcher.id().to_string()]).output().unwrap();
        let init: i32 = String::from_utf8_lossy(&children.stdout).trim().parse().unwrap();
        let network = Arc::new(File::open(format!("/proc/{init}/ns/net")).unwrap());
        MemberNode { name, directory, near, far, address, bridge, network, launcher, init: Pid::from_raw(init) }
    }

    fn connect(&mut self) {
        let MemberNode { near, far, bridge, init, .. } = &*self;
        ip(&format!("link add {near} type veth peer name {far}"));
        ip(&format!("link set {near} master {bridge} up"));
        ip(&format!("link set {far} netns {init}"));
        self.must(&format!("ip link set {far} name eth0"));
        self.must(&format!("ip address add {}/24 dev eth0", self.address));
        self.must("ip link set eth0 up");
    }

    /// Nothing passes between this node and the others.
    pub(crate) fn cut_off(&self) {
        ip(&format!("link set {} down", self.near));
    }

    pub(crate) fn reconnect(&self) {
        ip(&format!("link set {} up", self.near));
    }

    pub(crate) fn kill(&mut self) {
        // The kernel kills all processes of the namespace along with the first.
        let _ = kill(self.init, Signal::SIGKILL);
        let _ = self.launcher.wait();
    }

    /// What ends it as a whole, from outside: its processes, and what its kernel would answer still.
    pub(crate) fn plug(&self) -> impl Fn() + Send + 'static {
        let (init, network, near) = (self.init, Arc::clone(&self.network), self.near.clone());
        move || {
            // The number of a process that has ended may be another's by now.
            let own = network.metadata().map(|own| own.ino()).ok();
            let seen = fs::metadata(format!("/proc/{init}/ns/net")).map(|seen| seen.ino()).ok();
            if seen.is_some() && own == seen {
                let _ = kill(init, Signal::SIGKILL);
            }
            ip(&format!("link set {near} down"));
            // The network outlives the processes here, which that of a machine does not.
            let network = format!("--net=/proc/{}/fd/{}", std::process::id(), network.as_raw_fd());
            let _ = Command::new("nsenter").args([&network, "ip", "address", "flush", "dev", "eth0"]).status();
        }
    }

    /// A command in the namespaces of the node.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let target = self.init.to_string();
        command.args(["--mount", "--net", "--pid", "--target", &target, program]).stdin(Stdio::null());
        command
    }

    /// Where others reach it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A file of its agent.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join("root").join(name)
    }

    /// Runs `om` there, and kills it as soon as that file of the agent is there. Whether it was killed before it had ended.
    pub(crate) fn om_until(&self, world: &World, line: &str, file: &str) -> bool {
        let mut om = self.om_command(world, line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let file = self.file(file);
        until("the step is reached", || file.exists() || om.try_wait().unwrap().is_some());
        let ended = om.try_wait().unwrap().is_some();
        // nsenter waits for its child, which is om: to kill the parent would leave it running.
        let children = Command::new("pgrep").args(["-P", &om.id().to_string()]).output().unwrap();
        for child in String::from_utf8_lossy(&children.stdout).split_whitespace() {
            let _ = kill(Pid::from_raw(child.parse().unwrap()), Signal::SIGKILL);
        }
        let _ = om.wait();
        !ended
    }

    /// Runs `om` there, and kills it after so long.
    pub(crate) fn om_for(&self, world: &World, line: &str, time: Duration) {
        let mut om = self.om_command(world, line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(time);
        let children = Command::new("pgrep").args(["-P", &om.id().to_string()]).output().unwrap();
        for child in String::from_utf8_lossy(&children.stdout).split_whitespace() {
            let _ = kill(Pid::from_raw(child.parse().unwrap()), Signal::SIGKILL);
        }
        let _ = om.wait();
    }

    /// Its member of the engine dies, and its data are gone.
    pub(crate) fn lose_engine(&self) {
        let process: Value = serde_json::from_slice(&fs::read(self.file("run/etcd")).unwrap()).unwrap();
        fs::remove_dir_all(self.file("var/cluster/etcd")).unwrap();
        self.must(&format!("kill -KILL {}", process["pid"]));
    }

    #[track_caller]
    pub(crate) fn must(&self, line: &str) {
        let mut words = line.split_whitespace();
        let output = self.command(words.next().unwrap()).args(words).output().unwrap();
        assert!(output.status.success(), "{}: {line}: {}", self.name, String::from_utf8_lossy(&output.stderr));
    }

    fn om_command(&self, world: &World, line: &str) -> Command {
        let mut om = self.command(OM);
        om.args(line.split_whitespace());
        let of_world = world.command();
        om.envs(of_world.get_envs().filter_map(|(name, value)| Some((name, value?))));
        om.env("HOSTLER_NODENAME", &self.name).env("HOSTLER_ROOT", self.directory.join("root"));
        om
    }

    /// Runs `om` there.
    pub(crate) fn om(&self, world: &World, line: &str) -> Ran {
        Ran::new(&format!("{}: om {line}", self.name), self.om_command(world, line).output().unwrap())
    }

    /// Starts its daemon, which goes on by itself.
    pub(crate) fn start_daemon(&self, world: &World) {
        self.om(world, "daemon start").ok();
    }

    pub(crate) fn until_ready(&self, world: &World) {
        until("the daemon is ready", || {
            self.status(world)["cluster"]["node"][&self.name]["daemon"]["state"] == "running"
        });
    }

    /// What its daemon knows. Null: it does not answer.
    pub(crate) fn status(&self, world: &World) -> Value {
        serde_json::from_str(&self.om(world, "daemon status --format json").stdout).unwrap_or_default()
    }

    /// The avail state of an instance, as this node's daemon knows it.
    pub(crate) fn sees(&self, world: &World, node: &str, object: &str) -> String {
        let status = self.status(world);
        let avail = &status["cluster"]["node"][node]["instance"][object]["status"]["avail"];
        avail.as_str().unwrap_or("?").to_owned()
    }

    fn remove_groups(&self) {
        let home = agent::Directories::under(&self.directory.join("root"));
        let Some(slice) = agent::node::paths::control_group(&home) else { return };
        remove_group(&slice);
    }
}

fn remove_group(group: &Path) {
    let inner = fs::read_dir(group).into_iter().flatten().flatten().map(|entry| entry.path());
    inner.filter(|path| path.is_dir()).for_each(|path| remove_group(&path));
    let _ = fs::remove_dir(group);
}

/// Where the observer saw the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) at: Instant,
    /// The nodes that had the address.
    pub(crate) nodes: Vec<String>,
    /// How many processes of the service there were.
    pub(crate) processes: usize,
}

/// Looks every 50 ms at the kernel, and asks no agent.
pub(crate) struct Observer {
    sightings: Arc<Mutex<Vec<Sighting>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Observer {
    fn start(networks: Vec<(String, Arc<File>)>, address: String, process: String) -> Observer {
        let (sightings, ends) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, over) = (Arc::clone(&sightings), Arc::clone(&ends));
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let at = Instant::now();
                let nodes: Vec<String> = networks
                    .iter()
                    .filter(|(_, network)| has_address(network, &address))
                    .map(|(name, _)| name.clone())
                    .collect();
                seen.lock().unwrap().push(Sighting { at, nodes, processes: count(&process) });
                std::thread::sleep(SAMPLE);
            }
        });
        Observer { sightings, ends, thread: Some(thread) }
    }

    /// The node that has the address, if there is one.
    pub(crate) fn holder(&self) -> Option<String> {
        self.sightings.lock().unwrap().last().and_then(|last| last.nodes.first().cloned())
    }

    /// All that was seen after that time.
    pub(crate) fn since(&self, after: Instant) -> Vec<Sighting> {
        self.sightings.lock().unwrap().iter().filter(|seen| seen.at > after).cloned().collect()
    }

    /// When a node was first seen with the address after that time.
    pub(crate) fn seen_on(&self, node: &str, after: Instant) -> Option<Instant> {
        let sightings = self.sightings.lock().unwrap();
        let has = |seen: &&Sighting| seen.at > after && seen.nodes.iter().any(|name| name == node);
        sightings.iter().find(has).map(|seen| seen.at)
    }

    /// A machine that was switched on again has another network.
    pub(crate) fn end(mut self) -> Vec<Sighting> {
        self.stop();
        std::mem::take(&mut *self.sightings.lock().unwrap())
    }

    fn stop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether an address is in a network namespace, as the kernel lists it. The thread stays in that namespace.
fn has_address(network: &File, address: &str) -> bool {
    if setns(network.as_fd(), CloneFlags::CLONE_NEWNET).is_err() {
        return false;
    }
    let table = fs::read_to_string("/proc/thread-self/net/fib_trie").unwrap_or_default();
    table.lines().any(|line| line.trim_start_matches([' ', '|', '-']) == address)
}

/// How many processes have exactly these arguments.
fn count(line: &str) -> usize {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let words = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    words.filter(|words| String::from_utf8_lossy(words).trim_end_matches('\0').replace('\0', " ") == line).count()
}
