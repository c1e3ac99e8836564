//! What every operation answers of itself: whether it changes anything, and which grant line would allow it.

use std::fmt::Debug;
use std::path::Path;

use crate::Access;
use crate::op::*;
use crate::rule::Asked;
use crate::token::quoted;

/// Something that needs a permit. Implemented by the structs of [`crate::op`] alone.
pub trait Operation: Debug + Send + 'static {
    /// Whether it changes anything, unless a grant says that it does not (`exec(read)`).
    fn access(&self) -> Access;

    /// The concrete grant line that would allow it, or the name of what needs none.
    fn line(&self) -> String;

    /// The operation as the rules see it.
    #[doc(hidden)]
    fn asked(&self) -> Asked<'_>;

    /// Whether its success is a change of the resource: the resource's own notes are none.
    fn counts(&self) -> bool {
        self.access() == Access::Mutate
    }
}

/// Implements [`Operation`] for a struct: its access, its line, and what the rules see of it.
macro_rules! operations {
    ($($op:ident $access:ident, |$o:ident| $line:expr, $asked:expr;)*) => {$(
        impl Operation for $op {
            fn access(&self) -> Access {
                Access::$access
            }

            fn line(&self) -> String {
                let $o = self;
                $line
            }

            fn asked(&self) -> Asked<'_> {
                let $o = self;
                $asked
            }
        }
    )*};
}

operations! {
    ReadPath Read, |o| format!("files.read = {}", path(&o.path)), Asked::ReadPath(&o.path);
    WritePath Mutate, |o| format!("files.write = {}", path(&o.path)), Asked::WritePath(&o.path);
    WriteTree Mutate, |o| format!("files.write = {}/**", path(&o.path)), Asked::WriteTree(&o.path);
    SeeMount Read, |o| format!("mount = * * on {}", path(&o.target)), Asked::MountPoint(&o.target);
    Unmount Mutate, |o| format!("mount = * * on {}", path(&o.target)), Asked::Unmount(&o.target);
    Mount Mutate,
        |o| format!("mount = {} {} on {}", quoted(&o.fstype), quoted(&o.source), path(&o.target)),
        Asked::Mount(o);
    ReadDevice Read, |o| format!("block.read = {}", quoted(&o.path)), Asked::ReadDevice(&o.path);
    SeeLoop Read, |o| format!("block.loop = {}", path(&o.file)), Asked::Loop(&o.file);
    ChangeLoop Mutate, |o| format!("block.loop = {}", path(&o.file)), Asked::Loop(&o.file);
    SeeLink Read, |o| format!("net.link(read) = {}", quoted(&o.dev)), Asked::SeeLink(&o.dev);
    ChangeLink Mutate, |o| format!("net.link = {}", quoted(&o.dev)), Asked::ChangeLink(&o.dev);
    ProbeAddress Read, |o| format!("net.addr = {} on {}", o.address, quoted(&o.dev)), Asked::ProbeAddress(o.address, &o.dev);
    ChangeAddress Mutate, |o| format!("net.addr = {} on {}", o.address, quoted(&o.dev)), Asked::Address(o.address, &o.dev);
    Resolve Read, |o| format!("net.addr = {} on *", quoted(&o.name)), Asked::Name(&o.name);
    SeeRoute Read, |o| format!("net.route = {}", quoted(&o.destination)), Asked::SeeRoute(&o.destination);
    ChangeRoute Mutate, |o| route("net.route", o), Asked::Route(o);
    SeeNetns Read, |o| format!("netns = {}", quoted(&o.netns)), Asked::SeeNetns(&o.netns);
    PlugNetns Mutate,
        |o| format!("netns.link = {} {} in {}", quoted(&o.mode), quoted(&o.dev), quoted(&o.netns)),
        Asked::PlugNetns(o);
    UnplugNetns Mutate,
        |o| format!("netns.link = {} {} in {}", quoted(&o.mode), quoted(&o.dev), quoted(&o.netns)),
        Asked::UnplugNetns(o);
    ProbeNetnsAddress Read,
        |o| format!("netns.addr = {} in {}", o.address, quoted(&o.netns)),
        Asked::NetnsHost(o.address, &o.netns);
    AnnounceNetnsAddress Mutate,
        |o| format!("netns.addr = {} in {}", o.address, quoted(&o.netns)),
        Asked::NetnsHost(o.address, &o.netns);
    ChangeNetnsAddress Mutate,
        |o| format!("netns.addr = {} in {}", o.address, quoted(&o.netns)),
        Asked::NetnsAddress(o.address, &o.netns);
    ChangeNetnsRoute Mutate,
        |o| format!("{} in {}", route("netns.route", &o.route), quoted(&o.netns)),
        Asked::NetnsRoute(o);
    Spawn Mutate, |o| command("spawn", &o.program, &o.args), Asked::Spawn(&o.program, &o.args, o.user.as_deref());
}

impl Operation for Exec {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        command("exec", &self.program, &self.args)
    }

    fn asked(&self) -> Asked<'_> {
        Asked::Exec(&self.program, &self.args, self.user.as_deref())
    }
}

impl Operation for Fetch {
    fn access(&self) -> Access {
        method_access(&self.method)
    }

    fn line(&self) -> String {
        format!("http = {} {}", quoted(&self.method), quoted(without_query(&self.url)))
    }

    fn asked(&self) -> Asked<'_> {
        Asked::Fetch(self)
    }
}

impl Operation for FetchUnix {
    fn access(&self) -> Access {
        method_access(&self.method)
    }

    fn line(&self) -> String {
        format!("http.unix = {} {} {}", quoted(&self.method), path(&self.socket), quoted(without_query(&self.path)))
    }

    fn asked(&self) -> Asked<'_> {
        Asked::FetchUnix(self)
    }
}

impl Operation for SeeProcesses {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        "spawn = <program>".to_owned()
    }

    fn asked(&self) -> Asked<'_> {
        Asked::Processes
    }
}

impl Operation for EndProcesses {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        "spawn = <program>".to_owned()
    }

    fn asked(&self) -> Asked<'_> {
        Asked::Processes
    }
}

impl Operation for KeepState {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        "state".to_owned()
    }

    fn asked(&self) -> Asked<'_> {
        Asked::Nothing
    }

    fn counts(&self) -> bool {
        false
    }
}

/// GET and HEAD look, all else may change something.
fn method_access(method: &str) -> Access {
    match method {
        "GET" | "HEAD" => Access::Read,
        _ => Access::Mutate,
    }
}

fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

fn command(capability: &str, program: &Path, args: &[String]) -> String {
    let mut line = format!("{capability} = {}", path(program));
    for arg in args {
        line.push(' ');
        line.push_str(&quoted(arg));
    }
    line
}

fn route(capability: &str, route: &ChangeRoute) -> String {
    let mut line = format!("{capability} = {}", quoted(&route.destination));
    if let Some(gateway) = route.gateway {
        line.push_str(&format!(" via {gateway}"));
    }
    if let Some(dev) = &route.dev {
        line.push_str(&format!(" dev {}", quoted(dev)));
    }
    line
}
