//! A policy for one resource, and how it decides.

use crate::line::address::NameResolution;
use crate::line::rule::GrantRule;
use crate::operation::Operation;
use crate::policy::ComponentDigest;

/// A policy for one resource.
#[derive(Debug, Clone)]
pub(crate) struct BoundPolicy {
    /// Whether everything is allowed that no line forbids.
    pub(crate) open: bool,
    pub(crate) allow: Vec<GrantRule>,
    pub(crate) deny: Vec<GrantRule>,
    /// The build that the site allowed, if it is another one.
    pub(crate) other_build: Option<ComponentDigest>,
}

impl BoundPolicy {
    /// Whether the policy allows the operation to a request of these attributes.
    pub(crate) fn allows(&self, op: &dyn Operation, request: &GrantRule, names: NameResolution<'_>) -> bool {
        let allow = |rule: &GrantRule| op.is_covered_by(rule, names) && rule.admits(request);
        // A `deny` is stronger than any `allow`, so it is asked first.
        !self.forbids(op, names) && (self.open || self.allow.iter().any(allow))
    }

    /// The same, where `covers` says which lines are about the operation.
    pub(crate) fn allows_where(
        &self,
        op: &dyn Operation,
        request: &GrantRule,
        names: NameResolution<'_>,
        covers: &dyn Fn(&GrantRule) -> bool,
    ) -> bool {
        let allow = |rule: &GrantRule| covers(rule) && rule.admits(request);
        !self.forbids(op, names) && (self.open || self.allow.iter().any(allow))
    }

    /// Whether the policy allows the operation by a line of any attributes, or because it is open.
    pub(crate) fn allows_bare(&self, op: &dyn Operation, names: NameResolution<'_>) -> bool {
        !self.forbids(op, names) && (self.open || self.allow.iter().any(|rule| op.is_covered_by(rule, names)))
    }

    pub(crate) fn forbids(&self, op: &dyn Operation, names: NameResolution<'_>) -> bool {
        self.deny.iter().any(|rule| op.is_forbidden_by(rule, names))
    }

    /// The lines that can decide about an operation which this request allows: none if the policy allows all of it. `None` if no
    /// line can allow one.
    pub(crate) fn lines_about(&self, request: &GrantRule) -> Option<Vec<String>> {
        let decides = |rule: &&GrantRule| {
            let also = request.capability.also_decided_by;
            (rule.is(request.capability) || also.contains(&rule.capability.name))
                && rule.pattern.may_meet(&*request.pattern)
        };
        let is_same = |rule: &GrantRule| {
            rule.is(request.capability)
                && rule.admits(request)
                && rule.pattern.to_string() == request.pattern.to_string()
        };
        if !self.deny.iter().any(|rule| decides(&rule)) && self.allow.iter().any(is_same) {
            return Some(Vec::new());
        }
        let allow: Vec<String> = self.allow.iter().filter(decides).map(|rule| format!("allow {rule}")).collect();
        // A `deny` alone cannot allow anything.
        if allow.is_empty() && !self.open {
            return None;
        }
        Some(allow.into_iter().chain(self.deny.iter().filter(decides).map(|rule| format!("deny {rule}"))).collect())
    }
}
