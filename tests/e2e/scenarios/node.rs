//! A node in a network namespace of its own, with neighbours: what a kernel does with addresses and routes, others of this
//! test program cannot disturb.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::network::ip;
use crate::ran::Ran;
use crate::world::World;

/// The node has the links `eth0` and `d0`. Behind them is a router with 10.0.0.1/24 and fd00::1/64, and with 10.9.0.1/24.
pub(crate) struct Node<'w> {
    world: &'w World,
    name: String,
}

impl Node<'_> {
    pub(crate) fn new(world: &World) -> Node<'_> {
        // The names of namespaces are the machine's, on which this program may run twice.
        let node = Node { world, name: format!("e2e{}-{}-node", std::process::id(), world.number()) };
        let router = node.router();
        for namespace in [&node.name, &router] {
            ip(&format!("netns add {namespace}"));
            ip(&format!("-n {namespace} link set lo up"));
        }
        for (near, far) in [("eth0", "p0"), ("d0", "p1")] {
            ip(&format!("-n {} link add {near} type veth peer name {far} netns {router}", node.name));
            ip(&format!("-n {} link set {near} up", node.name));
            ip(&format!("-n {router} link set {far} up"));
        }
        node.behind("addr add 10.0.0.1/24 dev p0");
        node.behind("addr add fd00::1/64 dev p0 nodad");
        node.behind("addr add 10.9.0.1/24 dev p1");
        node
    }

    fn router(&self) -> String {
        self.name.replace("-node", "-router")
    }

    /// Runs ip(8) on the node.
    #[track_caller]
    pub(crate) fn ip(&self, line: &str) -> String {
        ip(&format!("-n {} {line}", self.name))
    }

    /// Runs ip(8) on the router.
    #[track_caller]
    pub(crate) fn behind(&self, line: &str) -> String {
        ip(&format!("-n {} {line}", self.router()))
    }

    /// Sets a sysctl of the node.
    pub(crate) fn set(&self, setting: &str, value: &str) {
        let text = format!("echo {value} > /proc/sys/net/{setting}");
        let mut enter = Command::new("nsenter");
        enter.arg(format!("--net=/run/netns/{}", self.name)).args(["sh", "-c", &text]);
        assert!(enter.status().unwrap().success(), "{text}");
    }

    /// Runs `om` on the node.
    pub(crate) fn om(&self, line: &str) -> Ran {
        self.om_by(&[], line)
    }

    /// Runs `om` on the node, with other contents of /etc/hosts.
    pub(crate) fn om_where(&self, hosts: &str, line: &str) -> Ran {
        let hosts = self.world.write("hosts", hosts);
        let script = format!("mount --bind {} /etc/hosts && exec \"$@\"", hosts.display());
        self.om_by(&["unshare", "-m", "sh", "-c", &script, "sh"], line)
    }

    fn om_by(&self, through: &[&str], line: &str) -> Ran {
        let om = self.world.command();
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.name)).args(through);
        command.arg(om.get_program()).args(line.split_whitespace());
        for (name, value) in om.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.current_dir(self.world.directory()).stdin(Stdio::null()).output().unwrap();
        Ran::new(&format!("om {line}"), output)
    }

    /// Makes an object of the sections.
    pub(crate) fn create(&self, object: &str, sections: &str) {
        let text = format!("[DEFAULT]\nnodes = n1\n{}\n", sections.replace(" | ", "\n"));
        let file = self.world.write(&format!("{object}.conf"), &text);
        self.om(&format!("{object} create --config {}", file.display())).ok();
    }

    /// Asserts the state of a resource, and the words of its status.
    #[track_caller]
    pub(crate) fn is(&self, object: &str, rid: &str, state: &str, words: &str) {
        let ran = self.om(&format!("{object} print status --format json --refresh")).ok();
        let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
        let status = value.get(0).unwrap_or(&value);
        let resource = &status["resources"][rid];
        assert_eq!(resource["status"], state, "{resource:#}");
        assert!(resource.to_string().contains(words), "no {words:?} in {resource:#}");
    }

    /// The addresses of a link, without those that the kernel gives it.
    pub(crate) fn addresses(&self, dev: &str) -> Vec<String> {
        let text = self.ip(&format!("-o addr show dev {dev}"));
        let all = text.lines().filter_map(|line| line.split_whitespace().nth(3)).map(str::to_owned);
        all.filter(|cidr| !cidr.starts_with("fe80")).collect()
    }

    /// Another network namespace of this node.
    pub(crate) fn inner(&self, name: &str) -> InnerNamespace {
        let name = format!("{}-{name}", self.name);
        ip(&format!("netns add {name}"));
        InnerNamespace(name)
    }
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        for name in [self.router(), self.name.clone()] {
            let _ = Command::new("ip").args(["netns", "del", &name]).output();
        }
    }
}

/// A network namespace that resources of the node name in `netns`.
pub(crate) struct InnerNamespace(pub(crate) String);

impl Drop for InnerNamespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}
