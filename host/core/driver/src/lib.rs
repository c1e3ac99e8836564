//! Where the executor and the runtime meet: the [`Driver`] trait and its plain types.
//!
//! `exec` calls a [`Driver`] and knows of no sandbox; `runtime` implements it and knows of no plan; tests fake it.

mod bounds;
mod call;
mod cancel;
mod console;
mod log;
mod manifest;

pub use bounds::CallBounds;
pub use call::{ActionError, ActionReport, Call, Change, Fault, Problem, RunReport, StatusReport, TargetReport};
pub use cancel::{Cancel, Cancelled};
pub use console::{Attachment, Console, Terminal};
pub use log::{Level, Log, Message, Silent};
pub use manifest::{Manifest, ManifestError};
pub use model::Verb;
pub use model::object::KeywordValue;

use std::pin::Pin;
use std::sync::Arc;

/// A future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A driver, ready to be called. Every call stands alone: nothing is remembered in the driver between two of them.
pub trait Driver: Send + Sync {
    /// What the driver says of itself.
    fn manifest(&self) -> &Manifest;

    /// Checks the keywords beyond their types.
    fn validate<'a>(
        &'a self,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, Result<Vec<Problem>, ActionError>>;

    /// How the resource is. Never fails: what went wrong is a report of state `undef` with a message and the fault.
    fn status<'a>(&'a self, call: &'a Call, bounds: &'a CallBounds, log: Arc<dyn Log>) -> BoxFuture<'a, StatusReport>;

    /// One of [`Verb::Start`], [`Verb::Stop`], [`Verb::Provision`], [`Verb::Unprovision`].
    fn act<'a>(
        &'a self,
        verb: Verb,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, ActionReport>;

    /// Runs a task once. [`ActionError::Unsupported`] where the driver is no task.
    fn run<'a>(
        &'a self,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, Result<RunReport, ActionError>>;

    /// Copies to targets. [`ActionError::Unsupported`] where the driver does not copy.
    fn sync<'a>(
        &'a self,
        verb: &'a str,
        targets: &'a [String],
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, Result<Vec<TargetReport>, ActionError>>;

    /// Moves the resource to another node while it runs. [`ActionError::Unsupported`] where it cannot be moved.
    fn migrate<'a>(
        &'a self,
        to: &'a str,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, ActionReport> {
        let _ = (to, call, bounds, log);
        let result = Err(ActionError::Unsupported);
        Box::pin(std::future::ready(ActionReport { change: Change::Unchanged, result }))
    }

    /// Connects a terminal to the inside of the resource until either side ends it. Returns the exit status of what ran
    /// there. [`ActionError::Unsupported`] where there is no inside.
    fn console<'a>(
        &'a self,
        asked: &'a Console,
        terminal: &'a Terminal,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, Result<i32, ActionError>> {
        let _ = (asked, terminal, call, bounds, log);
        Box::pin(std::future::ready(Err(ActionError::Unsupported)))
    }
}
