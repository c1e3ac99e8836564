//! The lines of a policy: `allow` and `deny`, the latter always stronger.

use super::bound::BoundPolicy;
use super::digest::ComponentDigest;
use crate::bind::binder::{BindFailure, Binder};
use crate::bind::context::{AnyDeviceLedger, BindError, GrantContext, GrantKeyword};
use crate::line::grant_line::GrantLine;
use crate::line::rule::GrantRule;

/// A policy of `allow` and `deny` lines, as a namespace's `policy` file holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether everything is allowed that no line forbids.
    open: bool,
    allow: Vec<GrantLine>,
    deny: Vec<GrantLine>,
    /// The build that the file is about, if it is another one than the driver's.
    other_build: Option<ComponentDigest>,
}

impl Policy {
    pub(crate) fn new(open: bool, allow: Vec<GrantLine>, deny: Vec<GrantLine>) -> Policy {
        Policy { open, allow, deny, other_build: None }
    }

    /// Allows everything: the policy of the root namespace.
    pub fn everything() -> Policy {
        Policy::new(true, Vec::new(), Vec::new())
    }

    /// Allows nothing.
    pub fn nothing() -> Policy {
        Policy::new(false, Vec::new(), Vec::new())
    }

    /// Allows nothing, because the site allowed another build.
    pub(crate) fn of_other_build(named: ComponentDigest) -> Policy {
        Policy { other_build: Some(named), ..Policy::nothing() }
    }

    /// The same lines; without `allow` lines, everything is allowed that no `deny` line forbids.
    pub(crate) fn opened(mut self) -> Policy {
        // The first `allow` line turns the file from a list of exceptions into the list of all that is allowed.
        self.open = self.allow.is_empty();
        self
    }

    /// Binds the policy to one resource, whose keywords the lines of a site may name.
    pub(crate) fn bind(&self, context: &GrantContext, keywords: &[GrantKeyword<'_>]) -> Result<BoundPolicy, BindError> {
        Ok(BoundPolicy {
            open: self.open,
            allow: rules(&self.allow, context, keywords)?,
            deny: rules(&self.deny, context, keywords)?,
            other_build: self.other_build.clone(),
        })
    }
}

fn rules(
    lines: &[GrantLine],
    context: &GrantContext,
    keywords: &[GrantKeyword<'_>],
) -> Result<Vec<GrantRule>, BindError> {
    let mut rules = Vec::new();
    for line in lines {
        // Whose device a keyword names is judged where the driver requests it.
        match line.bind(&Binder::new(context, keywords, &AnyDeviceLedger, line.as_str())) {
            Ok(bound) => rules.extend(bound),
            // A keyword that is not set: its line allows nothing.
            Err(BindFailure::Absent) => {}
            Err(BindFailure::Illegal(error)) => return Err(*error),
        }
    }
    Ok(rules)
}
