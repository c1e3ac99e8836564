//! What a caller asks of an instance: the action, on which resources, under which conditions, and on whose behalf.

use std::time::Duration;

use model::select::{ResourceFilter, ResourceOptions};
use model::{NodeName, Rid};
use plan::CopyRequest;

use crate::instance::ActionSession;

/// An action that a caller asks of an instance.
#[derive(Debug, Clone)]
pub struct ActionRequest {
    pub action: plan::Action,
    /// Which resources to act on. An empty filter means all.
    pub filter: ResourceFilter,
    /// How far to go through the order of resources.
    pub to: Option<plan::Barrier>,
    /// Act on standby and unprovisioned resources too.
    pub force: bool,
    /// Do not undo a failed start.
    pub disable_rollback: bool,
    /// The operator has confirmed in advance that data may be destroyed.
    pub confirm: bool,
    /// Take on what stands in the way of a start, although this resource did not make it.
    pub adopt: bool,
    /// A stop counts even if it is not proven that nothing is held any more.
    pub i_know: bool,
    /// Act only if the digest of the plan begins with this.
    pub if_plan: Option<String>,
    /// How many members of a parallel subset act at once. None: what the node's configuration says.
    pub parallel: Option<usize>,
    /// How long to wait for an action that is running. None: act beside it.
    pub wait: Option<Duration>,
    /// `-e NAME=VALUE`, for triggers.
    pub env: Vec<(String, String)>,
    /// What a sync copies.
    pub copying: CopyRequest,
    /// Where a migration goes.
    pub destination: Option<NodeName>,
    /// Another node leads a provision or an unprovision of the object: this one leaves to it what both have, and starts nothing.
    pub follows: bool,
    /// Whether a user has ordered the action from the daemon, and waits for its outcome.
    pub asked_for: bool,
    /// The command as the user typed it, without secrets, for the log.
    pub command: String,
    pub origin: RequestOrigin,
}

/// The party on whose behalf an action is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOrigin {
    /// A user typed a command.
    User,
    /// The daemon brings an object into its expected state.
    Daemon,
    /// A schedule was due.
    Scheduler,
    /// A resource of another object uses it.
    Service,
}

impl RequestOrigin {
    /// The word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            RequestOrigin::User => "user",
            RequestOrigin::Daemon => "daemon",
            RequestOrigin::Scheduler => "scheduler",
            RequestOrigin::Service => "service",
        }
    }
}

impl ActionRequest {
    /// A request about all of the instance, without any option, that does not wait for another action.
    pub fn new(action: plan::Action, origin: RequestOrigin, command: String) -> ActionRequest {
        ActionRequest {
            action,
            filter: ResourceFilter::default(),
            to: None,
            force: false,
            disable_rollback: false,
            confirm: false,
            adopt: false,
            i_know: false,
            if_plan: None,
            parallel: None,
            wait: Some(Duration::ZERO),
            env: Vec::new(),
            copying: CopyRequest::default(),
            destination: None,
            follows: false,
            asked_for: false,
            command,
            origin,
        }
    }

    /// The same about these resources alone.
    #[must_use]
    pub fn limited_to<'r>(self, rids: impl IntoIterator<Item = &'r Rid>) -> ActionRequest {
        let words = rids.into_iter().map(Rid::to_string).collect::<Vec<_>>().join(",");
        let options = ResourceOptions { rid: Some(&words), ..ResourceOptions::default() };
        // The ids of resources are words that a filter reads.
        ActionRequest { filter: ResourceFilter::new(options).expect("ids of resources are a filter"), ..self }
    }

    /// A new session with an id of its own, to carry out the action.
    pub(super) fn session(&self) -> ActionSession {
        let session = ActionSession {
            sid: uuid::Uuid::new_v4().to_string(),
            force: self.force,
            confirm: self.confirm,
            adopt: self.adopt,
            i_know: self.i_know,
            confirms: self.asked_for || self.origin == RequestOrigin::User,
            follows: self.follows,
            env: self.env.clone(),
            ..ActionSession::default()
        };
        // Values given on the command line are secret if their names say so.
        let secret = self.env.iter().filter(|(name, _)| model::is_secret_name(name));
        secret.for_each(|(_, value)| session.secrets.add(value));
        session
    }
}
