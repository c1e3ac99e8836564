//! The daemon of a node: it watches the instances, decides what comes next, and does it.
//!
//! One task owns all of the daemon's state ([`owner`]). Everything else runs beside it, and sends it a message when it is done:
//!
//! ```text
//!  watch: files, control groups, mounts, links ──Notice──┐
//!  store: what has changed, answers ─────────────────────┤
//!  agent: configurations, statuses, ends of actions ─────┼──▶ owner ──▶ view ──▶ decide ──▶ steps
//!  DaemonHandle: orders, questions ──DaemonRequest───────┘      │
//!  EventReader ◀── EventLog ◀───────────────────────────────────┤
//!  TraceReader ◀── TraceLog ◀───────────────────────────────────┘
//! ```
//!
//! The owner never waits for any of them. It ends when a request says so; then nothing more is begun, what runs is given a
//! moment to end, and what does not is recovered by the next daemon: services are left as they are.
//!
//! On disk it keeps, below `var`: the store, a record of each instance, and the number of its last event. All but the orders
//! that have not ended can be made again from the configurations and the states of the instances.

mod clock;
mod cluster;
mod engine;
mod event;
mod guard;
mod handle;
mod hook;
mod instance;
mod machine;
mod owner;
mod run_program;
mod start;
mod trace;
mod watch;

pub use event::{EventLog, EventReader};
pub use handle::{Asked, DaemonHandle, DaemonRequest, RequestError, request_channel};
pub use run_program::{ORIGIN_VARIABLE, TaskProgram};
pub use start::{DaemonOptions, RunningDaemon, StartError, start};
pub use trace::{TraceLog, TraceReader};
