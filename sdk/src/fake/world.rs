//! What an in-memory host is made of. Plain data: who may change it is [`super::Host`]'s business.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use crate::bindings::hostler::driver::block::{Device, Signature};
use crate::bindings::hostler::driver::http::Response;
use crate::bindings::hostler::driver::mount::{MountEntry, Usage};
use crate::bindings::hostler::driver::net::{Address, Link, Route};
use crate::bindings::hostler::driver::netns::Contents;
use crate::bindings::hostler::driver::process::{Command, ProcessInfo};
use crate::process::Output;
use crate::{CapabilityError, files::FileKind};

use super::Host;

/// A line that the driver logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `info`.
    pub level: String,
    /// The line.
    pub text: String,
}

/// One run of a faked program.
pub struct Run<'a> {
    /// The host it runs on, to change what the program would change.
    pub host: &'a Host,
    /// Its arguments, without its own name.
    pub args: &'a [String],
    /// What it reads.
    pub stdin: &'a [u8],
    /// All that was asked for.
    pub command: &'a Command,
}

/// What a faked program does.
pub(crate) type Program = Rc<dyn Fn(&Run<'_>) -> Output>;

/// A request to a faked server.
pub struct Asked<'a> {
    /// The host that asks, to change what the server would change on it.
    pub host: &'a Host,
    /// `GET`
    pub method: &'a str,
    /// The whole address, or `unix:` and the socket and the request's path.
    pub to: &'a str,
    /// Their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// All of it.
    pub body: &'a [u8],
}

/// The answer of a faked server.
pub struct Served {
    /// Of HTTP.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

/// What a faked server does. An error is what the capability reports instead of an answer.
pub(crate) type Server = Rc<dyn Fn(&Asked<'_>) -> Result<Served, CapabilityError>>;

/// A path of the in-memory tree.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: FileKind,
    pub(crate) content: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) user: String,
    pub(crate) group: String,
}

impl Node {
    pub(crate) fn of(kind: FileKind, size: u64, mode: u32) -> Node {
        Node { kind, content: Vec::new(), size, mode, user: "root".to_owned(), group: "root".to_owned() }
    }
}

/// A network interface and what it carries.
#[derive(Debug, Clone)]
pub(crate) struct Interface {
    pub(crate) link: Link,
    pub(crate) addresses: Vec<Address>,
}

/// A call of a capability.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// `block.attach-loop`.
    pub(crate) name: &'static str,
    /// Its first arguments, for people.
    pub(crate) subject: String,
}

/// A capability that fails until the host is healed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) call: String,
    pub(crate) error: CapabilityError,
}

/// All of it.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) files: BTreeMap<String, Node>,
    /// By device or image file.
    pub(crate) signatures: BTreeMap<String, Signature>,
    pub(crate) devices: BTreeMap<String, Device>,
    /// Loop devices: their backing files by their paths.
    pub(crate) loops: BTreeMap<String, String>,
    pub(crate) mounts: Vec<MountEntry>,
    pub(crate) unsupported: BTreeSet<String>,
    /// Devices, backing files and mount points that somebody holds, and until which time since the boot.
    pub(crate) busy: BTreeMap<String, u64>,
    pub(crate) usage: BTreeMap<String, Usage>,
    /// Mount points that never answer.
    pub(crate) hung: BTreeSet<String>,
    pub(crate) links: BTreeMap<String, Interface>,
    /// Network namespaces, by how drivers name them.
    pub(crate) namespaces: BTreeMap<String, Contents>,
    /// Interfaces that were lent to a namespace.
    pub(crate) lent: BTreeMap<String, Interface>,
    pub(crate) names: BTreeMap<String, Vec<String>>,
    /// Addresses that other hosts answer for.
    pub(crate) neighbours: BTreeSet<String>,
    pub(crate) routes: Vec<Route>,
    pub(crate) programs: BTreeMap<String, Program>,
    /// Command lines that only look.
    pub(crate) looking: BTreeSet<String>,
    pub(crate) processes: Vec<ProcessInfo>,
    /// By what the addresses that they serve begin with.
    pub(crate) servers: Vec<(String, Server)>,
    pub(crate) answers: BTreeMap<String, VecDeque<Response>>,
    pub(crate) state: BTreeMap<(String, String), String>,
    pub(crate) boot_ms: u64,
    pub(crate) cancelled: bool,
    pub(crate) log: Vec<LogLine>,
    pub(crate) calls: Vec<Call>,
    /// How many calls changed something.
    pub(crate) changes: u32,
    pub(crate) failures: Vec<Failure>,
    /// After how many more changing calls all of them fail, and how.
    pub(crate) cut: Option<(u32, CapabilityError)>,
    /// The verb that may only read, while one runs.
    pub(crate) reading: Option<&'static str>,
    /// The grants of the driver that is called.
    pub(crate) grants: &'static [&'static str],
}

impl World {
    /// The device whose content is asked for: a loop device shows its file.
    pub(crate) fn backing<'a>(&'a self, path: &'a str) -> &'a str {
        self.loops.get(path).map_or(path, String::as_str)
    }

    /// Whether somebody holds a device, backing file or mount point.
    pub(crate) fn is_busy(&self, what: &str) -> bool {
        self.busy.get(what).is_some_and(|until| self.boot_ms < *until)
    }

    /// The topmost mount of a mount point.
    pub(crate) fn mount_of(&self, target: &str) -> Option<usize> {
        self.mounts.iter().rposition(|entry| entry.target == target)
    }

    /// Makes the directories above a path.
    pub(crate) fn make_parents(&mut self, path: &str) {
        let above = std::path::Path::new(path).ancestors().skip(1);
        for directory in above.filter_map(std::path::Path::to_str) {
            self.files.entry(directory.to_owned()).or_insert_with(|| Node::of(FileKind::Directory, 4096, 0o755));
        }
    }

    /// Whether anything lies below a directory.
    pub(crate) fn has_children(&self, path: &str) -> bool {
        let below = format!("{}/", path.trim_end_matches('/'));
        self.files.keys().any(|known| known.starts_with(&below) && known.len() > below.len())
    }
}
