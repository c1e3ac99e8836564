//! The grants of one call: requests bound to one resource, and the two policies that an operation must pass.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bind::binder::{BindFailure, Binder};
use crate::bind::context::{BindError, DeviceLedger, GrantContext, GrantKeyword};
use crate::capability;
use crate::capability::SocketPattern;
use crate::capability::op::{ArgumentThing, ReadDevice, ReadPath, ReadTree, ResolveName, WritePath, WriteTree};
use crate::line::address::NameResolution;
use crate::line::attributes::ANY_VARIABLE;
use crate::line::known_names::KnownNames;
use crate::line::rule::GrantRule;
use crate::operation::{Access, Operation, SideEffect};
use crate::permit::{Permit, PermitDenial, PermitTerms, Refuser};
use crate::policy::Policy;
use crate::policy::bound::BoundPolicy;
use crate::request::GrantRequest;

/// Returns the place to which a path leads, its links followed. None if that is not known.
pub type PathFollower<'a> = &'a dyn Fn(&Path) -> Option<PathBuf>;

/// The permissions of a driver for one resource. They no longer contain templates.
#[derive(Debug, Clone)]
pub struct Grants {
    pub(crate) requests: Vec<GrantRule>,
    /// The requests that the default of a third party would have bound.
    pub(crate) unbound: Vec<UnboundRequest>,
    /// The requests once more, bound to the keywords of the time when the resource took what it holds.
    earlier: Arc<Mutex<Vec<GrantRule>>>,
    pub(crate) site: BoundPolicy,
    pub(crate) namespace: BoundPolicy,
    /// What the look-ups of this call found.
    known: Arc<Mutex<KnownNames>>,
}

impl Grants {
    /// Binds a driver's requests to one resource. A request that names an absent keyword is not granted.
    pub fn bind(
        requests: &[GrantRequest],
        context: &GrantContext,
        keywords: &[GrantKeyword<'_>],
        ledger: &dyn DeviceLedger,
        site: &Policy,
        namespace: &Policy,
    ) -> Result<Grants, BindError> {
        let (mut rules, mut unbound) = (Vec::new(), Vec::new());
        for request in requests {
            let binder = Binder::new(context, keywords, ledger, request.0.as_str());
            match request.0.bind(&binder) {
                Ok(bound) => rules.extend(bound),
                // An optional keyword that is not set: its lines are simply not there.
                Err(BindFailure::Absent) => {}
                Err(BindFailure::Illegal(error)) => return Err(*error),
            }
            let unbinding = binder.unbinding().map(str::to_owned);
            unbound.extend(unbinding.map(|keyword| UnboundRequest { keyword, request: request.clone() }));
        }
        Ok(Grants {
            requests: rules,
            unbound,
            earlier: Arc::default(),
            site: site.bind(context, keywords)?,
            // It is about many drivers, so no keyword means anything in it.
            namespace: namespace.bind(context, &[])?,
            known: Arc::default(),
        })
    }

    /// Grants that allow nothing: for a component that works for no resource.
    pub fn none() -> Grants {
        let nothing = || BoundPolicy { open: false, allow: Vec::new(), deny: Vec::new(), other_build: None };
        Grants {
            requests: Vec::new(),
            unbound: Vec::new(),
            earlier: Arc::default(),
            site: nothing(),
            namespace: nothing(),
            known: Arc::default(),
        }
    }

    /// Returns the proof that `op` is allowed, or who refuses it. With `limit` [`Access::Read`], only what changes nothing is
    /// allowed.
    pub fn permit<O: Operation>(&self, op: O, limit: Access) -> Result<Permit<O>, PermitDenial> {
        match self.judge(&op, limit) {
            Ok(terms) => Ok(Permit::new(op, terms)),
            Err(refusal) => {
                let line = refusal.line.unwrap_or_else(|| op.line());
                let by = match refusal.by {
                    Refuser::Driver => self.unbound_by(&line).unwrap_or(Refuser::Driver),
                    by => by,
                };
                Err(PermitDenial { line, by })
            }
        }
    }

    /// The keyword for which a line of the same capability is not bound.
    fn unbound_by(&self, line: &str) -> Option<Refuser> {
        let end = line.find(|c: char| !c.is_ascii_lowercase() && c != '.').unwrap_or(line.len());
        let capability = &line[..end];
        let about = |unbound: &&UnboundRequest| {
            let own = unbound.request.0.capability;
            let text = unbound.request.0.as_str();
            let has_all = attributes_of(line).iter().all(|attribute| text.contains(attribute));
            (own.name == capability || own.also_decided_by.contains(&capability)) && has_all
        };
        let UnboundRequest { keyword, request } = self.unbound.iter().find(about)?;
        Some(Refuser::ForeignDefault { keyword: keyword.clone(), request: request.0.as_str().to_owned() })
    }

    /// Judges an operation once more, about the place to which the links of the node have led: what counts is what is opened, and
    /// not by which name. `follow` returns the place to which a path leads; a line about a path is also one about that place.
    pub fn permit_place(&self, op: &dyn Operation, follow: PathFollower<'_>) -> Result<(), PermitDenial> {
        // The locks in the order of `judge` and `weigh`: in another one, two threads could wait for each other.
        let names = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let covers = |rule: &GrantRule| {
            op.is_covered_by(rule, &names) || rule.relocated(follow).is_some_and(|rule| op.is_covered_by(&rule, &names))
        };
        let mut by = Refuser::Driver;
        for request in self.requests.iter().chain(&*earlier).filter(|request| covers(request)) {
            let refuses = [(&self.site, self.site_refuser()), (&self.namespace, Refuser::Namespace)]
                .into_iter()
                .find(|(policy, _)| !policy.allows_where(op, request, &names, &covers));
            match refuses {
                None => return Ok(()),
                Some((_, refuser)) => by = refuser,
            }
        }
        Err(PermitDenial { line: op.line(), by })
    }

    /// Judges a program of another namespace than root once more, with the places to which its arguments lead: what the driver asked for
    /// are the words, and the policy of the namespace must allow the places. `led` has the places with the words that lead there: a line
    /// that writes such a word out allows what it leads to.
    pub fn permit_arguments(
        &self,
        op: &dyn Operation,
        there: &dyn Operation,
        led: &[(&str, &str)],
        follow: PathFollower<'_>,
    ) -> Result<(), PermitDenial> {
        // A copy: for any other judgement these words are not known.
        let mut names = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        led.iter().for_each(|(place, word)| names.learn_led(place, word));
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let about = |op: &dyn Operation, rule: &GrantRule| {
            op.is_covered_by(rule, &names) || rule.relocated(follow).is_some_and(|rule| op.is_covered_by(&rule, &names))
        };
        let allows = |request: &GrantRule| {
            self.namespace.allows_where(there, request, &names, &|rule: &GrantRule| about(there, rule))
        };
        let mut requests = self.requests.iter().chain(&*earlier).filter(|request| about(op, request));
        if requests.any(allows) {
            return Ok(());
        }
        Err(PermitDenial { line: there.line(), by: Refuser::Namespace })
    }

    /// Whether the policy of the namespace allows a program in these very words: a line that would allow it with `other` words in their
    /// place does not say them.
    pub fn namespace_says(&self, op: &dyn Operation, other: &dyn Operation, follow: PathFollower<'_>) -> bool {
        let names = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let about = |op: &dyn Operation, rule: &GrantRule| {
            op.is_covered_by(rule, &names) || rule.relocated(follow).is_some_and(|rule| op.is_covered_by(&rule, &names))
        };
        self.namespace.open || self.namespace.allow.iter().any(|rule| about(op, rule) && !about(other, rule))
    }

    /// Whether the line of a policy that allows a program also names a variable of its environment. Of `policies`, each is asked: the
    /// site's for a driver that it installed, the namespace's for objects of another namespace than root. `any` says whether a line for
    /// any variable is enough.
    pub fn name_variable<O: Operation>(
        &self,
        permit: &Permit<O>,
        name: &str,
        (site, namespace): (bool, bool),
        any: bool,
    ) -> Result<(), Refuser> {
        let names = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(request) = permit.rule() else { return Ok(()) };
        let is_named = |rule: &GrantRule| {
            let env = &rule.attributes.env;
            let named = env.contains(name) || (any && env.contains(ANY_VARIABLE));
            named && permit.op().is_covered_by(rule, &names) && rule.admits(request)
        };
        let asked = [(site, &self.site, self.site_refuser()), (namespace, &self.namespace, Refuser::Namespace)];
        for (_, policy, refuser) in asked.into_iter().filter(|(asked, ..)| *asked) {
            if !policy.allow.iter().any(is_named) {
                return Err(refuser);
            }
        }
        Ok(())
    }

    /// Whether a policy denies anything.
    pub fn deny_something(&self) -> bool {
        !self.site.deny.is_empty() || !self.namespace.deny.is_empty()
    }

    /// Whether a policy forbids an operation under any of these names of its thing: a device has many, and what is denied by one of
    /// them is denied. Only asked for them where a policy denies anything.
    pub fn forbids<O: Operation>(&self, under_each_name: impl FnOnce() -> Vec<O>) -> Option<PermitDenial> {
        if !self.deny_something() {
            return None;
        }
        let names = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        under_each_name().iter().find_map(|op| self.forbidden(op, &names))
    }

    /// Whether a policy forbids a program, if each of these arguments is read as any of its other spellings, too.
    pub fn forbids_spelled(&self, op: &dyn Operation, spellings: &[(String, Vec<String>)]) -> Option<PermitDenial> {
        if !self.deny_something() {
            return None;
        }
        // A copy: by these spellings a program is forbidden, and never allowed.
        let mut names = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (argument, others) in spellings {
            names.learn_spellings(argument, others);
        }
        self.forbidden(op, &names)
    }

    /// Whether a policy forbids to look at what an argument of a program leads to, or to change it, if the program may.
    pub fn forbids_thing(&self, thing: &ArgumentThing, access: Access) -> Option<PermitDenial> {
        let names = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        thing.uses(access).iter().find_map(|op| self.forbidden(&**op, &names))
    }

    fn forbidden(&self, op: &dyn Operation, names: &KnownNames) -> Option<PermitDenial> {
        let policies = [(&self.site, self.site_refuser()), (&self.namespace, Refuser::Namespace)];
        let (_, by) = policies.into_iter().find(|(policy, _)| policy.forbids(op, names))?;
        Some(PermitDenial { line: op.line(), by })
    }

    /// Makes each `deny` line about a path one about the place to which the path leads, too.
    pub fn follow_denials(&mut self, follow: PathFollower<'_>) {
        for policy in [&mut self.site, &mut self.namespace] {
            let places: Vec<GrantRule> = policy.deny.iter().filter_map(|rule| rule.relocated(follow)).collect();
            policy.deny.extend(places);
        }
    }

    /// The files and directories that the driver may look at, and whether it may change them: those of its requests, and where a policy
    /// allows less, those of the policy.
    pub fn files(&self) -> Vec<(PathBuf, bool)> {
        let names = KnownNames::default();
        let policies = [&self.site, &self.namespace];
        let lines = self.requests.iter().chain(policies.into_iter().flat_map(|policy| &policy.allow));
        let mut files: Vec<(PathBuf, bool)> = Vec::new();
        for (path, tree, writes) in lines.filter_map(capability::files_of) {
            let op: Box<dyn Operation> = match (tree, writes) {
                (true, true) => Box::new(WriteTree { path: path.clone() }),
                (true, false) => Box::new(ReadTree { path: path.clone() }),
                (false, true) => Box::new(WritePath { path: path.clone() }),
                (false, false) => Box::new(ReadPath { path: path.clone() }),
            };
            let asked = |request: &&GrantRule| op.is_covered_by(request, &names);
            let allowed = |request: &GrantRule| policies.iter().all(|policy| policy.allows(&*op, request, &names));
            if self.requests.iter().filter(asked).any(allowed) && !files.contains(&(path.clone(), writes)) {
                files.push((path, writes));
            }
        }
        files
    }

    /// Whether the policy of the namespace alone would allow reading a path, or writing it: for guards, which judge paths that
    /// the driver itself does not open.
    pub fn namespace_allows(&self, path: &Path, write: bool) -> bool {
        let path = path.to_owned();
        let op: Box<dyn Operation> = if write { Box::new(WritePath { path }) } else { Box::new(ReadPath { path }) };
        // A path has no host name, so nothing was looked up.
        self.namespace.allows_bare(&*op, &KnownNames::default())
    }

    /// The sockets that the driver requests under a guard, each once.
    pub fn guarded_sockets(&self) -> Vec<PathBuf> {
        let guarded = self.requests.iter().filter(|rule| rule.attributes.guard.is_some());
        let mut sockets: Vec<PathBuf> = Vec::new();
        for socket in guarded.filter_map(|rule| rule.pattern::<SocketPattern>()?.socket.literal()) {
            if !sockets.iter().any(|known| known.as_os_str() == socket.as_str()) {
                sockets.push(socket.into());
            }
        }
        sockets
    }

    /// Remembers which addresses a host name stands for, so that a grant of the name becomes one of the addresses.
    pub fn learn(&self, permit: &Permit<ResolveName>, addresses: &[IpAddr]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.learn_addresses(&permit.op().name, addresses);
    }

    /// Remembers which device a label or a link leads to, so that a grant of the word becomes one of the device: whoever may use
    /// the device by one name may use that very device.
    pub fn learn_device(&self, permit: &Permit<ReadDevice>, path: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.learn_device(&permit.op().path, path);
    }

    /// Remembers where the links in a path lead, so that a program that may be given the path may be given the real one.
    pub fn learn_path(&self, permit: &Permit<ReadPath>, real: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.learn_path(&permit.op().path.to_string_lossy(), real);
    }

    /// Allows also what the requests allow with these keywords: those of the time when the resource took what it holds, so that
    /// it can give that back. The policies of now hold for them, too.
    pub fn learn_earlier(
        &self,
        requests: &[GrantRequest],
        context: &GrantContext,
        keywords: &[GrantKeyword<'_>],
        ledger: &dyn DeviceLedger,
    ) {
        // A line that cannot be bound is not granted: these keywords were legal then.
        let bind = |GrantRequest(line): &GrantRequest| {
            line.bind(&Binder::new(context, keywords, ledger, line.as_str())).unwrap_or_default()
        };
        let rules: Vec<GrantRule> = requests.iter().flat_map(bind).collect();
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        // A driver may ask for its holdings many times.
        let is_new = |rule: &GrantRule| !earlier.iter().any(|known| known.to_string() == rule.to_string());
        let new: Vec<GrantRule> = rules.into_iter().filter(is_new).collect();
        earlier.extend(new);
    }

    /// Who refuses where the site does: its policy for this driver, or because that is about another build.
    pub(crate) fn site_refuser(&self) -> Refuser {
        let other = self.site.other_build.clone();
        other.map_or(Refuser::Site, |allowed| Refuser::OtherBuild { allowed })
    }

    fn judge(&self, op: &dyn Operation, limit: Access) -> Result<PermitTerms, Refusal> {
        // A panic elsewhere leaves the map whole: it only ever grows.
        let names = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !op.needs_grant() {
            let access = op.access();
            return match (access, limit) {
                (Access::Mutate, Access::Read) => Err(Refusal { by: Refuser::ReadOnly, line: None }),
                _ => Ok(PermitTerms { access, rule: None }),
            };
        }
        // The operation itself first: its refusal says more than that of a side effect.
        let terms = self.weigh(op, limit, &names)?;
        for effect in op.side_effects() {
            match effect {
                SideEffect::UnclearOption(option) => {
                    return Err(Refusal { by: Refuser::UnclearOption { option }, line: None });
                }
                SideEffect::OptionOfRoot { fstype, option } => {
                    return Err(Refusal { by: Refuser::OptionOfRoot { fstype, option }, line: None });
                }
                // No limit: an operation that changes nothing has no side effects.
                SideEffect::Operation(effect) => {
                    let weighed = self.weigh(&*effect, Access::Mutate, &names);
                    weighed.map_err(|refusal| Refusal { line: Some(effect.line()), ..refusal })?;
                }
            }
        }
        Ok(terms)
    }

    /// Tries each request that covers the operation against both policies. The first that passes counts, or else the refusal
    /// that came closest.
    fn weigh(&self, op: &dyn Operation, limit: Access, names: NameResolution<'_>) -> Result<PermitTerms, Refusal> {
        // The refusal that came closest tells the operator which single place has to change.
        let mut refusal = Refusal { by: Refuser::Driver, line: None };
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        for request in self.requests.iter().chain(&*earlier).filter(|request| op.is_covered_by(request, names)) {
            match self.try_request(request, op, limit, names) {
                Ok(terms) => return Ok(terms),
                Err(closer) if closer.rank() > refusal.rank() => refusal = closer,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn try_request(
        &self,
        request: &GrantRule,
        op: &dyn Operation,
        limit: Access,
        names: NameResolution<'_>,
    ) -> Result<PermitTerms, Refusal> {
        let refuse = |by, attributes: &str| Err(Refusal { by, line: Some(with_attributes(&op.line(), attributes)) });
        let attributes = if op.shows_attributes() { request.attributes.to_string() } else { String::new() };
        let declared_read = op.may_be_declared_read() && request.attributes.read;
        let access = if declared_read { Access::Read } else { op.access() };
        if let Some(device) = request.unowned.as_ref().filter(|_| !op.is_allowed_with_unowned(request)) {
            return refuse(device.refuser(), &attributes);
        }
        if access == Access::Mutate && limit == Access::Read {
            // The line to add is the one that declares the program harmless, without what else the request says.
            return refuse(Refuser::ReadOnly, if op.may_be_declared_read() { "(read)" } else { &attributes });
        }
        if !self.site.allows(op, request, names) {
            return refuse(self.site_refuser(), &attributes);
        }
        if !self.namespace.allows(op, request, names) {
            return refuse(Refuser::Namespace, &attributes);
        }
        Ok(PermitTerms { access, rule: Some(request.clone()) })
    }
}

/// The names of the attributes of a line.
fn attributes_of(line: &str) -> Vec<&str> {
    let head = line.split(" = ").next().unwrap_or_default();
    let inner = head.split_once('(').map_or("", |(_, inner)| inner.trim_end_matches(')'));
    inner
        .split(',')
        .map(|one| one.split('=').next().unwrap_or_default().trim())
        .filter(|name| !name.is_empty())
        .collect()
}

/// A request that is not bound, because a keyword in it has only the default of a third party.
#[derive(Debug, Clone)]
pub(crate) struct UnboundRequest {
    pub(crate) keyword: String,
    pub(crate) request: GrantRequest,
}

/// Why an operation is refused.
struct Refusal {
    by: Refuser,
    /// The missing line, where it is not simply the operation's own.
    line: Option<String>,
}

impl Refusal {
    /// How close the operation came to being allowed.
    fn rank(&self) -> u8 {
        match self.by {
            Refuser::Driver
            | Refuser::ForeignDefault { .. }
            | Refuser::UnclearOption { .. }
            | Refuser::OptionOfRoot { .. }
            | Refuser::Guard(_) => 0,
            Refuser::UnownedDevice { .. } => 1,
            Refuser::ReadOnly => 2,
            Refuser::Site | Refuser::OtherBuild { .. } => 3,
            Refuser::Namespace => 4,
        }
    }
}

/// The line of an operation with the attributes of a request behind its capability. Where the operation has one of the same name,
/// that is the more exact.
fn with_attributes(line: &str, attributes: &str) -> String {
    let Some((head, pattern)) = line.split_once(" = ").filter(|_| !attributes.is_empty()) else {
        return line.to_owned();
    };
    let (capability, own) = head.split_once('(').unwrap_or((head, ")"));
    let list = |text: &str| -> Vec<String> {
        let inner = text.trim_start_matches('(').trim_end_matches(')');
        inner.split(", ").filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    let name = |attribute: &str| attribute.split('=').next().unwrap_or_default().to_owned();
    let mut merged = list(own);
    // Where and as whom a program may run is the operation's to say, and not how far the request would go.
    let more = list(attributes).into_iter().filter(|one| !matches!(&*name(one), "user" | "group" | "cwd"));
    let more: Vec<String> = more.filter(|one| !merged.iter().any(|own| name(own) == name(one))).collect();
    merged.splice(0..0, more);
    let attributes = if merged.is_empty() { String::new() } else { format!("({})", merged.join(", ")) };
    format!("{capability}{attributes} = {pattern}")
}
