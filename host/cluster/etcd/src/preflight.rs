//! What is checked before anything is changed: the program, the address, the ports, the name, the disk.

use std::fs::File;
use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::EtcdProgram;

/// A disk that takes longer for a write makes elections, see etcd's documentation of fdatasync.
const SLOW_DISK: Duration = Duration::from_millis(50);

/// So many writes are measured.
const WRITES: usize = 20;

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub what: &'static str,
    /// `ok`, `warning` or `error`.
    pub state: &'static str,
    pub text: String,
}

impl Finding {
    pub fn ok(what: &'static str, text: impl Into<String>) -> Finding {
        Finding { what, state: "ok", text: text.into() }
    }

    pub fn warning(what: &'static str, text: impl Into<String>) -> Finding {
        Finding { what, state: "warning", text: text.into() }
    }

    pub fn error(what: &'static str, text: impl Into<String>) -> Finding {
        Finding { what, state: "error", text: text.into() }
    }

    pub fn is_error(&self) -> bool {
        self.state == "error"
    }
}

/// What this node is to be in a cluster.
#[derive(Debug, Clone)]
pub struct Preflight<'a> {
    pub node: &'a str,
    pub address: IpAddr,
    /// The ports that must be free. Those that are used already by this cluster's own processes are not among them.
    pub ports: &'a [u16],
    /// The program that is named. None: it is looked for.
    pub program: Option<&'a Path>,
    /// Whether this node is to have a member of a managed engine.
    pub is_managed: bool,
    /// Where the engine's data will be, or what exists above it.
    pub data: &'a Path,
}

impl Preflight<'_> {
    /// Looks at all of it. Blocks.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = vec![self.address(), self.name()];
        findings.extend(self.ports.iter().filter_map(|port| self.port(*port)));
        if self.is_managed {
            findings.extend([self.program(), self.disk()]);
        }
        findings
    }

    fn address(&self) -> Finding {
        let address = self.address;
        if address.is_unspecified() || address.is_loopback() {
            return Finding::error(
                "address",
                format!("{address}: expected one at which the other nodes reach this one"),
            );
        }
        // bind(2) fails with EADDRNOTAVAIL for an address that is not local, and needs no list of interfaces for
        // that. Port 0 takes none of the ports that are checked.
        match UdpSocket::bind(SocketAddr::new(address, 0)) {
            Ok(_) => Finding::ok("address", format!("{address} is this node's")),
            Err(error) => Finding::error("address", format!("{address} is not this node's: {error}")),
        }
    }

    /// A name that leads elsewhere leads operators there. One that is not known to the resolver does no harm: nodes are reached by
    /// their addresses.
    fn name(&self) -> Finding {
        let found: Vec<IpAddr> =
            (self.node, 0).to_socket_addrs().into_iter().flatten().map(|found| found.ip()).collect();
        let is_here = |address: &IpAddr| address.is_loopback() || UdpSocket::bind(SocketAddr::new(*address, 0)).is_ok();
        match found.iter().find(|address| !is_here(address)) {
            Some(other) => Finding::error("name", format!("{} is {other}, which is not this node's", self.node)),
            None if found.is_empty() => Finding::ok("name", format!("{} is not in the resolver", self.node)),
            None => Finding::ok("name", format!("{} is this node", self.node)),
        }
    }

    fn port(&self, port: u16) -> Option<Finding> {
        let error = TcpListener::bind(SocketAddr::new(self.address, port)).err()?;
        // Without the address, that alone is worth a word.
        (error.kind() == std::io::ErrorKind::AddrInUse)
            .then(|| Finding::error("port", format!("{}:{port} is in use by another program", self.address)))
    }

    fn program(&self) -> Finding {
        match EtcdProgram::find(self.program) {
            Err(error) => Finding::error("etcd", crate::member::chain(&error)),
            Ok(EtcdProgram { path, version }) => match version.advice() {
                None => Finding::ok("etcd", format!("{} is etcd {version}", path.display())),
                Some(advice) => Finding::warning("etcd", format!("{} is etcd {version}: {advice}", path.display())),
            },
        }
    }

    fn disk(&self) -> Finding {
        let directory = self.data.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"));
        match slowest_write(directory) {
            Err(error) => Finding::error("disk", format!("cannot write to {}: {error}", directory.display())),
            Ok(time) if time > SLOW_DISK => {
                let text =
                    format!("a write to {} takes {} ms: expected 50 ms at most", directory.display(), time.as_millis());
                Finding::warning("disk", text)
            }
            Ok(time) => Finding::ok(
                "disk",
                format!("a write to {} takes {:.1} ms", directory.display(), time.as_secs_f64() * 1e3),
            ),
        }
    }
}

/// The address of this node towards another one, or towards the rest of the world. The error says which there are to choose from.
pub fn own_address(towards: Option<IpAddr>) -> Result<IpAddr, String> {
    // Nothing is sent: the kernel only chooses a route. The address is one of documentation, RFC 5737.
    let target = towards.unwrap_or(IpAddr::from([192, 0, 2, 1]));
    let any = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let chosen = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(SocketAddr::new(target, 9))?;
        socket.local_addr()
    });
    if let Some(address) = chosen.ok().map(|local| local.ip()).filter(|address| !address.is_loopback()) {
        return Ok(address);
    }
    let table = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    match local_addresses(&table)[..] {
        [only] => Ok(only),
        [] => Err("this node has no address at which others could reach it: name one with --addr".to_owned()),
        ref several => {
            let words: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(format!("this node has several addresses: name one with --addr ({})", words.join(", ")))
        }
    }
}

/// The addresses of this node in a table of the kernel, without those of loopback.
fn local_addresses(table: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    let lines: Vec<&str> = table.lines().map(|line| line.trim_start_matches([' ', '|', '-'])).collect();
    for pair in lines.windows(2) {
        // The kernel prints a leaf of the trie and, in the line below, what it is: `|-- 10.0.0.1`, `/32 host
        // LOCAL`.
        let address = pair[1].starts_with("/32 host LOCAL").then(|| pair[0].parse().ok()).flatten();
        if let Some(address) = address.filter(|address: &IpAddr| !address.is_loopback() && !found.contains(address)) {
            found.push(address);
        }
    }
    found
}

/// How long the slowest of some synchronous writes takes.
fn slowest_write(directory: &Path) -> std::io::Result<Duration> {
    // Without a name (O_TMPFILE), so that a check that is killed leaves nothing beside the data.
    let file: File = tempfile::tempfile_in(directory)?;
    let mut slowest = Duration::ZERO;
    for _ in 0..WRITES {
        let began = Instant::now();
        (&file).write_all(&[0; 2048])?;
        file.sync_data()?;
        slowest = slowest.max(began.elapsed());
    }
    Ok(slowest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_the_node_are_read_from_the_kernel_s_table() {
        let table = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.0.0.0\n        /24 link UNICAST\n     |-- 10.0.0.1\n        \
                     /32 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\nLocal:\n     |-- 10.0.0.1\n        /32 host LOCAL\n";
        assert_eq!(local_addresses(table), ["10.0.0.1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let busy = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, port) = (busy.local_addr().unwrap().ip(), busy.local_addr().unwrap().port());
        let missing = directory.path().join("no-etcd");
        let data = directory.path().join("not/there/yet");
        let preflight = Preflight {
            node: "localhost",
            address,
            ports: &[port],
            program: Some(&missing),
            is_managed: true,
            data: &data,
        };
        let findings = preflight.check();
        let texts = |what: &str| {
            let found = findings.iter().find(|finding| finding.what == what).unwrap();
            (found.state, found.text.clone())
        };
        assert!(texts("address").1.contains("expected one at which the other nodes reach this one"));
        assert_eq!(texts("port"), ("error", format!("127.0.0.1:{port} is in use by another program")));
        assert_eq!(texts("etcd").0, "error");
        assert_ne!(texts("disk").0, "error");
        assert_eq!(texts("name").0, "ok");
        let elsewhere = Preflight { address: "192.0.2.1".parse().unwrap(), ..preflight };
        assert!(elsewhere.check()[0].text.starts_with("192.0.2.1 is not this node's"));
    }
}
