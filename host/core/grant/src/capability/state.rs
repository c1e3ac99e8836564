//! The resource's own small state, which needs no line.

use crate::line::address::NameResolution;
use crate::line::rule::GrantRule;
use crate::operation::{Access, Operation, RuleMatch};

/// Read or write the resource's own state. It needs no grant, and `status` and `validate` may never do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepState;

impl Operation for KeepState {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        "state".to_owned()
    }

    fn counts(&self) -> bool {
        false
    }
}

impl RuleMatch for KeepState {
    fn is_covered_by(&self, _: &GrantRule, _: NameResolution<'_>) -> bool {
        false
    }

    fn needs_grant(&self) -> bool {
        false
    }
}
