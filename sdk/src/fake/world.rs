//! The state of an in-memory host. It is plain data; [`super::Host`] controls the changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use crate::bindings::hostler::driver::block::{Device, Signature};
use crate::bindings::hostler::driver::http::Response;
use crate::bindings::hostler::driver::mount::{MountEntry, Usage};
use crate::bindings::hostler::driver::net::{Address, Link, Route};
use crate::bindings::hostler::driver::netns::Contents;
use crate::bindings::hostler::driver::process::{Command, ProcessInfo, ProgramExit};
use crate::process::Output;
use crate::{CapabilityError, files::FileKind};

use super::Host;
use super::ledger::FakeHolding;

/// A line that the driver logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The level, such as `info`.
    pub level: String,
    /// The text.
    pub text: String,
}

/// One run of a faked program.
pub struct ProgramRun<'a> {
    /// The host that the program runs on, to change what the real program would change.
    pub host: &'a Host,
    /// The arguments, without the program.
    pub args: &'a [String],
    /// The content of the standard input.
    pub stdin: &'a [u8],
    /// The whole command.
    pub command: &'a Command,
}

/// The behaviour of a faked program.
pub(crate) type FakeProgram = Rc<dyn Fn(&ProgramRun<'_>) -> Output>;

/// A request to a faked server.
pub struct ServerRequest<'a> {
    /// The host that sends the request, to change what the real server would change on it.
    pub host: &'a Host,
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The whole URL, or `unix:` followed by the socket and the request's path.
    pub to: &'a str,
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: &'a [u8],
}

/// The response of a faked server.
pub struct ServerResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers: names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The behaviour of a faked server. If it returns an error, the capability reports that instead of a response.
pub(crate) type FakeServer = Rc<dyn Fn(&ServerRequest<'_>) -> Result<ServerResponse, CapabilityError>>;

/// The containers of a faked engine, as the host sees and stops them by itself.
pub trait FakeContainers {
    /// Whether a process of the container runs.
    fn runs(&self, id: &str) -> bool;

    /// Stops it with this grace. False if it did not run.
    fn stop(&self, id: &str, grace: Duration) -> Result<bool, CapabilityError>;
}

/// A file or directory of the in-memory tree.
#[derive(Debug, Clone)]
pub(crate) struct FileNode {
    pub(crate) kind: FileKind,
    pub(crate) content: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) user: String,
    pub(crate) group: String,
}

impl FileNode {
    pub(crate) fn of(kind: FileKind, size: u64, mode: u32) -> FileNode {
        FileNode { kind, content: Vec::new(), size, mode, user: "root".to_owned(), group: "root".to_owned() }
    }
}

/// A volume, which is an object of its own.
#[derive(Debug, Clone, Default)]
pub struct FakeVolume {
    /// Whether it is up.
    pub is_up: bool,
    /// Whether it is provisioned.
    pub is_provisioned: bool,
    /// Where it is mounted while it is up.
    pub mount_point: Option<String>,
    /// Its devices while it is up.
    pub devices: Vec<String>,
    /// The resources that use it.
    pub users: BTreeSet<String>,
    /// The resource that it was made for.
    pub made_for: Option<String>,
    /// What was asked of the pool.
    pub request: Vec<String>,
    /// What the next installation writes.
    pub to_install: Vec<String>,
    /// Why every action on it fails.
    pub fault: Option<String>,
}

/// A network interface and its addresses.
#[derive(Debug, Clone)]
pub(crate) struct NetworkInterface {
    pub(crate) link: Link,
    pub(crate) addresses: Vec<Address>,
}

/// A call of a capability by the driver.
#[derive(Debug, Clone)]
pub(crate) struct CapabilityCall {
    /// The function, such as `block.attach-loop`.
    pub(crate) name: &'static str,
    /// Its first arguments, as text for assertions.
    pub(crate) subject: String,
}

/// An error that a capability returns until the host is healed.
#[derive(Debug, Clone)]
pub(crate) struct InjectedFailure {
    pub(crate) call: String,
    pub(crate) error: CapabilityError,
}

/// The whole state of a host.
#[derive(Default)]
pub(crate) struct HostState {
    pub(crate) files: BTreeMap<String, FileNode>,
    /// By the path of the device or image file.
    pub(crate) signatures: BTreeMap<String, Signature>,
    pub(crate) devices: BTreeMap<String, Device>,
    /// The ids of devices of device-mapper and of arrays, by their paths.
    pub(crate) identities: BTreeMap<String, String>,
    /// The backing files of loop devices, by the paths of the devices.
    pub(crate) loops: BTreeMap<String, String>,
    pub(crate) mounts: Vec<MountEntry>,
    pub(crate) unsupported: BTreeSet<String>,
    /// Devices, backing files and mount points that are in use, and until which time since the boot.
    pub(crate) busy: BTreeMap<String, u64>,
    pub(crate) usage: BTreeMap<String, Usage>,
    /// Mount points that never answer statfs(2).
    pub(crate) hung: BTreeSet<String>,
    /// The errors that the file system on a mount point has counted.
    pub(crate) disk_errors: BTreeMap<String, u64>,
    /// Symbolic links to directories.
    pub(crate) symlinks: BTreeMap<String, String>,
    pub(crate) links: BTreeMap<String, NetworkInterface>,
    /// Network namespaces, by the names that drivers use for them.
    pub(crate) namespaces: BTreeMap<String, Contents>,
    /// Interfaces that were moved into a namespace, by the namespace.
    pub(crate) lent: BTreeMap<String, NetworkInterface>,
    pub(crate) names: BTreeMap<String, Vec<String>>,
    /// Addresses that other hosts have.
    pub(crate) neighbours: BTreeSet<String>,
    pub(crate) routes: Vec<Route>,
    pub(crate) programs: BTreeMap<String, FakeProgram>,
    /// Command lines that only read.
    pub(crate) looking: BTreeSet<String>,
    pub(crate) processes: Vec<ProcessInfo>,
    /// Programs that exit as soon as they are spawned.
    pub(crate) exiting: BTreeMap<String, ProgramExit>,
    /// Those that did, by pid.
    pub(crate) exited: BTreeMap<u32, ProgramExit>,
    /// By the prefix of the URLs that they serve.
    pub(crate) servers: Vec<(String, FakeServer)>,
    /// The containers of engines, by the sockets of these.
    pub(crate) containers: BTreeMap<String, Rc<dyn FakeContainers>>,
    pub(crate) answers: BTreeMap<String, VecDeque<Response>>,
    pub(crate) state: BTreeMap<(String, String), String>,
    pub(crate) volumes: BTreeMap<String, FakeVolume>,
    /// The lines that calls are held against. None outside of a call of a driver.
    pub(in crate::fake) held: Option<super::grants::DriverGrants>,
    /// What calls of drivers made and nothing has undone.
    pub(crate) holdings: Vec<FakeHolding>,
    /// The number of the next holding.
    pub(crate) next_holding: u64,
    /// The resource whose driver is running.
    pub(crate) rid: String,
    /// Whether the operator passed `--adopt`.
    pub(crate) adopting: bool,
    pub(crate) boot_ms: u64,
    pub(crate) cancelled: bool,
    pub(crate) log: Vec<LogLine>,
    pub(crate) calls: Vec<CapabilityCall>,
    /// The number of calls that have changed something.
    pub(crate) changes: u32,
    pub(crate) failures: Vec<InjectedFailure>,
    /// The number of changing calls that still succeed before all of them fail with this error.
    pub(crate) cut: Option<(u32, CapabilityError)>,
    /// The verb that is running, if it may only read.
    pub(crate) reading: Option<&'static str>,
    /// Programs, and the capabilities(7) that each needs.
    pub(in crate::fake) needs: BTreeSet<(String, String)>,
    /// Whether the driver comes with the agent.
    pub(in crate::fake) built_in: bool,
    /// The grants of the driver that is running.
    pub(crate) grants: &'static [&'static str],
}

impl HostState {
    /// The path whose content a device shows: a loop device shows its backing file.
    pub(crate) fn backing<'a>(&'a self, path: &'a str) -> &'a str {
        // A loop device shows its file, so that a signature written through the device is found in the file.
        self.loops.get(path).map_or(path, String::as_str)
    }

    /// Whether a device, backing file or mount point is in use.
    pub(crate) fn is_busy(&self, what: &str) -> bool {
        self.busy.get(what).is_some_and(|until| self.boot_ms < *until)
    }

    /// The topmost mount of a mount point.
    pub(crate) fn mount_of(&self, target: &str) -> Option<usize> {
        self.mounts.iter().rposition(|entry| entry.target == target)
    }

    /// Creates the directories above a path.
    pub(crate) fn make_parents(&mut self, path: &str) {
        let above = std::path::Path::new(path).ancestors().skip(1);
        for directory in above.filter_map(std::path::Path::to_str) {
            // A directory that is there already keeps its mode and owner.
            self.files.entry(directory.to_owned()).or_insert_with(|| FileNode::of(FileKind::Directory, 4096, 0o755));
        }
    }

    /// Whether a directory has entries.
    pub(crate) fn has_children(&self, path: &str) -> bool {
        let below = format!("{}/", path.trim_end_matches('/'));
        // The path of the root begins with itself, but is not below it.
        self.files.keys().any(|known| known.starts_with(&below) && known.len() > below.len())
    }
}
