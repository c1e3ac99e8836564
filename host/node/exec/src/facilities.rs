//! What the executor needs from its caller, who knows the configuration: drivers, evaluated calls, triggers.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use driver::{BoxFuture, CallBounds, CancelSignal, Driver, DriverCall, LogSink, StatusReport, Verb};
use model::Rid;
use model::object::Trigger;

use crate::{EarlyExit, UnreleasedResource};

/// A driver, and the call to make of it.
pub struct PreparedCall {
    /// The driver.
    pub driver: Arc<dyn Driver>,
    /// The call, its keywords evaluated.
    pub call: DriverCall,
}

/// What the executor's caller does for it: it knows the instance that is acted on.
pub trait Facilities: Send + Sync {
    /// The driver of a resource, and its call, with keywords evaluated as of now.
    fn prepare<'a>(&'a self, rid: &'a Rid, verb: Verb) -> BoxFuture<'a, Result<PreparedCall, FacilityError>>;

    /// Takes note of the status that a resource had right after a successful call, before the triggers that follow it.
    fn looked(&self, rid: &Rid, seen: StatusReport);

    /// Runs a trigger and waits for it. Called only for triggers that are in the plan.
    fn trigger<'a>(
        &'a self,
        rid: &'a Rid,
        trigger: Trigger,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<(), FacilityError>>;

    /// Ends what triggers of a resource have left running, before its driver stops it: they may use what the driver takes away.
    fn end_leftovers<'a>(&'a self, rid: &'a Rid, log: &'a Arc<dyn LogSink>) -> BoxFuture<'a, ()> {
        let _ = (rid, log);
        Box::pin(std::future::ready(()))
    }

    /// The resources among these that still hold something, by the host's own look, although their stops succeeded. Asked once for
    /// all stops of a phase or of a rollback.
    fn still_held<'a>(
        &'a self,
        stopped: &'a [Rid],
        log: &'a Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Vec<UnreleasedResource>>;

    /// The resources among these that are down again, because their program has exited since their start succeeded. May wait until each
    /// program has run for a moment, as far as `cancel` lets it.
    fn exited_early<'a>(
        &'a self,
        started: &'a [Rid],
        cancel: &'a CancelSignal,
        log: &'a Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Vec<EarlyExit>> {
        let _ = (started, cancel, log);
        Box::pin(std::future::ready(Vec::new()))
    }

    /// Stops the commands that an action left running when its process died, so that none of them acts behind the back of the
    /// next action. Returns them as lines for the log.
    fn end_abandoned<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Result<Vec<String>, FacilityError>>;
}

/// Why the executor's caller could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum FacilityError {
    /// A sentence, and its cause if there is one.
    #[error("{message}")]
    Failed {
        /// What failed.
        message: String,
        /// Why.
        #[source]
        cause: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A trigger did not finish in time.
    #[error("not finished within {0:?}")]
    TimedOut(Duration),
}

impl FacilityError {
    /// A failure without a cause of its own.
    pub fn failed(message: impl Into<String>) -> FacilityError {
        FacilityError::Failed { message: message.into(), cause: None }
    }
}
