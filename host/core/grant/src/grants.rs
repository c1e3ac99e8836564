//! The grants of one call: requests bound to one resource, and the two policies that they must pass.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bind::{Binder, Unbound};
use crate::mount_option::option_paths;
use crate::op::{ReadPath, Resolve, WritePath};
use crate::policy::BoundPolicy;
use crate::rule::{Asked, Learned, Pattern, Rule};
use crate::{Access, BindError, Context, Denied, Guard, Keyword, Ledger, Operation, Permit, Policy, Refuser, Request};

/// What a driver may do for one resource. No template is left in it.
#[derive(Debug, Clone)]
pub struct Grants {
    pub(crate) requests: Vec<Rule>,
    pub(crate) site: BoundPolicy,
    pub(crate) namespace: BoundPolicy,
    /// The addresses that granted host names were found to stand for.
    learned: Arc<Mutex<BTreeMap<String, BTreeSet<IpAddr>>>>,
}

impl Grants {
    /// Binds what the driver asks for to one resource. A request that names an absent keyword is not granted.
    pub fn bind(
        requests: &[Request],
        context: &Context,
        keywords: &[Keyword<'_>],
        ledger: &dyn Ledger,
        site: &Policy,
        namespace: &Policy,
    ) -> Result<Grants, BindError> {
        let mut rules = Vec::new();
        for Request(line) in requests {
            match line.bind(&Binder::new(context, keywords, ledger, line.as_str())) {
                Ok(bound) => rules.extend(bound),
                Err(Unbound::Absent) => {}
                Err(Unbound::Illegal(error)) => return Err(*error),
            }
        }
        Ok(Grants {
            requests: rules,
            site: site.bind(context)?,
            namespace: namespace.bind(context)?,
            learned: Arc::default(),
        })
    }

    /// The proof that `op` is allowed, or who refuses it. With `limit` [`Access::Read`], only what changes nothing is.
    pub fn permit<O: Operation>(&self, op: O, limit: Access) -> Result<Permit<O>, Denied> {
        match self.judge(op.asked(), op.access(), limit) {
            Ok(allowed) => Ok(Permit::new(op, allowed)),
            Err(refusal) => {
                let line = refusal.line.unwrap_or_else(|| with_attributes(&op.line(), &refusal.attributes));
                Err(Denied { line, by: refusal.by })
            }
        }
    }

    /// Whether the policy of the namespace alone would allow to read a path, or to write it: for guards, which judge what is
    /// no request of the driver's own.
    pub fn namespace_allows(&self, path: &Path, write: bool) -> bool {
        let nothing = |_: &str, _: IpAddr| false;
        let asked = if write { Asked::WritePath(path) } else { Asked::ReadPath(path) };
        self.namespace.allows_bare(asked, &nothing)
    }

    /// The sockets that the driver asks for under a guard, each once.
    pub fn guarded_sockets(&self) -> Vec<PathBuf> {
        let socket = |rule: &Rule| match &rule.pattern {
            Pattern::Unix { socket, .. } if rule.guard.is_some() => socket.literal().map(PathBuf::from),
            _ => None,
        };
        let mut sockets: Vec<PathBuf> = Vec::new();
        for socket in self.requests.iter().filter_map(socket) {
            if !sockets.contains(&socket) {
                sockets.push(socket);
            }
        }
        sockets
    }

    /// Remembers which addresses a host name stands for, so that a grant of the name is one of the addresses.
    pub fn learn(&self, permit: &Permit<Resolve>, addresses: &[IpAddr]) {
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned.entry(permit.op().name.clone()).or_default().extend(addresses);
    }

    fn judge(&self, asked: Asked<'_>, access: Access, limit: Access) -> Result<Allowed, Refusal> {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let knows = |name: &str, address: IpAddr| learned.get(name).is_some_and(|known| known.contains(&address));
        if let Asked::Nothing = asked {
            return match (access, limit) {
                (Access::Mutate, Access::Read) => Err(Refusal::by(Refuser::ReadOnly)),
                _ => Ok(Allowed { access, line: String::new(), caps: Vec::new(), guard: None }),
            };
        }
        let allowed = self.weigh(asked, access, limit, &knows)?;
        if let Asked::Mount(mount) = asked {
            self.weigh_options(&mount.options, &knows)?;
        }
        Ok(allowed)
    }

    /// Each request that covers the operation is tried against both policies; the best one counts, or the best refusal.
    fn weigh(&self, asked: Asked<'_>, access: Access, limit: Access, knows: Learned<'_>) -> Result<Allowed, Refusal> {
        let mut refusal = Refusal::by(Refuser::Driver);
        for request in self.requests.iter().filter(|request| request.covers(asked, knows)) {
            match self.try_request(request, asked, access, limit, knows) {
                Ok(allowed) => return Ok(allowed),
                Err(closer) if closer.rank() > refusal.rank() => refusal = closer,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn try_request(
        &self,
        request: &Rule,
        asked: Asked<'_>,
        access: Access,
        limit: Access,
        knows: Learned<'_>,
    ) -> Result<Allowed, Refusal> {
        let attributes = if matches!(asked, Asked::Processes) { String::new() } else { request.attributes() };
        let refuse = |by| Err(Refusal { by, attributes: attributes.clone(), line: None });
        let program = matches!(asked, Asked::Exec(..));
        let access = if program && request.read { Access::Read } else { access };
        if let Some(stranger) = request.stranger.as_ref().filter(|_| !request.stands_for(asked)) {
            return refuse(Refuser::Stranger { keyword: stranger.keyword.clone(), rid: stranger.rid.clone() });
        }
        if access == Access::Mutate && limit == Access::Read {
            let attributes = if program { "(read)".to_owned() } else { attributes };
            return Err(Refusal { by: Refuser::ReadOnly, attributes, line: None });
        }
        if !self.site.allows(asked, request, knows) {
            return refuse(Refuser::Site);
        }
        if !self.namespace.allows(asked, request, knows) {
            return refuse(Refuser::Namespace);
        }
        Ok(Allowed {
            access,
            line: request.to_string(),
            caps: request.caps.iter().cloned().collect(),
            guard: request.guard,
        })
    }

    /// What a mount's options name is read or written through it, so it must be granted as well.
    fn weigh_options(&self, options: &[String], knows: Learned<'_>) -> Result<(), Refusal> {
        for option in options {
            let Some(paths) = option_paths(option) else {
                return Err(Refusal::by(Refuser::Unclear { option: option.clone() }));
            };
            for path in paths {
                let (read, write) = (ReadPath { path: path.path.clone() }, WritePath { path: path.path });
                let (asked, line) =
                    if path.written { (write.asked(), write.line()) } else { (read.asked(), read.line()) };
                self.weigh(asked, Access::Mutate, Access::Mutate, knows)
                    .map_err(|refusal| Refusal { line: Some(line), ..refusal })?;
            }
        }
        Ok(())
    }
}

/// What a permit is made of.
pub(crate) struct Allowed {
    pub(crate) access: Access,
    pub(crate) line: String,
    pub(crate) caps: Vec<String>,
    pub(crate) guard: Option<Guard>,
}

struct Refusal {
    by: Refuser,
    /// What the missing line says in parentheses.
    attributes: String,
    /// The missing line, where it is not the operation's own.
    line: Option<String>,
}

impl Refusal {
    fn by(by: Refuser) -> Refusal {
        Refusal { by, attributes: String::new(), line: None }
    }

    /// How close the operation came to be allowed.
    fn rank(&self) -> u8 {
        match self.by {
            Refuser::Driver | Refuser::Unclear { .. } | Refuser::Guard(_) => 0,
            Refuser::Stranger { .. } => 1,
            Refuser::ReadOnly => 2,
            Refuser::Site => 3,
            Refuser::Namespace => 4,
        }
    }
}

/// The line with attributes behind its capability.
fn with_attributes(line: &str, attributes: &str) -> String {
    match line.split_once(" = ") {
        Some((capability, pattern)) if !attributes.is_empty() => {
            let bare = capability.split('(').next().unwrap_or(capability);
            format!("{bare}{attributes} = {pattern}")
        }
        _ => line.to_owned(),
    }
}
