//! What a caller asks of an instance: the action, on which resources, under which conditions, and on whose behalf.

use std::time::Duration;

use model::NodeName;
use model::select::ResourceFilter;
use plan::CopyRequest;

use crate::instance::ActionSession;

/// What is asked of an instance.
#[derive(Debug, Clone)]
pub struct ActionRequest {
    /// The action.
    pub action: plan::Action,
    /// Of which resources.
    pub filter: ResourceFilter,
    /// No further than this.
    pub to: Option<plan::Barrier>,
    /// Also what is standby or not provisioned.
    pub force: bool,
    /// Leave a failed start as it is.
    pub disable_rollback: bool,
    /// Yes to whatever wants to be confirmed.
    pub confirm: bool,
    /// Only if the plan's digest begins so.
    pub if_plan: Option<String>,
    /// How many members of a parallel subset at once.
    pub parallel: Option<usize>,
    /// How long to wait for an action that is under way. None: act beside it.
    pub wait: Option<Duration>,
    /// `-e NAME=VALUE`, for triggers.
    pub env: Vec<(String, String)>,
    /// What a sync copies.
    pub copying: CopyRequest,
    /// Where a migration goes.
    pub destination: Option<NodeName>,
    /// The command as it was typed, without secrets, for the log.
    pub command: String,
    /// On whose behalf.
    pub origin: RequestOrigin,
}

/// On whose behalf an action is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOrigin {
    /// A user typed a command.
    User,
    /// The daemon brings an object where it is to be.
    Daemon,
    /// A schedule came due.
    Scheduler,
}

impl RequestOrigin {
    /// The word in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            RequestOrigin::User => "user",
            RequestOrigin::Daemon => "daemon",
            RequestOrigin::Scheduler => "scheduler",
        }
    }
}

impl ActionRequest {
    /// A new session, to do what was asked for.
    pub(super) fn session(&self) -> ActionSession {
        let session = ActionSession {
            sid: uuid::Uuid::new_v4().to_string(),
            force: self.force,
            confirm: self.confirm,
            env: self.env.clone(),
            ..ActionSession::default()
        };
        let secret = self.env.iter().filter(|(name, _)| model::is_secret_name(name));
        secret.for_each(|(_, value)| session.secrets.add(value));
        session
    }
}
