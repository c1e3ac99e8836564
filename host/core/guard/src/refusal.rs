//! Why a request is not let through, and which keyword would have to say otherwise.

/// Why a request is not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardRefusal {
    /// The engine might read it in another way than the guard.
    #[error("the request is not in its plain form: {0}")]
    Unclear(String),
    /// Nothing a resource needs.
    #[error("{method} {path} is nothing that a resource may ask of a container engine")]
    Unknown {
        /// `POST`.
        method: String,
        /// `/containers/…/update`.
        path: String,
    },
    /// A part of the request that the guard does not know.
    #[error("{0} is not known to the guard")]
    Member(String),
    /// A part of the request that is no value of its kind.
    #[error("{member}: expected {expected}")]
    Shape {
        /// `HostConfig.Binds`.
        member: String,
        /// `a list of texts`.
        expected: &'static str,
    },
    /// The resource's keywords do not say so.
    #[error("{member} is {value}: the keyword {keyword} would have to say so")]
    Keyword {
        /// `HostConfig.Privileged`.
        member: String,
        /// Never a secret.
        value: String,
        /// The keyword that decides.
        keyword: &'static str,
    },
    /// The keywords say so, and they may say that in the namespace `root` only.
    #[error("{member} is {value}: only objects of the namespace root may have that")]
    Namespace {
        /// `HostConfig.Privileged`.
        member: String,
        /// Never a secret.
        value: String,
    },
    /// The keywords say so, and the policy of the namespace does not allow it.
    #[error("{member} holds {path}: the policy of the namespace needs the line: allow files.{access} = {path}")]
    Policy {
        /// `HostConfig.Binds`.
        member: String,
        /// The path.
        path: String,
        /// `read` or `write`.
        access: &'static str,
    },
    /// The container is another's.
    #[error("the container {0} does not carry the labels of this resource")]
    Stranger(String),
    /// The resource's keywords cannot be understood.
    #[error("the keyword {keyword} cannot be understood: {reason}")]
    Configuration {
        /// The keyword.
        keyword: &'static str,
        /// Why.
        reason: String,
    },
    /// Only for an operator who asked for it.
    #[error("{0} is for an operator's console only")]
    Console(&'static str),
}
