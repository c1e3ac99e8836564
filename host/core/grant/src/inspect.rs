//! Grants for people: what a driver asks for, and what is left of it, in words.

use crate::Refuser;
use crate::argv::{Arg, ArgTemplate, CommandTemplate};
use crate::caps::ALL_CAPS;
use crate::line::{Attributes, Capability, Line};
use crate::policy::BoundPolicy;
use crate::rule::{Pattern, Rule, Source};
use crate::template::Template;
use crate::token::{Piece, Token};
use crate::web::Methods;
use crate::{Grants, Guard, Request};

/// One thing that a driver may do, or asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// What it does: `attach a loop device to`.
    pub verb: &'static str,
    /// To what: `/srv/web.img`.
    pub object: String,
    /// The grant line that says so.
    pub grant: String,
    /// Why whoever may do this is root, if so.
    pub root_equivalent: Option<&'static str>,
}

/// A sentence about one resource, and what the policies make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// What was asked for.
    pub sentence: Sentence,
    /// Who reads the requests, if anybody.
    pub guard: Option<Guard>,
    /// What became of it.
    pub standing: Standing,
}

/// What the policies make of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is taken from it.
    Allowed,
    /// Each operation must also match one of the `allow` lines, or none of the `deny` lines.
    Narrowed(Vec<String>),
    /// Nothing of it is left.
    Refused(Refuser),
}

impl Request {
    /// What is asked for, in words.
    pub fn sentence(&self) -> Sentence {
        let line = &self.0;
        let (_, object) = line.as_str().split_once(" = ").or_else(|| line.as_str().split_once('=')).unwrap_or_default();
        let tree = matches!(&line.template, Template::Path(token) if token.pieces.last() == Some(&Piece::DoubleStar));
        Sentence {
            verb: match line.attributes.guard {
                Some(_) => GUARDED,
                None => verb(line.capability, line.attributes.read, tree),
            },
            object: object.trim().to_owned(),
            grant: line.as_str().to_owned(),
            root_equivalent: line.root_equivalent(),
        }
    }
}

impl Grants {
    /// What the driver may do for this resource, in words, in the order of the manifest.
    pub fn lines(&self) -> Vec<Effective> {
        let line = |rule: &Rule| Effective {
            sentence: Sentence {
                verb: match (rule.guard, &rule.pattern) {
                    (Some(_), _) => GUARDED,
                    (None, Pattern::Path(path)) => verb(rule.capability, rule.read, path.is_tree()),
                    (None, _) => verb(rule.capability, rule.read, false),
                },
                object: rule.pattern.to_string(),
                grant: rule.to_string(),
                root_equivalent: rule.root_equivalent(),
            },
            guard: rule.guard,
            standing: self.standing(rule),
        };
        self.requests.iter().map(line).collect()
    }

    fn standing(&self, rule: &Rule) -> Standing {
        if let Some(stranger) = &rule.stranger {
            return Standing::Refused(Refuser::Stranger {
                keyword: stranger.keyword.clone(),
                rid: stranger.rid.clone(),
            });
        }
        let mut narrowing = Vec::new();
        for (policy, refuser) in [(&self.site, Refuser::Site), (&self.namespace, Refuser::Namespace)] {
            match policy.about(rule) {
                None => return Standing::Refused(refuser),
                Some(lines) => narrowing.extend(lines),
            }
        }
        if narrowing.is_empty() { Standing::Allowed } else { Standing::Narrowed(narrowing) }
    }
}

impl BoundPolicy {
    /// The lines that an operation of this request may meet. None if there is none that allows any.
    fn about(&self, request: &Rule) -> Option<Vec<String>> {
        let kin = |rule: &&Rule| kin(rule.capability, request.capability);
        let allow: Vec<String> = self.allow.iter().filter(kin).map(|rule| format!("allow {rule}")).collect();
        if allow.is_empty() && !self.is_open() {
            return None;
        }
        Some(allow.into_iter().chain(self.deny.iter().filter(kin).map(|rule| format!("deny {rule}"))).collect())
    }
}

/// Whether a policy's line of one capability can decide about a request of the other.
fn kin(policy: Capability, request: Capability) -> bool {
    use Capability as C;
    policy == request
        || matches!(
            (policy, request),
            (C::FilesWrite, C::FilesRead)
                | (C::FilesRead, C::FilesWrite)
                | (C::BlockLoop, C::BlockRead)
                | (C::Exec, C::Spawn)
                | (C::NetnsLink | C::NetnsAddr | C::NetnsRoute, C::Netns)
                | (C::Netns, C::NetnsLink | C::NetnsAddr | C::NetnsRoute)
        )
}

const GUARDED: &str = "reach, each request guarded,";

fn verb(capability: Capability, read: bool, tree: bool) -> &'static str {
    match (capability, read, tree) {
        (Capability::FilesRead, _, false) => "read the path",
        (Capability::FilesRead, _, true) => "read all below",
        (Capability::FilesWrite, _, false) => "read and write the path",
        (Capability::FilesWrite, _, true) => "read and write all below",
        (Capability::Mount, ..) => "mount and unmount",
        (Capability::BlockRead, ..) => "read the device",
        (Capability::BlockLoop, ..) => "attach a loop device to",
        (Capability::NetLink, true, _) => "look at the interface",
        (Capability::NetLink, false, _) => "set up the interface",
        (Capability::NetAddr, true, _) => "ask the neighbours for the address",
        (Capability::NetAddr, false, _) => "add and remove the address",
        (Capability::NetRoute, ..) => "add and remove the route to",
        (Capability::Netns, ..) => "look into the network namespace",
        (Capability::NetnsLink, ..) => "plug",
        (Capability::NetnsAddr, ..) => "add and remove the address",
        (Capability::NetnsRoute, ..) => "add and remove the route to",
        (Capability::Exec, true, _) => "run, also to look,",
        (Capability::Exec, false, _) => "run",
        (Capability::Spawn, ..) => "start and supervise",
        (Capability::Http | Capability::HttpUnix, ..) => "reach",
    }
}

const ANY_ARGUMENT: &str = "** lets any option pass";
const ANY_PROGRAM: &str = "the program is whatever the configuration says";
const INTERPRETER: &str = "an interpreter runs whatever it is told";
const CAPS: &str = "the program keeps a capability that amounts to root";
const ENGINE: &str = "whoever talks to a container engine is root";
const DECLARED: &str = "the line says so";
const SYSTEM: &str = "whoever writes there is root";
const DISKS: &str = "every file of the node is on its disks";

impl Line {
    fn root_equivalent(&self) -> Option<&'static str> {
        attributes_are_root(&self.attributes).or_else(|| match &self.template {
            Template::Command(CommandTemplate::Keyword(_)) => Some(ANY_PROGRAM),
            Template::Command(CommandTemplate::Line { program, args }) => {
                let rest =
                    |arg: &ArgTemplate| matches!(arg, ArgTemplate::One(arg) if arg.only() == Some(&Piece::DoubleStar));
                let any = args.iter().any(|arg| !matches!(arg, ArgTemplate::One(arg) if arg.literal().is_some()));
                match program.literal() {
                    None => Some(ANY_PROGRAM),
                    Some(_) if args.iter().any(rest) => Some(ANY_ARGUMENT),
                    Some(program) => (any && is_interpreter(program)).then_some(INTERPRETER),
                }
            }
            Template::Unix { .. } if self.attributes.guard.is_some() => None,
            Template::Unix { methods, socket, .. } => socket.literal().and_then(|socket| engine(methods, socket)),
            Template::Path(token) if self.capability == Capability::FilesWrite => front(token).and_then(is_system),
            Template::Device(token) if token.only() == Some(&Piece::Star) => Some(DISKS),
            _ => None,
        })
    }
}

/// The text that a path begins with.
fn front(token: &Token) -> Option<&str> {
    match token.pieces.first() {
        Some(Piece::Literal(text)) => Some(text),
        _ => None,
    }
}

impl Rule {
    fn root_equivalent(&self) -> Option<&'static str> {
        if self.root_equivalent {
            return Some(DECLARED);
        }
        if caps_are_root(self.caps.iter()) {
            return Some(CAPS);
        }
        match &self.pattern {
            Pattern::Command(command) if command.args.contains(&Arg::Rest) => Some(ANY_ARGUMENT),
            Pattern::Command(command) => match command.program.literal() {
                None => Some(ANY_PROGRAM),
                Some(program) => (!command.args.is_empty() && is_interpreter(&program)).then_some(INTERPRETER),
            },
            Pattern::Unix { .. } if self.guard.is_some() => None,
            Pattern::Unix { methods, socket, .. } => socket.literal().and_then(|socket| engine(methods, &socket)),
            Pattern::Path(path) if self.capability == Capability::FilesWrite => is_system(&path.to_string()),
            Pattern::Device(Source::Any) => Some(DISKS),
            _ => None,
        }
    }
}

fn attributes_are_root(attributes: &Attributes) -> Option<&'static str> {
    if attributes.root_equivalent {
        return Some(DECLARED);
    }
    caps_are_root(attributes.caps.iter()).then_some(CAPS)
}

fn caps_are_root<'a>(mut caps: impl Iterator<Item = &'a String>) -> bool {
    const ROOT: [&str; 15] = [
        ALL_CAPS,
        "cap_bpf",
        "cap_chown",
        "cap_dac_override",
        "cap_dac_read_search",
        "cap_fowner",
        "cap_mac_admin",
        "cap_mknod",
        "cap_setfcap",
        "cap_setgid",
        "cap_setuid",
        "cap_sys_admin",
        "cap_sys_module",
        "cap_sys_ptrace",
        "cap_sys_rawio",
    ];
    caps.any(|cap| ROOT.contains(&cap.as_str()))
}

fn is_interpreter(program: &str) -> bool {
    const INTERPRETERS: [&str; 14] = [
        "sh", "bash", "dash", "zsh", "ksh", "busybox", "env", "perl", "python", "python3", "ruby", "node", "lua", "awk",
    ];
    program.rsplit('/').next().is_some_and(|name| INTERPRETERS.contains(&name))
}

fn engine(methods: &Methods, socket: &str) -> Option<&'static str> {
    const ENGINES: [&str; 5] = ["docker.sock", "podman.sock", "containerd.sock", "crio.sock", "libvirt-sock"];
    let named = socket.rsplit('/').next().is_some_and(|name| ENGINES.contains(&name));
    (named && !methods.only_read()).then_some(ENGINE)
}

fn is_system(path: &str) -> Option<&'static str> {
    const SYSTEM_TREES: [&str; 12] =
        ["bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "sbin", "sys", "usr", "**"];
    let first = path.split('/').nth(1).unwrap_or_default();
    (first.is_empty() || SYSTEM_TREES.contains(&first)).then_some(SYSTEM)
}
