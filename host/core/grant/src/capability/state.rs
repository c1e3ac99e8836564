//! The resource's own small state and its holdings, which need no line.

use crate::line::address::NameResolution;
use crate::line::rule::GrantRule;
use crate::operation::{Access, Operation, RuleMatch};

/// Read the resource's own state. Every verb may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadState;

/// Write the resource's own state. It needs no grant, and `status` and `validate` may never do it.
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

impl Operation for ReadState {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        "state(read)".to_owned()
    }
}

/// List what the resource holds. Every verb may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeHoldings;

impl Operation for SeeHoldings {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        "holdings(read)".to_owned()
    }
}

/// Undo what the resource holds. The record of the holding allows it, and not a grant: a grant is bound to what the keywords say
/// now, and a thing must be undone as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseHolding {
    /// The thing, for the audit trail.
    pub thing: String,
}

impl Operation for ReleaseHolding {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("holdings = release {}", self.thing)
    }
}

/// No line covers these operations, and none is needed.
macro_rules! without_a_line {
    ($($operation:ty),*) => {
        $(impl RuleMatch for $operation {
            fn is_covered_by(&self, _: &GrantRule, _: NameResolution<'_>) -> bool {
                false
            }

            fn needs_grant(&self) -> bool {
                false
            }
        })*
    };
}

without_a_line!(ReadState, KeepState, SeeHoldings, ReleaseHolding);
