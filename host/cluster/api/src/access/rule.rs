//! What a route demands of the user who asks. Every route of the table has a rule, and nothing else decides who may ask it.

use std::fmt;

use model::{AccessRole, ObjectPath};
use protocol::daemon::{OrderCommand, OrderRequest};
use protocol::{FailureKind, RequestFailure};

use crate::route::ApiRequest;

/// What a route demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessRule {
    /// A user who is known. The answer is about nothing but the API and the user.
    Known,
    /// A guest of any namespace. The answer holds only what the user may see.
    Visible,
    /// This role in the namespace of the object that the address names.
    Object(AccessRole),
    /// The role that the order needs, in the same namespace.
    Order,
    /// An operator of the namespace of the object that the process is about.
    Process,
    Root,
    /// Another daemon of the cluster, which may ask nothing else.
    Peer,
    /// A node that joins, with its token, which the route judges. No other route answers it.
    Joiner,
}

impl AccessRule {
    /// Whether the user who asks may have this request answered.
    pub(crate) async fn check(self, request: &ApiRequest) -> Result<(), RequestFailure> {
        let caller = &request.caller;
        // A daemon is not a user, whatever a user may do, and no user is a daemon.
        if let (Some(node), true) = (caller.peer(), self != AccessRule::Peer) {
            return Err(denied(format!("the daemon of {node} may not do this: it is not a user")));
        }
        match (self, caller.join_token().is_some()) {
            (AccessRule::Joiner, true) => return Ok(()),
            (AccessRule::Joiner, false) => {
                return Err(denied(
                    "only a node that joins may do this: it needs a token of om cluster token".to_owned(),
                ));
            }
            (_, true) => return Err(denied("a token of om cluster token only lets a node join".to_owned())),
            (_, false) => {}
        }
        match self {
            AccessRule::Peer if caller.peer().is_some() => Ok(()),
            AccessRule::Peer => {
                Err(denied(format!("user {caller} may not do this: only the daemons of the cluster ask for it")))
            }
            AccessRule::Known => Ok(()),
            AccessRule::Visible if caller.grants.is_empty() => {
                Err(denied(format!("user {caller} has no grant (see the keyword grant of usr/{caller})")))
            }
            AccessRule::Visible => Ok(()),
            AccessRule::Object(role) => demand(request, role, &request.path()?),
            AccessRule::Order => {
                let order: OrderRequest = request.document()?;
                demand(request, order_role(&order.verb), &request.path()?)
            }
            AccessRule::Process => match request.process().await? {
                Some(process) => demand(request, AccessRole::Operator, &process.path),
                // A process that does not exist is in no namespace: the route answers that it is missing.
                None => Ok(()),
            },
            AccessRule::Root if caller.is_root() => Ok(()),
            AccessRule::Root | AccessRule::Joiner => {
                Err(denied(format!("user {caller} may not do this: it needs the role root")))
            }
        }
    }
}

/// The role that an order needs.
fn order_role(verb: &OrderCommand) -> AccessRole {
    match verb {
        OrderCommand::Purge | OrderCommand::Delete => AccessRole::Admin,
        OrderCommand::Start
        | OrderCommand::Stop
        | OrderCommand::Restart
        | OrderCommand::Freeze
        | OrderCommand::Thaw
        | OrderCommand::Provision
        | OrderCommand::Unprovision
        | OrderCommand::Switch { .. }
        | OrderCommand::Takeover
        | OrderCommand::Giveback
        | OrderCommand::Abort
        | OrderCommand::Clear => AccessRole::Operator,
    }
}

fn demand(request: &ApiRequest, role: AccessRole, path: &ObjectPath) -> Result<(), RequestFailure> {
    let (caller, namespace) = (&request.caller, path.namespace());
    if caller.has(role, namespace) {
        return Ok(());
    }
    let limited = caller.grants.give(role, namespace);
    let whose = if limited { format!("this token of user {caller}") } else { format!("user {caller}") };
    Err(denied(format!("{whose} may not do this to {path}: it needs the role {role} in namespace {namespace}")))
}

fn denied(message: String) -> RequestFailure {
    RequestFailure { kind: FailureKind::Denied, message }
}

/// As the description of the API says it.
impl fmt::Display for AccessRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccessRule::Known => f.write_str("any user who is known"),
            AccessRule::Visible => f.write_str("guest of any namespace; the answer holds only what the user may see"),
            AccessRule::Object(role) => write!(f, "{role} in the namespace of the object"),
            AccessRule::Order => f.write_str("operator in the namespace of the object, admin for purge and delete"),
            AccessRule::Process => f.write_str("operator in the namespace of the object that the process is about"),
            AccessRule::Root => f.write_str("root"),
            AccessRule::Peer => {
                f.write_str("another daemon of the cluster, by the key that it has published, and no user")
            }
            AccessRule::Joiner => f.write_str("a token of om cluster token, by which a node joins"),
        }
    }
}
