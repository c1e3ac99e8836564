//! Holds every call of a driver against its GRANTS: what no line covers fails the test, with the line that is missing. The node would
//! refuse it.
//!
//! A test hands the driver its keywords as values of Rust, so a keyword in a line stands for anything here. That the line names the
//! right keyword shows on the node.

use std::path::PathBuf;

use grant::op::{
    AnnounceNetnsAddress, ChangeAddress, ChangeLink, ChangeLoop, ChangeNetnsAddress, ChangeVolume, FetchUnix, FetchUrl,
    KillProcesses, PlugNetns, ProbeAddress, ProbeNetnsAddress, ReadDevice, ReadPath, SeeLink, SeeLoop, SeeMount,
    SeeNetns, SeeProcesses, SeeRoute, SeeVolume, UnmountTarget, UnplugNetns, WritePath, WriteTree,
};
use grant::{GrantContext, Operation, WideGrants, suggested_request};

use super::Host;
use crate::Context;

/// The lines of a driver, for one resource.
#[derive(Debug)]
pub(super) struct DriverGrants {
    wide: WideGrants,
    context: GrantContext,
}

impl DriverGrants {
    pub(super) fn of(lines: &[&str], context: &Context) -> DriverGrants {
        let context = bound(context);
        match WideGrants::read(lines, &context) {
            Ok(wide) => DriverGrants { wide, context },
            Err(error) => panic!("GRANTS: {error}"),
        }
    }
}

fn bound(context: &Context) -> GrantContext {
    let read = |what: &str, error: &dyn std::fmt::Display| -> ! { panic!("the {what} of the context: {error}") };
    // Without such a variable, a grant on the directory covers no path of a test.
    let directory = |name: &str| PathBuf::from(context.var(name).unwrap_or("/nowhere"));
    GrantContext {
        object: context.object.parse().unwrap_or_else(|error| read("object", &error)),
        rid: context.rid.parse().unwrap_or_else(|error| read("rid", &error)),
        node: context.node.parse().unwrap_or_else(|error| read("node", &error)),
        rundir: directory("rundir"),
        statedir: directory("statedir"),
        config: directory("config"),
        peers: context.peers().iter().filter_map(|peer| peer.parse().ok()).collect(),
    }
}

impl Host {
    /// Fails the test if no line of the driver covers the operation.
    pub(crate) fn hold(&self, name: &str, op: &dyn Operation) {
        let missing = self.change(|world| {
            let held = world.held.as_ref()?;
            let line = held.wide.missing(op)?;
            Some(suggested_request(&line, &held.context, &[]))
        });
        // A panic and not an error: a driver could handle an error, and the test would not notice what is missing.
        if let Some(line) = missing {
            panic!("no line of GRANTS covers {name}: {line:?} is missing, with {{kw:NAME}} for the value of a keyword");
        }
    }

    /// The same for a call whose first arguments say all that a line can restrict.
    pub(super) fn hold_call(&self, name: &str, subject: &str) {
        if let Some(op) = operation(name, subject) {
            self.hold(name, &*op);
        }
    }
}

/// The operation of a call. None for a call that needs no grant, or that is held against the grants where it is made.
fn operation(name: &str, subject: &str) -> Option<Box<dyn Operation>> {
    let path = || PathBuf::from(subject);
    let text = || subject.to_owned();
    let words: Vec<String> = subject.split(' ').map(str::to_owned).collect();
    let word = |at: usize| words.get(at).cloned().unwrap_or_default();
    Some(match name {
        "files.stat" | "files.read" | "files.list-directory" | "files.real-path" => Box::new(ReadPath { path: path() }),
        "files.remove-tree" => Box::new(WriteTree { path: path() }),
        "files.write"
        | "files.allocate"
        | "files.make-directory"
        | "files.remove"
        | "files.set-mode"
        | "files.set-owner" => Box::new(WritePath { path: path() }),
        "mount.mounts-at" | "mount.statfs" | "mount.errors-of" => Box::new(SeeMount { target: path() }),
        "mount.unmount" => Box::new(UnmountTarget { target: path() }),
        "block.find" | "block.wait-for" | "block.user-of" | "block.probe" | "block.identity-of" => {
            Box::new(ReadDevice { path: text() })
        }
        "block.loop-of" => Box::new(SeeLoop { file: path() }),
        "block.attach-loop" | "block.detach-loop" => Box::new(ChangeLoop { file: path() }),
        "net.find-link" => Box::new(SeeLink { dev: text() }),
        "net.set-up" => Box::new(ChangeLink { dev: text() }),
        "net.find-holder" => Box::new(ProbeAddress { dev: word(0), address: word(1).parse().ok()? }),
        "net.add-address" | "net.remove-address" => {
            Box::new(ChangeAddress { dev: word(0), address: word(1).parse().ok()? })
        }
        "net.routes-to" => Box::new(SeeRoute { destination: text() }),
        "netns.look" => Box::new(SeeNetns { netns: text() }),
        "netns.plug" => Box::new(PlugNetns { netns: word(0), mode: word(1), dev: word(2) }),
        "netns.unplug" => Box::new(UnplugNetns { netns: word(0), mode: word(1), dev: word(2) }),
        "netns.find-holder" => Box::new(ProbeNetnsAddress { netns: word(0), address: word(2).parse().ok()? }),
        "netns.announce" => Box::new(AnnounceNetnsAddress { netns: word(0), address: word(2).parse().ok()? }),
        "netns.add-address" | "netns.remove-address" => {
            Box::new(ChangeNetnsAddress { netns: word(0), address: word(2).parse().ok()? })
        }
        "volume.look" => Box::new(SeeVolume { name: text() }),
        "volume.make" | "volume.provision" | "volume.start" | "volume.stop" | "volume.unprovision"
        | "volume.install" => Box::new(ChangeVolume { name: text() }),
        "process.running" | "process.watch" => Box::new(SeeProcesses),
        "process.terminate" => Box::new(KillProcesses),
        _ => return None,
    })
}

/// The operation of a request to a server.
pub(super) fn request(method: &str, url: Option<&str>, unix: Option<(&str, &str)>) -> Option<Box<dyn Operation>> {
    let method = method.to_owned();
    match (url, unix) {
        (Some(url), _) => Some(Box::new(FetchUrl { method, url: url.to_owned() })),
        (None, Some((socket, path))) => {
            Some(Box::new(FetchUnix { method, socket: socket.into(), path: path.to_owned() }))
        }
        (None, None) => None,
    }
}
