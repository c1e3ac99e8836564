//! The driver of a world, and what the executor needs besides.

use std::sync::Arc;

use driver::{
    ActionError, ActionReport, BoxFuture, CallBounds, CancelSignal, Driver, DriverCall, KeywordProblem, LogSeverity,
    LogSink, Manifest, ReportMessage, RunReport, StatusReport, TargetReport, Verb,
};
use exec::{EarlyExit, Facilities, FacilityError, PreparedCall, UnreleasedResource};
use model::Rid;
use model::object::Trigger;
use model::status::{Provisioned, State};

use super::{Behaviour, World};

pub(crate) struct FakeFacilities(pub(super) Arc<World>);

impl Facilities for FakeFacilities {
    fn prepare<'a>(&'a self, rid: &'a Rid, _: Verb) -> BoxFuture<'a, Result<PreparedCall, FacilityError>> {
        let call = DriverCall {
            object: "web".parse().unwrap(),
            rid: rid.clone(),
            driver: "fs.test".parse().unwrap(),
            node: "n1".parse().unwrap(),
            peers: Vec::new(),
            sid: "5e55".to_owned(),
            keywords: Arc::default(),
            secrets: Vec::new(),
            vars: Arc::default(),
            limits: Arc::default(),
        };
        let prepared = PreparedCall { driver: Arc::new(FakeDriver(Arc::clone(&self.0))), call };
        let unresolved = rid.index() == "unresolved";
        Box::pin(async move {
            if unresolved {
                Err(FacilityError::failed("{disk#1.exposed_devs[0]} does not resolve"))
            } else {
                Ok(prepared)
            }
        })
    }

    fn looked(&self, rid: &Rid, seen: StatusReport) {
        let last = self.0.calls().pop().unwrap_or_default();
        self.0.looked.lock().unwrap().push(format!("{rid} {} after {last}", seen.state));
    }

    fn trigger<'a>(
        &'a self,
        rid: &'a Rid,
        trigger: Trigger,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<(), FacilityError>> {
        let what = format!("{trigger} {rid}");
        self.0.called(what.clone());
        let fails = self.0.failing_triggers.lock().unwrap().contains(&what);
        Box::pin(async move { if fails { Err(FacilityError::failed("exit 1")) } else { Ok(()) } })
    }

    fn still_held<'a>(&'a self, stopped: &'a [Rid], _: &'a Arc<dyn LogSink>) -> BoxFuture<'a, Vec<UnreleasedResource>> {
        let rids: Vec<String> = stopped.iter().map(ToString::to_string).collect();
        self.0.proofs.lock().unwrap().push(rids.join(" "));
        let left = self.0.left.lock().unwrap();
        let held = stopped.iter().filter(|rid| left.contains(&rid.to_string()));
        let held =
            held.map(|rid| UnreleasedResource { rid: rid.clone(), things: vec!["a mount".to_owned()] }).collect();
        Box::pin(async move { held })
    }

    fn exited_early<'a>(
        &'a self,
        started: &'a [Rid],
        _: &'a CancelSignal,
        _: &'a Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Vec<EarlyExit>> {
        let short_lived = self.0.short_lived.lock().unwrap();
        let exited = started.iter().filter(|rid| short_lived.contains(&rid.to_string()));
        let exited = exited.map(|rid| {
            self.0.put(&rid.to_string(), false);
            EarlyExit { rid: rid.clone(), text: "its process 7 exited with 1 soon after its start".to_owned() }
        });
        let exited = exited.collect();
        Box::pin(async move { exited })
    }

    fn end_abandoned<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<String>, FacilityError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

struct FakeDriver(Arc<World>);

impl Driver for FakeDriver {
    fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    fn validate<'a>(
        &'a self,
        _: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<KeywordProblem>, ActionError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn status<'a>(
        &'a self,
        call: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, StatusReport> {
        let rid = call.rid.to_string();
        let (up, data) = (self.0.is(&rid, "up"), self.0.is(&rid, "data"));
        let undef = self.0.behaviour(&rid, Verb::Status).is_some();
        let messages = vec![ReportMessage { level: LogSeverity::Warn, text: "the device does not answer".to_owned() }];
        Box::pin(async move {
            StatusReport {
                state: if undef {
                    State::Undef
                } else if up {
                    State::Up
                } else {
                    State::Down
                },
                provisioned: if data { Provisioned::True } else { Provisioned::False },
                label: String::new(),
                messages: if undef { messages } else { Vec::new() },
                exposes: Vec::new(),
                uses: Vec::new(),
                fault: None,
            }
        })
    }

    fn act<'a>(
        &'a self,
        verb: Verb,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, ActionReport> {
        Box::pin(self.0.act(verb, call, bounds))
    }

    fn migrate<'a>(
        &'a self,
        to: &'a str,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, ActionReport> {
        Box::pin(self.0.act_as(format!("migrate {} {to}", call.rid), Verb::Migrate, call, bounds))
    }

    fn run<'a>(
        &'a self,
        call: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<RunReport, ActionError>> {
        self.0.called(format!("run {}", call.rid));
        let ended = match self.0.behaviour(&call.rid.to_string(), Verb::Run) {
            Some(Behaviour::GivesUp) => Err(ActionError::TimedOut("took too long".to_owned())),
            Some(Behaviour::Lacks) => Err(ActionError::Unsupported),
            failure => Ok(RunReport { exit_status: i32::from(failure.is_some()), text: String::new() }),
        };
        Box::pin(async move { ended })
    }

    fn sync<'a>(
        &'a self,
        _: &'a str,
        targets: &'a [String],
        call: &'a DriverCall,
        _: &'a CallBounds,
        _: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<TargetReport>, ActionError>> {
        let fails = self.0.behaviour(&call.rid.to_string(), Verb::Sync).is_some();
        let report = move |target: &String| TargetReport {
            target: target.clone(),
            bytes: 1,
            changed: true,
            error: (fails && target == "n3").then(|| "no route".to_owned()),
        };
        Box::pin(async move { Ok(targets.iter().map(report).collect()) })
    }
}
