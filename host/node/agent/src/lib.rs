//! The agent on one node: where its files stand, its objects on disk, what it remembers of their instances, the lock of an
//! action and the log. The command line uses it in process; a daemon would use it the same way.
//!
//! What is kept here survives a crash at any point: files are replaced whole, locks die with their holder.

mod act_error;
mod action;
pub mod active;
mod agent;
pub mod catalogue;
pub mod console;
mod copying;
pub mod drivers;
pub mod durable;
pub mod effective;
mod exposures;
pub mod folders;
pub mod home;
mod judgement;
pub mod lock;
pub mod log;
pub mod memory;
pub mod node;
pub mod objects;
pub mod sealing;
mod site;
mod stand_in;
pub mod status;
pub mod stores;
pub mod text;
mod trigger;
mod variables;
mod view;

pub use act_error::ActError;
pub use action::{Acted, Request};
pub use agent::{Agent, source};
pub use catalogue::Catalogue;
pub use copying::{CopyRequest, Place};
pub use home::Home;
pub use judgement::Refused;
pub use objects::Objects;
pub use stores::Stores;

/// An error and its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
