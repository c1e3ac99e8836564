//! The agent of one node: its directories, the objects on disk, what it remembers of their instances, the lock of an action
//! and the log. The command line uses it in process; a daemon would use it the same way.
//!
//! Everything that is kept here survives a crash at any point: files are replaced whole, and a lock dies with its holder.

#![allow(missing_docs, reason = "fields of plain data are left to their names")]

mod action;
mod agent;
mod audit;
pub mod console;
pub mod datastore;
pub mod drivers;
pub mod edit;
pub mod engine;
mod error_chain;
mod failure_kind;
pub mod fence;
pub mod file;
pub mod flags;
mod guarded;
pub mod history;
mod holdings;
pub mod home;
mod hook;
mod instance;
pub mod log;
mod names;
pub mod node;
pub mod object;
pub mod policy;
pub mod process_group;
mod processors;
mod snapshot;
pub mod state;
pub mod status;
mod timetable;
mod volume;

pub use action::{ActError, ActionOutcome, ActionRequest, RequestOrigin, TaskRun};
pub use agent::{Agent, source};
pub use datastore::DataStores;
// What a caller of the agent hands to it.
pub use capability::net::TERM_LOCK;
pub use driver::{CancelSignal, ConsoleRequest, LogSeverity, OperatorTerminal};
pub use error_chain::chain;
pub use failure_kind::ending;
pub use guarded::CutList;
pub use history::ChangeAuthor;
pub use home::Directories;
pub use hook::{HookError, HookEvent, HookRule};
pub use instance::RejectedKeyword;
pub use object::{ConfigurationCatalogue, ObjectFiles, ObjectScan};
pub use processors::on_all_processors;
pub use snapshot::NodeSnapshot;
// What a caller is shown of the calls that it watches.
pub use runtime::DriverCallNote;
// The program that embeds the agent must run this child when it is asked to, see `runtime`.
pub use runtime::{COMPILE_VERB, compile_child};
