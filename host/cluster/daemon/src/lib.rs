//! The daemon of a node: it watches the instances, decides what comes next, and does it.
//!
//! Others hold a [`DaemonHandle`]: the API, and nothing else. It asks the one task that owns the daemon's state, and follows
//! its events.
//!
//! ```text
//!  api ──▶ DaemonHandle ──DaemonRequest──▶ the task that owns the state
//!   ▲                                          │
//!   └────── EventReader ◀── EventLog ◀─────────┘
//! ```

mod event;
mod handle;

pub use event::{EventLog, EventReader};
pub use handle::{Asked, DaemonHandle, DaemonRequest, RequestError, request_channel};
