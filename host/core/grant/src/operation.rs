//! Every operation knows whether it changes anything, which grant line would allow it, and which rules do.

use std::fmt::Debug;
use std::path::Path;

use crate::line::address::NameResolution;
use crate::line::rule::GrantRule;

/// Whether an operation changes anything. `status` and `validate` may only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Mutate,
}

/// Something that needs a permit. Only the structs of [`crate::op`] implement it: the supertrait cannot be named elsewhere.
pub trait Operation: RuleMatch + Debug + Send + 'static {
    /// Whether it changes anything, unless a grant says that it does not (`exec(read)`).
    fn access(&self) -> Access;

    /// The concrete grant line that would allow it, or the name of an operation that needs none.
    fn line(&self) -> String;

    /// The operation on the place to which the links in its path have led. None if it is about no path, or about more than that.
    fn at(_real: &Path) -> Option<Box<dyn Operation>>
    where
        Self: Sized,
    {
        None
    }

    /// The same program in another working directory. None for anything but a program.
    fn in_directory(&self, _cwd: &Path) -> Option<Box<dyn Operation>> {
        None
    }

    /// The same program with other arguments. None for anything but a program.
    fn with_arguments(&self, _args: &[String]) -> Option<Box<dyn Operation>> {
        None
    }

    /// Whether its success counts as a change of the resource. The resource's own notes do not count.
    fn counts(&self) -> bool {
        self.access() == Access::Mutate
    }
}

/// How an operation is compared with the rules of requests and policies.
pub trait RuleMatch {
    /// Whether a request or an `allow` line of this rule allows it.
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool;

    /// Whether a `deny` line of this rule forbids it. A `deny` forbids more than an `allow` would allow: a path that may not be
    /// read may not be written, a tree that contains it may not be removed, a program that may not run may not be started to
    /// stay.
    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        self.is_covered_by(rule, names)
    }

    /// Whether a rule with an unowned device still allows it: so that a stop always works, a mount can always be unmounted.
    fn is_allowed_with_unowned(&self, _rule: &GrantRule) -> bool {
        false
    }

    /// Whether the attribute `read` of a request declares that the operation changes nothing.
    fn may_be_declared_read(&self) -> bool {
        false
    }

    /// Whether any line is needed at all.
    fn needs_grant(&self) -> bool {
        true
    }

    /// Whether a refusal shows the attributes of the request that came closest to allowing it.
    fn shows_attributes(&self) -> bool {
        true
    }

    /// Further operations that it causes, which must be granted as well.
    fn side_effects(&self) -> Vec<SideEffect> {
        Vec::new()
    }
}

/// A further operation that an operation causes.
pub enum SideEffect {
    Operation(Box<dyn Operation>),
    /// An option that could name a path in a way that cannot be checked.
    UnclearOption(String),
    /// An option of a mount that only the namespace `root` may use.
    OptionOfRoot {
        fstype: String,
        option: String,
    },
}
