//! A driver that cannot be called. It answers for its resource with the reason, so that the other resources go on.

use std::sync::Arc;

use driver::{
    ActionError, ActionReport, BoxFuture, CallBounds, Change, Driver, DriverCall, DriverFault, FenceReport, FenceWork,
    KeywordProblem, LogSeverity, LogSink, Manifest, ReportMessage, RunReport, StatusReport, TargetReport, Verb,
};
use model::DriverName;
use model::status::{Provisioned, State};

/// Takes the place of a driver that cannot be called.
pub(crate) struct UnavailableDriver {
    manifest: Manifest,
    why: Unavailable,
}

/// Why the driver cannot be called.
#[derive(Debug, Clone)]
pub(crate) enum Unavailable {
    /// The driver is not installed, or does not load.
    Missing(DriverFault),
    /// A keyword names a device of another resource that is down, and this resource was not started on it: it cannot be up.
    NothingBelow(String),
    /// A keyword names a device of another resource whose state is unknown.
    Unresolved(String),
}

impl UnavailableDriver {
    pub(crate) fn new(name: DriverName, why: Unavailable) -> UnavailableDriver {
        let manifest = Manifest {
            name,
            aliases: Vec::new(),
            version: String::new(),
            summary: String::new(),
            description: String::new(),
            keywords: Vec::new(),
            grants: Vec::new(),
            verbs: Vec::new(),
            persistent: false,
            implicit: None,
        };
        UnavailableDriver { manifest, why }
    }

    fn error(&self) -> ActionError {
        match &self.why {
            Unavailable::Missing(fault) => fault.clone().into(),
            Unavailable::NothingBelow(text) => ActionError::InvalidConfig(text.clone()),
            Unavailable::Unresolved(text) => ActionError::Failed(text.clone()),
        }
    }

    fn report(&self) -> StatusReport {
        // Only a resource that certainly has nothing below it is down; any doubt is undef, so that nothing is started twice.
        let (state, messages, fault) = match &self.why {
            Unavailable::Missing(fault) => (State::Undef, Vec::new(), Some(fault.clone())),
            Unavailable::NothingBelow(_) => (State::Down, Vec::new(), None),
            Unavailable::Unresolved(text) => {
                (State::Undef, vec![ReportMessage { level: LogSeverity::Warn, text: text.clone() }], None)
            }
        };
        StatusReport {
            state,
            provisioned: Provisioned::Undef,
            label: self.manifest.name.to_string(),
            messages,
            exposes: Vec::new(),
            uses: Vec::new(),
            fault,
        }
    }

    fn action(&self, verb: Verb) -> ActionReport {
        match (&self.why, verb) {
            // Without the device below, the resource is down already, and what was provisioned on the device is gone too.
            (Unavailable::NothingBelow(text), Verb::Stop | Verb::Unprovision) => {
                ActionReport { change: Change::Unchanged, result: Ok(text.clone()) }
            }
            _ => ActionReport { change: Change::Unchanged, result: Err(self.error()) },
        }
    }
}

impl Driver for UnavailableDriver {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn validate<'a>(
        &'a self,
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<KeywordProblem>, ActionError>> {
        Box::pin(std::future::ready(Err(self.error())))
    }

    fn status<'a>(&'a self, _: &'a DriverCall, _: &'a CallBounds, _: Arc<dyn LogSink>) -> BoxFuture<'a, StatusReport> {
        Box::pin(std::future::ready(self.report()))
    }

    fn act<'a>(
        &'a self,
        verb: Verb,
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, ActionReport> {
        Box::pin(std::future::ready(self.action(verb)))
    }

    fn run<'a>(
        &'a self,
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<RunReport, ActionError>> {
        Box::pin(std::future::ready(Err(self.error())))
    }

    fn migrate<'a>(
        &'a self,
        _: &'a str,
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, ActionReport> {
        Box::pin(std::future::ready(self.action(Verb::Migrate)))
    }

    fn fence<'a>(
        &'a self,
        _: FenceWork,
        _: &'a str,
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<FenceReport, ActionError>> {
        Box::pin(std::future::ready(Err(self.error())))
    }

    fn sync<'a>(
        &'a self,
        _: &'a str,
        _: &'a [String],
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<TargetReport>, ActionError>> {
        Box::pin(std::future::ready(Err(self.error())))
    }
}
