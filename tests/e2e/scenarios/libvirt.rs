//! Libvirt daemons for the tests, which see no files of the machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output};

use crate::cluster::Node;
use crate::world::{World, until};

const NEEDED: [&str; 3] = ["/usr/sbin/libvirtd", "/usr/bin/virsh", "/usr/bin/qemu-system-x86_64"];

/// The minimal settings with which libvirt runs qemu as root, without other daemons.
const QEMU_CONF: &str = "user = \"root\"\ngroup = \"root\"\ndynamic_ownership = 0\nremember_owner = 0\n\
    security_driver = \"none\"\nnamespaces = []\ncgroup_controllers = []\nstdio_handler = \"file\"\n";

/// The identity of the host is given, as there may be none to be found in the machine. Migrations want one each.
const LIBVIRTD_CONF: &str = "unix_sock_dir = \"{sockets}\"\nauth_unix_rw = \"none\"\nauth_unix_ro = \"none\"\n\
    listen_tls = 0\nlisten_tcp = 1\nauth_tcp = \"none\"\nhost_uuid = \"6b6c4a9e-3c2b-4a53-9d56-0a4b1f1d2c{number}\"\n";

/// libvirt wants its users to exist, and keeps its files in fixed places: here, it alone sees these.
const LIBVIRTD: &str = "set -e
hostname {name}
cat /etc/passwd {w}/user >{w}/passwd.{name}
cat /etc/group {w}/groups >{w}/group.{name}
for directory in {directories} /var/lib /var/log /var/cache /etc/libvirt; do mount -t tmpfs none $directory; done
cp {w}/qemu.conf /etc/libvirt/qemu.conf
mount --bind {w}/passwd.{name} /etc/passwd
mount --bind {w}/group.{name} /etc/group
exec /usr/sbin/libvirtd {options} -f {w}/libvirtd.{name} -p {sockets}/pid >{w}/libvirtd.{name}.log 2>&1";

/// A libvirt, and the machines that it runs.
pub(crate) struct Libvirt {
    daemon: Child,
    pub(crate) uri: String,
    virsh: Box<dyn Fn() -> Command>,
}

impl Libvirt {
    /// The name of a program that is missing here, if any.
    pub(crate) fn missing() -> Option<&'static str> {
        NEEDED.into_iter().find(|program| !Path::new(program).exists())
    }

    /// One for the world.
    pub(crate) fn new(world: &World) -> Libvirt {
        let sockets = world.path("libvirt").display().to_string();
        fs::create_dir_all(&sockets).unwrap();
        let script = script(world, "n0", &sockets, "/run", "");
        let daemon = Command::new("unshare").args(["--mount", "--uts", "sh", "-c", &script]).spawn().unwrap();
        let uri = format!("qemu+unix:///system?socket={sockets}/libvirt-sock");
        Libvirt::answering(daemon, uri, Box::new(|| Command::new("virsh")))
    }

    /// One for a node, where libvirts usually answer: to the node, and by tcp to all others.
    pub(crate) fn on(world: &World, node: &Node) -> Libvirt {
        let script = script(world, &node.name, "/run/libvirt", "", "--listen");
        node.must("mkdir -p /run/libvirt");
        let daemon = node.command("unshare").args(["--uts", "sh", "-c", &script]).spawn().unwrap();
        Libvirt::answering(daemon, "qemu:///system".to_owned(), node.commands("virsh"))
    }

    fn answering(daemon: Child, uri: String, virsh: Box<dyn Fn() -> Command>) -> Libvirt {
        let libvirt = Libvirt { daemon, uri, virsh };
        until("libvirt answers", || libvirt.virsh(&["list"]).is_some());
        libvirt
    }

    /// The output of virsh(1), if it succeeds.
    pub(crate) fn virsh(&self, words: &[&str]) -> Option<String> {
        let Output { status, stdout, .. } = (self.virsh)().args(["-c", &self.uri]).args(words).output().unwrap();
        status.success().then(|| String::from_utf8_lossy(&stdout).trim().to_owned())
    }

    /// Keeps it from answering.
    pub(crate) fn freeze(&self) {
        nix::sys::signal::kill(self.pid(), nix::sys::signal::Signal::SIGSTOP).unwrap();
    }

    pub(crate) fn thaw(&self) {
        nix::sys::signal::kill(self.pid(), nix::sys::signal::Signal::SIGCONT).unwrap();
    }

    fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.daemon.id().try_into().unwrap())
    }

    pub(crate) fn state(&self, domain: &str) -> String {
        self.virsh(&["domstate", domain]).unwrap_or_default()
    }

    /// All that are defined, sorted.
    pub(crate) fn domains(&self) -> Vec<String> {
        let all = self.virsh(&["list", "--all", "--name"]).unwrap();
        let all: BTreeSet<&str> = all.lines().collect();
        all.into_iter().map(str::to_owned).collect()
    }
}

fn script(world: &World, name: &str, sockets: &str, directories: &str, options: &str) -> String {
    world.write("qemu.conf", QEMU_CONF);
    world.write("user", "libvirt-qemu:x:64055:64055::/:/bin/false\n");
    world.write("groups", "libvirt-qemu:x:64055:\nkvm:x:64056:\nlibvirt:x:64057:\n");
    let number = name.replace('n', "0");
    let conf = LIBVIRTD_CONF.replace("{sockets}", sockets).replace("{number}", &number);
    world.write(&format!("libvirtd.{name}"), &conf);
    let script = LIBVIRTD.replace("{name}", name).replace("{sockets}", sockets);
    world.fill(&script.replace("{directories}", directories).replace("{options}", options))
}

impl Drop for Libvirt {
    fn drop(&mut self) {
        // SIGTERM lets it exit in order. The world cleans up a machine that a failed test has left.
        self.thaw();
        let _ = nix::sys::signal::kill(self.pid(), nix::sys::signal::Signal::SIGTERM);
        let _ = self.daemon.wait();
    }
}
