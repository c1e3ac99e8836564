//! Holds every call of a driver against its GRANTS: what no line covers fails the test, with the line that is missing. The node would
//! refuse it.
//!
//! A test hands the driver its keywords as values of Rust, so a keyword in a line stands for anything here. That the line names the
//! right keyword shows on the node.

use std::path::PathBuf;

use grant::op::{
    AnnounceNetnsAddress, ChangeAddress, ChangeLink, ChangeLoop, ChangeNetnsAddress, ChangeVolume, FetchUnix, FetchUrl,
    GiveToGroup, KillProcesses, PlugNetns, ProbeAddress, ProbeNetnsAddress, ProgramTerms, ReadDevice, ReadPath,
    SeeLink, SeeLoop, SeeMount, SeeNetns, SeeProcesses, SeeRoute, SeeVolume, SetIdFile, UnmountTarget, UnplugNetns,
    WritePath, WriteTree,
};
use grant::{GrantContext, Operation, WideGrants, suggested_request};

use super::Host;
use crate::Context;
use crate::bindings::hostler::driver::process::Command;

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

/// Variables that only change the wording of a program's output: any driver may set them.
const HARMLESS: [&str; 3] = ["LANG", "LC_ALL", "TZ"];

/// As whom a program runs, and where. There is no table of users here: a group that is called as the user is the user's own.
pub(super) fn terms(command: &Command) -> ProgramTerms {
    let Command { user, group, cwd, .. } = command;
    ProgramTerms {
        user: user.clone(),
        group: group.clone().filter(|group| user.as_ref() != Some(group)),
        cwd: cwd.as_ref().filter(|cwd| *cwd != "/").map(PathBuf::from),
    }
}

impl Host {
    /// The driver comes with the agent. The node trusts it with the variables of a configuration: no line need name them.
    pub fn built_in(self) -> Host {
        self.change(|world| world.built_in = true);
        self
    }

    /// The program needs one of capabilities(7), such as `cap_net_admin`, as a program has none on a node that its line does not name.
    pub fn program_needs(self, program: &str, capability: &str) -> Host {
        self.change(|world| world.needs.insert((program.to_owned(), capability.to_owned())));
        self
    }

    /// The same for a program, with its environment.
    pub(super) fn hold_program(&self, name: &str, op: &dyn Operation, command: &Command) {
        self.hold(name, op);
        let as_root = command.user.as_ref().is_none_or(|user| user == "root" || user == "0");
        let variables = command.env.iter().map(|variable| variable.key.as_str());
        let asked = variables.filter(|name| as_root && !HARMLESS.contains(name));
        let missing = self.change(|world| {
            let held = world.held.as_ref().filter(|_| !world.built_in)?;
            held.wide.missing_variable(op, asked).map(str::to_owned)
        });
        let needed = self.change(|world| {
            let held = world.held.as_ref()?;
            let mut needs = world.needs.iter().filter(|(program, _)| *program == command.program);
            needs.find(|(_, capability)| !held.wide.keeps(op, capability)).map(|(_, capability)| capability.clone())
        });
        if let Some(capability) = needed {
            panic!("no line of GRANTS keeps {capability} for {name}: caps={capability} is missing in {:?}", op.line());
        }
        if let Some(variable) = missing {
            panic!(
                "no line of GRANTS gives {name} of a program of root the variable {variable}: env={variable} is missing in {:?}",
                op.line()
            );
        }
    }

    /// Holds what the mode and the group of a file need beside the right to write it.
    pub(super) fn hold_mode(&self, name: &str, path: &str, mode: u32) {
        const SET_ID: u32 = 0o6000;
        if mode & SET_ID != 0 {
            self.hold(name, &SetIdFile { path: path.into() });
        }
    }

    /// The same for a group. In the namespace `root` any is allowed.
    pub(super) fn hold_group(&self, name: &str, path: &str, user: Option<&str>, group: Option<&str>) {
        let is_of_root =
            self.change(|world| world.held.as_ref().is_none_or(|held| held.context.object.namespace() == "root"));
        if let Some(group) = group.filter(|group| !is_of_root && user != Some(*group)) {
            self.hold(name, &GiveToGroup { path: path.into(), group: group.to_owned() });
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
