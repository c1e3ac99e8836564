//! The lines of a policy: `allow` and `deny`, the latter always stronger.

use super::bound::BoundPolicy;
use crate::bind::binder::{BindFailure, Binder};
use crate::bind::context::{BindError, GrantContext, NoDeviceLedger};
use crate::line::grant_line::GrantLine;
use crate::line::rule::GrantRule;

/// A policy of `allow` and `deny` lines, as a namespace's `policy` file holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether everything is allowed that no line forbids.
    open: bool,
    allow: Vec<GrantLine>,
    deny: Vec<GrantLine>,
}

impl Policy {
    pub(crate) fn new(open: bool, allow: Vec<GrantLine>, deny: Vec<GrantLine>) -> Policy {
        Policy { open, allow, deny }
    }

    /// Allows everything: the policy of the root namespace.
    pub fn everything() -> Policy {
        Policy::new(true, Vec::new(), Vec::new())
    }

    /// Allows nothing.
    pub fn nothing() -> Policy {
        Policy::new(false, Vec::new(), Vec::new())
    }

    /// The same lines; without `allow` lines, everything is allowed that no `deny` line forbids.
    pub(crate) fn opened(mut self) -> Policy {
        // The first `allow` line turns the file from a list of exceptions into the list of all that is allowed.
        self.open = self.allow.is_empty();
        self
    }

    /// Binds the policy to one resource.
    pub(crate) fn bind(&self, context: &GrantContext) -> Result<BoundPolicy, BindError> {
        Ok(BoundPolicy { open: self.open, allow: rules(&self.allow, context)?, deny: rules(&self.deny, context)? })
    }
}

fn rules(lines: &[GrantLine], context: &GrantContext) -> Result<Vec<GrantRule>, BindError> {
    let mut rules = Vec::new();
    for line in lines {
        match line.bind(&Binder::new(context, &[], &NoDeviceLedger, line.as_str())) {
            Ok(bound) => rules.extend(bound),
            // A policy names no keywords, so none is absent.
            Err(BindFailure::Absent) => {}
            Err(BindFailure::Illegal(error)) => return Err(*error),
        }
    }
    Ok(rules)
}
