//! The [`Driver`] trait and its plain types: the seam between the executor and the runtime.
//!
//! `exec` calls a [`Driver`] and does not know of the sandbox; `runtime` implements it and does not know of plans; tests fake it.

mod bounds;
mod call;
mod cancel;
mod console;
mod log;
mod manifest;

pub use bounds::CallBounds;
pub use call::{
    ActionError, ActionReport, Change, DriverCall, DriverFault, FenceReport, FenceWork, KeywordProblem, ProgramLimits,
    RunReport, StatusReport, TargetReport,
};
pub use cancel::{CancelSignal, CancelWait};
pub use console::{ConsoleAttachment, ConsoleRequest, OperatorTerminal};
pub use log::{LogSeverity, LogSink, ReportMessage, SilentLog};
pub use manifest::{Manifest, ManifestError};
pub use model::Verb;
pub use model::object::KeywordValue;

use std::pin::Pin;
use std::sync::Arc;

/// A future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A driver, ready to be called. Every call stands alone: the driver remembers nothing between two calls.
pub trait Driver: Send + Sync {
    /// The driver's description of itself.
    fn manifest(&self) -> &Manifest;

    /// Checks the values of the keywords, beyond their types.
    fn validate<'a>(
        &'a self,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<KeywordProblem>, ActionError>>;

    /// Reports the resource's status. It never fails: an error becomes a report of state `undef`, with a message or the fault.
    fn status<'a>(
        &'a self,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, StatusReport>;

    /// Performs one of [`Verb::Start`], [`Verb::Stop`], [`Verb::Provision`], [`Verb::Unprovision`].
    fn act<'a>(
        &'a self,
        verb: Verb,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, ActionReport>;

    /// Runs a task once. Returns [`ActionError::Unsupported`] if the driver is not a task.
    fn run<'a>(
        &'a self,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<RunReport, ActionError>>;

    /// Copies to targets. Returns [`ActionError::Unsupported`] if the driver does not copy.
    fn sync<'a>(
        &'a self,
        verb: &'a str,
        targets: &'a [String],
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<TargetReport>, ActionError>>;

    /// Moves the resource to another node while it runs. Returns [`ActionError::Unsupported`] if it cannot be moved.
    fn migrate<'a>(
        &'a self,
        to: &'a str,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, ActionReport> {
        // Most drivers cannot be moved. The parameters have names for those that can.
        let _ = (to, call, bounds, log);
        let result = Err(ActionError::Unsupported);
        Box::pin(std::future::ready(ActionReport { change: Change::Unchanged, result }))
    }

    /// Ends another node from outside, or tries whether that could be done. Returns [`ActionError::Unsupported`] if it cannot be.
    fn fence<'a>(
        &'a self,
        work: FenceWork,
        node: &'a str,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<FenceReport, ActionError>> {
        // Most drivers have nothing to do with nodes. The parameters have names for those that do.
        let _ = (work, node, call, bounds, log);
        Box::pin(std::future::ready(Err(ActionError::Unsupported)))
    }

    /// Connects a terminal to the inside of the resource until either side closes the connection. Returns the exit status of the
    /// program that ran there, or [`ActionError::Unsupported`] if the driver has no console.
    fn console<'a>(
        &'a self,
        asked: &'a ConsoleRequest,
        terminal: &'a OperatorTerminal,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<i32, ActionError>> {
        // Most drivers have no console. The parameters have names for those that do.
        let _ = (asked, terminal, call, bounds, log);
        Box::pin(std::future::ready(Err(ActionError::Unsupported)))
    }
}
