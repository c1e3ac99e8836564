//! Several nodes on one machine: each in network and mount namespaces of its own, with its own files of the agent, and a real
//! sshd. The keys are generated for the test and kept in the world's directory, like everything else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::network::ip;
use crate::ran::Ran;
use crate::world::{World, until};

/// The parts of the world's directory that the nodes do not share.
const OWN: [&str; 3] = ["root", "backup", "bin"];

pub(crate) struct Cluster<'w> {
    world: &'w World,
    pub(crate) nodes: Vec<Node>,
}

/// A node: a process that keeps its namespaces, and its sshd.
pub(crate) struct Node {
    pub(crate) name: String,
    /// The path of the node's own part of the world's directory, as seen from outside.
    directory: PathBuf,
    world: PathBuf,
    keeper: Child,
    sshd: Option<Child>,
}

impl Cluster<'_> {
    /// Nodes n1 to n`count`. None, after printing why, if sshd is not installed.
    pub(crate) fn new(world: &World, count: u8) -> Option<Cluster<'_>> {
        if !Path::new("/usr/sbin/sshd").exists() {
            println!("cluster: skipped: sshd is not installed");
            return None;
        }
        let mut cluster = Cluster { world, nodes: Vec::new() };
        let names: Vec<String> = (1..=count).map(|number| format!("n{number}")).collect();
        cluster.make_keys(&names);
        ip(&format!("link add {} type bridge", cluster.bridge()));
        ip(&format!("link set {} up", cluster.bridge()));
        for (number, name) in (1..).zip(&names) {
            cluster.add_node(number, name);
        }
        Some(cluster)
    }

    pub(crate) fn node(&mut self, name: &str) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.name == name).unwrap()
    }

    fn bridge(&self) -> String {
        format!("e2eb{}", self.world.number())
    }

    fn address(&self, number: u8) -> String {
        format!("10.89.{}.{number}", self.world.number())
    }

    /// One pair of keys for all clients, one for all servers.
    fn make_keys(&self, names: &[String]) {
        let ssh = self.world.path("ssh");
        fs::create_dir(&ssh).unwrap();
        for key in ["id", "host"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"]).arg(ssh.join(key));
            assert!(keygen.status().unwrap().success());
        }
        let host = self.world.read("ssh/host.pub");
        let known: String = names.iter().map(|name| format!("{name} {host}")).collect();
        self.world.write("ssh/known_hosts", &known);
        let hosts: String =
            (1..).zip(names).map(|(number, name)| format!("{} {name}\n", self.address(number))).collect();
        self.world.write("ssh/hosts", &format!("127.0.0.1 localhost\n{hosts}"));
        let client = "Host *\nUser root\nIdentityFile {w}/ssh/id\nIdentitiesOnly yes\nUserKnownHostsFile {w}/ssh/known_hosts\n\
                      GlobalKnownHostsFile /dev/null\n";
        self.world.write("ssh/ssh_config", &self.world.fill(client));
        let server = "HostKey {w}/ssh/host\nAuthorizedKeysFile {w}/ssh/id.pub\nPidFile none\nStrictModes no\nUsePAM no\n\
                      PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel ERROR\n";
        self.world.write("ssh/sshd_config", &self.world.fill(server));
    }

    fn add_node(&mut self, number: u8, name: &str) {
        let directory = self.world.path(&format!("of-{name}"));
        // Otherwise the current mounts of other worlds would stay in use here.
        let theirs = std::env::temp_dir().join("hostler-e2e-");
        let mut script = format!(
            "set -e\ncut -d ' ' -f 5 /proc/self/mountinfo | while read -r at; do case $at in {{w}}/*) ;; \
             {}*) umount -l \"$at\" 2>/dev/null || : ;; esac; done\n",
            theirs.display()
        );
        for own in OWN {
            fs::create_dir_all(directory.join(own)).unwrap();
            fs::create_dir_all(self.world.path(own)).unwrap();
            script += &format!("mount --bind {{w}}/of-{name}/{own} {{w}}/{own}\n");
        }
        script += "mount --bind {w}/ssh/hosts /etc/hosts\nmount --bind {w}/ssh/ssh_config /etc/ssh/ssh_config\n\
                   mount -t tmpfs none /run\nmkdir /run/sshd\nip link set lo up\n";
        script += &format!(": >{{w}}/of-{name}/ready\nexec sleep 3600\n");
        let script = self.world.write(&format!("of-{name}/boot"), &self.world.fill(&script));
        let mut keeper = Command::new("unshare");
        keeper.args(["--net", "--mount", "--propagation", "private", "/bin/sh"]).arg(&script).stdin(Stdio::null());
        let keeper = keeper.spawn().unwrap();
        until("the node has its namespaces", || directory.join("ready").exists());
        let (near, far) =
            (format!("e2e{}n{number}", self.world.number()), format!("e2e{}f{number}", self.world.number()));
        ip(&format!("link add {near} type veth peer name {far}"));
        ip(&format!("link set {near} master {} up", self.bridge()));
        ip(&format!("link set {far} netns {}", keeper.id()));
        let world = self.world.directory().to_owned();
        let mut node = Node { name: name.to_owned(), directory, world, keeper, sshd: None };
        node.must(&format!("ip address add {}/24 dev {far}", self.address(number)));
        node.must(&format!("ip link set {far} up"));
        node.listen();
        self.nodes.push(node);
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            node.fall_silent();
            let _ = node.keeper.kill();
            let _ = node.keeper.wait();
        }
        let _ = Command::new("ip").args(["link", "del", &self.bridge()]).output();
    }
}

impl Node {
    /// A command in the namespaces of the node.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.commands(program)()
    }

    /// The same, for callers that go on without the node.
    pub(crate) fn commands(&self, program: &str) -> Box<dyn Fn() -> Command> {
        let program = program.to_owned();
        let (keeper, directory) = (self.keeper.id().to_string(), format!("--wd={}", self.world.display()));
        Box::new(move || {
            let mut command = Command::new("nsenter");
            command.args(["--mount", "--net", "--target", &keeper, &directory, &program]).stdin(Stdio::null());
            command
        })
    }

    /// Runs a line of words there, which must succeed.
    #[track_caller]
    pub(crate) fn must(&self, line: &str) -> String {
        let mut words = line.split_whitespace();
        let output = self.command(words.next().unwrap()).args(words).output().unwrap();
        assert!(output.status.success(), "{}: {line}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `om` there.
    pub(crate) fn om(&self, world: &World, line: &str) -> Ran {
        Ran::new(&format!("{}: om {line}", self.name), self.om_command(world, line).output().unwrap())
    }

    /// The command that runs `om` there.
    pub(crate) fn om_command(&self, world: &World, line: &str) -> Command {
        let mut om = self.command(crate::world::OM);
        om.args(line.split_whitespace()).env("HOSTLER_NODENAME", &self.name);
        let of_world = world.command();
        let environment = of_world.get_envs().filter(|(name, _)| *name != "HOSTLER_NODENAME");
        om.envs(environment.filter_map(|(name, value)| Some((name, value?))));
        om
    }

    /// A resource of an object, as the node sees it.
    pub(crate) fn resource(&self, world: &World, object: &str, rid: &str) -> Value {
        let ran = self.om(world, &format!("{object} print status --format json --refresh")).ok();
        let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
        let status = if value.is_array() { &value[0] } else { &value };
        status["resources"][rid].clone()
    }

    /// A file of the node's own part of the directory.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.join(name)).unwrap_or_default()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.directory.join(name).exists()
    }

    /// Starts its sshd, and waits until it answers.
    pub(crate) fn listen(&mut self) {
        let mut sshd = self.command("/usr/sbin/sshd");
        sshd.args(["-D", "-e", "-f", "ssh/sshd_config"]);
        self.sshd = Some(sshd.spawn().unwrap());
        until("sshd listens", || self.must("ss -Hltn sport = :22").contains(":22"));
    }

    /// Stops its sshd: the node can no longer be reached.
    pub(crate) fn fall_silent(&mut self) {
        if let Some(mut sshd) = self.sshd.take() {
            let _ = sshd.kill();
            let _ = sshd.wait();
        }
    }
}
