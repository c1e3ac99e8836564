//! Why a request is denied, and which keyword could allow it.

/// Why a request is denied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardRefusal {
    /// The engine could read the request in another way than the guard.
    #[error("the request is not in its plain form: {0}")]
    Unclear(String),
    /// The request is outside the part of the API that resources need.
    #[error("{method} {path} is not a request that a resource may send to a container engine")]
    Unknown {
        /// `POST`.
        method: String,
        /// `/containers/…/update`.
        path: String,
    },
    /// The guard does not know a part of the request.
    #[error("{0} is not known to the guard")]
    Member(String),
    /// A member does not have the shape that the API defines.
    #[error("{member}: expected {expected}")]
    Shape {
        /// `HostConfig.Binds`.
        member: String,
        /// `a list of texts`.
        expected: &'static str,
    },
    /// The resource's keywords do not allow it.
    #[error("{member} is {value}: the keyword {keyword} does not allow that")]
    Keyword {
        /// `HostConfig.Privileged`.
        member: String,
        /// Never a secret.
        value: String,
        keyword: &'static str,
    },
    /// The keywords say so, and only in the namespace `root` may they.
    #[error("{member} is {value}: only objects of the namespace root may have that")]
    Namespace {
        /// `HostConfig.Privileged`.
        member: String,
        /// Never a secret.
        value: String,
    },
    /// No keyword and no namespace makes it legal.
    #[error("{member} lets the engine write to any file of the node: no container may have that")]
    Never {
        /// `HostConfig.LogConfig.path`.
        member: String,
    },
    /// The keywords say so, and the policy of the namespace forbids it.
    #[error("{member} holds {path}: the policy of the namespace needs the line: allow files.{access} = {path}")]
    Policy {
        /// `HostConfig.Binds`.
        member: String,
        path: String,
        /// `read` or `write`.
        access: &'static str,
    },
    /// The name could be that of another namespace's container.
    #[error("the container's name is {name}: names of the namespace {namespace} begin with {namespace}..")]
    Name { name: String, namespace: String },
    /// The source of a volume can be exchanged through another volume.
    #[error(
        "{inner} lies below {outer}, which {holder} may write, and could be exchanged for another path: mount {outer} alone"
    )]
    Nested { inner: String, outer: String, holder: String },
    /// The container belongs to another resource.
    #[error("the container {0} does not carry the labels of this resource")]
    Stranger(String),
    /// The resource's keywords cannot be read.
    #[error("the keyword {keyword} cannot be understood: {reason}")]
    Configuration { keyword: &'static str, reason: String },
    /// Only an operator's console may send this.
    #[error("{0} is for an operator's console only")]
    Console(&'static str),
}
