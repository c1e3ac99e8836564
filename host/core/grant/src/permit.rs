//! The proof that an operation is allowed, and the refusal that names the line which would allow it.

use std::fmt;

use crate::bind::binder::UnownedDevice;
use crate::guard::SocketGuard;
use crate::line::rule::GrantRule;
use crate::operation::{Access, Operation};

/// Proof that an operation is allowed. Only [`crate::Grants::permit`] makes one, and the one effect that it is for uses it
/// up.
#[derive(Debug)]
pub struct Permit<O> {
    op: O,
    terms: PermitTerms,
}

/// The statements about an operation in the line that allows it.
#[derive(Debug)]
pub(crate) struct PermitTerms {
    pub(crate) access: Access,
    /// The line. None for an operation that needs none.
    pub(crate) rule: Option<GrantRule>,
}

impl<O: Operation> Permit<O> {
    pub(crate) fn new(op: O, terms: PermitTerms) -> Permit<O> {
        Permit { op, terms }
    }

    /// The operation that is allowed.
    pub fn op(&self) -> &O {
        &self.op
    }

    /// Gives up the proof for the operation's arguments.
    pub fn into_op(self) -> O {
        self.op
    }

    /// The line that allows it, as a rule. None for an operation that needs none.
    pub(crate) fn rule(&self) -> Option<&GrantRule> {
        self.terms.rule.as_ref()
    }

    /// Whether the operation changes anything, by the grant that allows it: an `exec(read)` does not.
    pub fn access(&self) -> Access {
        self.terms.access
    }

    /// The line of the driver's requests, bound to this resource, that allows it.
    pub fn line(&self) -> String {
        self.terms.rule.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// The guard that must judge a request before it is sent.
    pub fn guard(&self) -> Option<SocketGuard> {
        self.terms.rule.as_ref()?.attributes.guard
    }

    /// The capabilities(7) that a program keeps, by their names such as `cap_net_admin`, or `all`. Empty for all but programs.
    pub fn caps(&self) -> Vec<String> {
        self.terms.rule.iter().flat_map(|rule| &rule.attributes.caps).cloned().collect()
    }
}

/// Who refused an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refuser {
    /// The driver's manifest does not request it.
    Driver,
    /// The driver's manifest requests it with a keyword that the configuration does not hold: its default is the word of the
    /// driver's author alone.
    ForeignDefault {
        keyword: String,
        /// The request that names it.
        request: String,
    },
    /// `status` and `validate` may only read.
    ReadOnly,
    /// The site's policy for this driver.
    Site,
    /// The site's policy for this driver is about another build of it.
    OtherBuild {
        /// The build that the site allowed.
        allowed: crate::policy::ComponentDigest,
    },
    /// The policy of the object's namespace.
    Namespace,
    /// A keyword took a device from another resource, and this host never gave it that device.
    UnownedDevice {
        keyword: String,
        /// The resource that the value came from.
        rid: model::Rid,
    },
    /// The guard of the socket: the request is not the resource's own business, for this reason.
    Guard(String),
    /// An option of a mount names a path in a way that cannot be checked.
    UnclearOption { option: String },
    /// An option of a mount that only the namespace `root` may use.
    OptionOfRoot { fstype: String, option: String },
}

impl UnownedDevice {
    pub(crate) fn refuser(&self) -> Refuser {
        Refuser::UnownedDevice { keyword: self.keyword.clone(), rid: self.rid.clone() }
    }
}

impl fmt::Display for Refuser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refuser::Driver => f.write_str("the driver did not ask for it"),
            Refuser::ForeignDefault { keyword, request } => {
                write!(
                    f,
                    "{keyword} is not set, and its default, which the driver's author wrote, does not bind {request:?}"
                )
            }
            Refuser::ReadOnly => f.write_str("status and validate may only look"),
            Refuser::Site => f.write_str("the site's policy for this driver does not allow it"),
            Refuser::OtherBuild { allowed } => {
                write!(f, "the site allowed another build of this driver, {}", allowed.short())
            }
            Refuser::Namespace => f.write_str("the policy of the namespace does not allow it"),
            Refuser::UnownedDevice { keyword, rid } => {
                write!(f, "{keyword} names a device that this host never gave to {rid}")
            }
            Refuser::Guard(reason) => f.write_str(reason),
            Refuser::OptionOfRoot { fstype, option } => {
                write!(f, "the option {option:?} of {fstype} is for the namespace root alone")
            }
            Refuser::UnclearOption { option } => {
                write!(f, "the option {option:?} must name absolute paths, without \\ and commas")
            }
        }
    }
}

/// A refusal: the line that would allow the operation, and who must agree to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {by}")]
pub struct PermitDenial {
    /// The concrete grant line that is missing.
    pub line: String,
    pub by: Refuser,
}
