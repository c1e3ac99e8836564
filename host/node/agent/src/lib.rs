//! The agent of one node: its directories, the objects on disk, what it remembers of their instances, the lock of an action
//! and the log. The command line uses it in process; a daemon would use it the same way.
//!
//! Everything that is kept here survives a crash at any point: files are replaced whole, and a lock dies with its holder.

#![allow(missing_docs, reason = "fields of plain data are left to their names")]

mod action;
mod agent;
pub mod console;
pub mod datastore;
pub mod drivers;
mod error_chain;
pub mod file;
pub mod home;
mod instance;
pub mod log;
pub mod node;
pub mod object;
pub mod sealing;
mod snapshot;
pub mod state;
pub mod status;
mod variables;

pub use action::{ActError, ActionOutcome, ActionRequest, RequestOrigin};
pub use agent::{Agent, source};
pub use datastore::DataStores;
pub use error_chain::chain;
pub use home::Directories;
pub use instance::RejectedKeyword;
pub use object::{ConfigurationCatalogue, ObjectFiles};
