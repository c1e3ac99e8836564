//! A grant line after binding: nothing in it is a template, so an operation can be compared with it.

use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bind::binder::UnownedDevice;
use crate::capability::definition::{Capability, LinePattern};
use crate::line::attributes::{AttributeKind, RuleAttributes};
use crate::line::origin::LineOrigin;
use crate::line::path_glob::PathGlob;

/// A grant line after binding.
#[derive(Debug, Clone)]
pub struct GrantRule {
    pub(crate) capability: &'static Capability,
    pub(crate) attributes: RuleAttributes,
    pub(crate) origin: LineOrigin,
    pub(crate) pattern: Arc<dyn LinePattern>,
    /// A device in the line that this host never gave to the resource it came from: the line then allows only
    /// unmounting, see [`crate::operation::RuleMatch::is_allowed_with_unowned`].
    pub(crate) unowned: Option<UnownedDevice>,
}

impl GrantRule {
    /// The line's pattern, if it is of this type: each operation knows the patterns that can allow it.
    pub(crate) fn pattern<P: LinePattern>(&self) -> Option<&P> {
        // Through the trait object: on the Arc itself, the type would be that of the Arc.
        let pattern: &dyn Any = &*self.pattern;
        pattern.downcast_ref()
    }

    /// The same line about the place to which the links of the node lead from the path in it.
    pub(crate) fn relocated(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<GrantRule> {
        let cwd: Vec<PathGlob> = self.attributes.cwd.iter().filter_map(|cwd| cwd.relocated(follow)).collect();
        let pattern = self.pattern.relocated(follow);
        if pattern.is_none() && cwd.is_empty() {
            return None;
        }
        let mut rule = self.clone();
        rule.pattern = pattern.unwrap_or(rule.pattern);
        // Beside the directories as they are written: a link may lead from the program, from the directory, or from both.
        rule.attributes.cwd.extend(cwd);
        Some(rule)
    }

    /// Whether the line is of this capability.
    pub(crate) fn is(&self, capability: &Capability) -> bool {
        self.capability == capability
    }

    /// Whether this `allow` line is wide enough for a request: an `exec(read)` admits no `exec`, a line with a guard admits
    /// nothing without it, and no line admits a capability(7) that it does not name.
    pub(crate) fn admits(&self, request: &GrantRule) -> bool {
        // Only `exec` declares: for interfaces and addresses, the operations themselves know which lines only look.
        let declares = self.capability.attributes.contains(&AttributeKind::ChangesNothing);
        let read = !declares || !self.attributes.read || request.attributes.read;
        let guarded = self.attributes.guard.is_none() || self.attributes.guard == request.attributes.guard;
        read && guarded && self.attributes.keep_caps_of(&request.attributes)
    }
}

impl fmt::Display for GrantRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} = {}", self.capability.name, self.attributes, self.pattern)
    }
}
