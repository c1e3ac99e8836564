//! The operations that need a permit, one struct each. What a capability is about to do, with every argument that a
//! grant can restrict.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

/// Whether an operation changes anything. `status` and `validate` may only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Looks.
    Read,
    /// Changes something.
    Mutate,
}

/// Look at a path. Grant `files.read` or `files.write`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPath {
    /// Absolute.
    pub path: PathBuf,
}

/// Make, change or remove a path. Grant `files.write`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritePath {
    /// Absolute.
    pub path: PathBuf,
}

/// Remove a directory and everything below it. Grant `files.write` that ends in `/**`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteTree {
    /// Absolute.
    pub path: PathBuf,
}

/// Look at what is mounted on a target. Grant `mount`, of any source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeMount {
    /// The mount point.
    pub target: PathBuf,
}

/// Mount. Grant `mount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// As in /proc/filesystems, or `bind`.
    pub fstype: String,
    /// Device, directory, or a word.
    pub source: String,
    /// The mount point.
    pub target: PathBuf,
    /// As in mount(8).
    pub options: Vec<String>,
}

/// Unmount. Grant `mount`, of any source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmount {
    /// The mount point.
    pub target: PathBuf,
}

/// Look at a block device, or at an image file as at one. Grant `block.read` or `block.loop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadDevice {
    /// As asked: a device path, `LABEL=x` or `UUID=x`.
    pub path: String,
}

/// See which loop device a file backs. Grant `block.loop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeLoop {
    /// The backing file.
    pub file: PathBuf,
}

/// Attach or detach a loop device. Grant `block.loop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLoop {
    /// The backing file.
    pub file: PathBuf,
}

/// Look at a link and its addresses. Grant `net.link`, or `net.addr` on that link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeLink {
    /// The interface's name.
    pub dev: String,
}

/// Set a link up. Grant `net.link`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLink {
    /// The interface's name.
    pub dev: String,
}

/// Ask the neighbours whether an address is in use. Grant `net.addr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAddress {
    /// The interface's name.
    pub dev: String,
    /// The address.
    pub address: IpAddr,
}

/// Add, remove or announce an address. Grant `net.addr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeAddress {
    /// The interface's name.
    pub dev: String,
    /// The address with its prefix.
    pub address: IpNet,
}

/// Look a host name up. Grant `net.addr` whose address is that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// A host name or an address.
    pub name: String,
}

/// Look at the routes to a destination. Grant `net.route`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeRoute {
    /// A prefix, or `default`.
    pub destination: String,
}

/// Add or remove a route. Grant `net.route`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRoute {
    /// A prefix, or `default`.
    pub destination: String,
    /// Through which router.
    pub gateway: Option<IpAddr>,
    /// Through which interface.
    pub dev: Option<String>,
}

/// Look at the links, addresses and routes of a network namespace. Grant `netns`, or any of its kin about that namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeNetns {
    /// An absolute path, or the id of the resource whose namespace it is.
    pub netns: String,
}

/// Bring a link into a network namespace. Grant `netns.link`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlugNetns {
    /// `bridge`, `macvlan` or `dedicated`.
    pub mode: String,
    /// The node's interface that it hangs on, or is.
    pub dev: String,
    /// An absolute path, or the id of the resource whose namespace it is.
    pub netns: String,
}

/// Take out of a network namespace what the resource itself brought there. Grant `netns.link`; no policy keeps anybody from
/// it who was let to plug anything there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnplugNetns {
    /// As it was plugged.
    pub mode: String,
    /// The node's interface that it hangs on, or is.
    pub dev: String,
    /// An absolute path, or the id of the resource whose namespace it is.
    pub netns: String,
}

/// Ask the neighbours of a network namespace whether an address is in use. Grant `netns.addr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeNetnsAddress {
    /// The address.
    pub address: IpAddr,
    /// An absolute path, or the id of the resource whose namespace it is.
    pub netns: String,
}

/// Tell the neighbours of a network namespace where an address lives. Grant `netns.addr`, of any prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnounceNetnsAddress {
    /// The address.
    pub address: IpAddr,
    /// An absolute path, or the id of the resource whose namespace it is.
    pub netns: String,
}

/// Add or remove an address within a network namespace. Grant `netns.addr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeNetnsAddress {
    /// The address with its prefix.
    pub address: IpNet,
    /// An absolute path, or the id of the resource whose namespace it is.
    pub netns: String,
}

/// Add or remove a route within a network namespace. Grant `netns.route`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeNetnsRoute {
    /// The route.
    pub route: ChangeRoute,
    /// An absolute path, or the id of the resource whose namespace it is.
    pub netns: String,
}

/// Run a program to its end. Grant `exec`; with `exec(read)` also in status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// Absolute.
    pub program: PathBuf,
    /// Without the program's name.
    pub args: Vec<String>,
    /// The user to run as, where the driver named one.
    pub user: Option<String>,
}

/// Start a program that outlives the call. Grant `spawn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spawn {
    /// Absolute.
    pub program: PathBuf,
    /// Without the program's name.
    pub args: Vec<String>,
    /// The user to run as, where the driver named one.
    pub user: Option<String>,
}

/// See the resource's own processes. Any `spawn` or `exec` grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeProcesses;

/// End the resource's own processes. Any `spawn` or `exec` grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndProcesses;

/// Send a request to a network address. Grant `http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// `GET`, in upper case.
    pub method: String,
    /// The whole address.
    pub url: String,
}

/// Send a request to a unix socket. Grant `http.unix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchUnix {
    /// The socket.
    pub socket: PathBuf,
    /// `GET`, in upper case.
    pub method: String,
    /// The path and query of the request.
    pub path: String,
}

/// Read or write the resource's own state. No grant, but never in `status` and `validate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepState;
