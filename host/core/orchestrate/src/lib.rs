//! The orchestrator: what the daemon does next with each object, and why.
//!
//! ```text
//!  View ── decide ──▶ Decision { steps, reasons, wake_at }
//!   ▲                    │
//!   └── the daemon does the steps, and sees what has changed
//! ```
//!
//! Pure: no clock, no input or output. A decision rests on a whole view at one revision of the store and on the time of this
//! node's own clock, and on nothing that an earlier decision left. So any change, and any wake-up, may lead to a new decision;
//! what waits is derived each time and stored nowhere; and no step comes again unless something has changed.

mod action;
mod affinity;
mod all;
mod case;
mod decide;
mod dependency;
mod identity;
mod intent;
mod matter;
mod node;
mod placement;
mod queue;
mod reason;
mod record;
mod restart;
mod rules;
mod step;
mod time;
mod view;

pub use action::{ActionCause, ActionEnd, ActionRecord, ActionScope, ActionStep, InstanceAction, RunningAction};
pub use all::{DecisionCache, ViewChange, decide, first_wake};
pub use decide::decide_object;
pub use identity::{ActionSequence, FencingToken, IntentId, NodeIncarnation, StoreRevision};
pub use intent::{
    InstanceProgress, Intent, IntentGoal, IntentOutcome, OperatorOrder, OrderAcceptance, OrderChange, OrderRefusal,
    OrderVerb, accept,
};
pub use node::{NodeDecision, NodeStep, decide_nodes};
pub use placement::preferred_nodes;
pub use reason::Reason;
pub use record::{BootPhase, InstanceRecord, LocalExpect, MonitorEpisode};
pub use restart::{AttemptLog, NextAttempt, RESTART_WINDOW, RestartRules};
pub use rules::{AffinityRules, MonitorAction, ObjectRelative, ObjectRules, ResourceRules};
pub use step::{Decision, SlotStep, Step};
pub use time::BootTime;
pub use view::{
    BeatTiming, ClusterState, ConfigState, FenceState, IncompleteView, InstanceFailure, InstanceView, NodeDrain,
    NodeStanding, NodeState, NodeView, ObjectView, ResourceView, SlotStanding, SlotState, SlotView, StatusView, View,
    ViewParts,
};
