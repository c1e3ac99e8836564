//! What the site and a namespace allow: lines of `allow` and `deny`, the latter always stronger.

use crate::bind::{Binder, NoLedger, Unbound};
use crate::caps::ALL_CAPS;
use crate::line::{Capability, Line};
use crate::rule::{Asked, Learned, Rule};
use crate::{BindError, Context};

/// Lines of `allow` and `deny`. What stands in a namespace's `policy` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether what no line is about is allowed.
    open: bool,
    allow: Vec<Line>,
    deny: Vec<Line>,
}

/// What a namespace without a file may do: touch its own files, and have containers as far as the guard lets it. No device,
/// no program, no network of the node.
const OWN_PATHS: &str = "
allow files.write = /srv/{namespace}/**
allow files.write = {rundir}/**
allow files.write = {statedir}/**
allow http.unix(guard=container) = * /** /**
";

impl Policy {
    pub(crate) fn new(open: bool, allow: Vec<Line>, deny: Vec<Line>) -> Policy {
        Policy { open, allow, deny }
    }

    /// Allows everything: the root namespace.
    pub fn everything() -> Policy {
        Policy::new(true, Vec::new(), Vec::new())
    }

    /// Allows nothing.
    pub fn nothing() -> Policy {
        Policy::new(false, Vec::new(), Vec::new())
    }

    /// What a namespace without a file may do: touch its own files, and have containers.
    pub fn own_paths() -> Policy {
        Policy::parse(OWN_PATHS).unwrap_or_else(|_| Policy::nothing())
    }

    /// The same, but with everything allowed that no line is about, if nothing is allowed by a line.
    pub(crate) fn opened(mut self) -> Policy {
        self.open = self.allow.is_empty();
        self
    }

    /// The policy for one resource.
    pub(crate) fn bind(&self, context: &Context) -> Result<BoundPolicy, BindError> {
        Ok(BoundPolicy { open: self.open, allow: rules(&self.allow, context)?, deny: rules(&self.deny, context)? })
    }
}

fn rules(lines: &[Line], context: &Context) -> Result<Vec<Rule>, BindError> {
    let mut rules = Vec::new();
    for line in lines {
        match line.bind(&Binder::new(context, &[], &NoLedger, line.as_str())) {
            Ok(bound) => rules.extend(bound),
            // No keyword stands in a policy, so none is absent.
            Err(Unbound::Absent) => {}
            Err(Unbound::Illegal(error)) => return Err(*error),
        }
    }
    Ok(rules)
}

/// A policy for one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoundPolicy {
    open: bool,
    pub(crate) allow: Vec<Rule>,
    pub(crate) deny: Vec<Rule>,
}

impl BoundPolicy {
    /// Whether the policy allows what is asked, to a request of these attributes.
    pub(crate) fn allows(&self, asked: Asked<'_>, request: &Rule, learned: Learned<'_>) -> bool {
        if self.forbids(asked, learned) {
            return false;
        }
        self.open || self.allow.iter().any(|rule| rule.covers(asked, learned) && rule.admits(request))
    }

    /// Whether a line, whatever its attributes, or the lack of all lines allows what is asked.
    pub(crate) fn allows_bare(&self, asked: Asked<'_>, learned: Learned<'_>) -> bool {
        !self.forbids(asked, learned) && (self.open || self.allow.iter().any(|rule| rule.covers(asked, learned)))
    }

    fn forbids(&self, asked: Asked<'_>, learned: Learned<'_>) -> bool {
        self.deny.iter().any(|rule| rule.forbids(asked, learned))
    }

    /// Whether there is nothing that it does not allow.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }
}

impl Rule {
    /// Whether this `allow` line is wide enough for a request: an `exec(read)` admits no `exec`, a line with a guard nothing
    /// without it, and no line admits a capability(7) that it does not name.
    fn admits(&self, request: &Rule) -> bool {
        let read = self.capability != Capability::Exec || !self.read || request.read;
        let guarded = self.guard.is_none() || self.guard == request.guard;
        read && guarded && (self.caps.contains(ALL_CAPS) || request.caps.is_subset(&self.caps))
    }
}
