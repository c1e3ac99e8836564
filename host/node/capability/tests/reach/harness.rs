//! A resource with keywords and grants, and calls of its driver.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driver::{CallBounds, DriverCall, KeywordValue, LogSeverity, LogSink, Verb};
use grant::{GrantContext, GrantKeyword, GrantRequest, Grants, NoDeviceLedger, Policy};
use hostler_capability::holdings::{LedgerPlaces, Ledgers};
use hostler_capability::{
    CallContext, CallInputs, CgroupSlice, ContextSetup, DeviceOwners, HostServices, InstancePaths, NoAudit,
    OUTPUT_BUDGET, RecordPlace, ResourcePaths, ResourceQueues, Subject,
};
use model::Rid;

/// A resource `app#1` of the object `web`.
pub(crate) struct Resource {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) keywords: Vec<KeywordValue>,
    pub(crate) grants: Vec<String>,
    pub(crate) slice: Option<PathBuf>,
    pub(crate) deadline: Duration,
    pub(crate) lines: Arc<Lines>,
}

#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl LogSink for Lines {
    fn line(&self, _: Option<&Rid>, level: LogSeverity, text: &str) {
        self.0.lock().unwrap().push(format!("{level:?} {text}"));
    }
}

impl Resource {
    pub(crate) fn new(grants: &[&str]) -> Resource {
        Resource {
            directory: tempfile::tempdir().unwrap(),
            keywords: Vec::new(),
            grants: grants.iter().map(|&line| line.to_owned()).collect(),
            slice: None,
            deadline: Duration::from_secs(60),
            lines: Arc::default(),
        }
    }

    pub(crate) fn keyword(mut self, name: &str, values: &[&str]) -> Resource {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        self.keywords.push(KeywordValue::new(name, values));
        self
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().canonicalize().unwrap().join(name).to_str().unwrap().to_owned()
    }

    /// One call of the driver. Each stands alone, as after a restart of the agent.
    pub(crate) fn context(&self, verb: Verb) -> CallContext {
        let call = DriverCall {
            object: "web".parse().unwrap(),
            rid: "app#1".parse().unwrap(),
            driver: "app.simple".parse().unwrap(),
            node: "n1".parse().unwrap(),
            peers: Vec::new(),
            sid: "s1".to_owned(),
            keywords: Arc::new(self.keywords.clone()),
            secrets: Vec::new(),
            vars: Arc::default(),
            limits: Arc::default(),
        };
        let paths = ResourcePaths {
            instance: Arc::new(InstancePaths {
                rundir: self.path("run").into(),
                config: self.path("web.conf").into(),
                logdir: self.path("log").into(),
                slice: Arc::new(CgroupSlice::at(self.slice.clone())),
                keeper: "/nowhere".into(),
                holdings: LedgerPlaces::below(self.directory.path()),
            }),
            statedir: self.path("state").into(),
            record: RecordPlace::new(self.path("record").into(), Path::new(&self.path("state"))),
        };
        let host = HostServices {
            audit: Arc::new(NoAudit),
            audit_reads: Arc::default(),
            owners: Arc::new(DeviceOwners::default()),
            ledgers: Ledgers::default(),
            started: Arc::default(),
            volumes: Arc::new(hostler_capability::volume::NoVolumes),
            queues: ResourceQueues::default(),
        };
        CallContext::new(ContextSetup {
            grants: self.bind(&call, &paths),
            templates: None,
            subject: Arc::new(Subject::from(&call)),
            sid: call.sid.clone(),
            inputs: CallInputs::from(&call),
            bounds: CallBounds::within(self.deadline),
            verb,
            digest: "".into(),
            paths,
            output_budget: OUTPUT_BUDGET,
            log: self.lines.clone(),
            services: Arc::new(host),
        })
    }

    fn bind(&self, call: &DriverCall, paths: &ResourcePaths) -> Grants {
        let requests: Vec<GrantRequest> = self.grants.iter().map(|line| line.parse().unwrap()).collect();
        let context = GrantContext {
            object: call.object.clone(),
            rid: call.rid.clone(),
            node: call.node.clone(),
            rundir: paths.instance.rundir.clone(),
            statedir: paths.statedir.clone(),
            config: paths.instance.config.clone(),
            peers: Vec::new(),
        };
        let keywords: Vec<GrantKeyword<'_>> =
            call.keywords.iter().map(|keyword| GrantKeyword::written(&keyword.name, &keyword.values)).collect();
        let everything = Policy::everything();
        Grants::bind(&requests, &context, &keywords, &NoDeviceLedger, &everything, &everything).unwrap()
    }

    /// The log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.lines.0.lock().unwrap().clone()
    }
}

pub(crate) fn changes(context: &CallContext) -> u64 {
    context.mutations().load(Ordering::Acquire)
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
pub(crate) fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}
