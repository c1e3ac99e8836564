//! The steps around every capability call: permit, deadline, count of changes, audit, log.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use driver::{CallBounds, CancelSignal, DriverCall, KeywordValue, LogSeverity, LogSink, Verb};
use grant::op::{KeepState, ReadPath, RunProgram, WritePath};
use grant::{GrantContext, GrantRequest, Grants, NoDeviceLedger, Operation, Permit, Policy};
use hostler_capability::holdings::{LedgerPlaces, Ledgers};
use hostler_capability::{
    AuditVerdict, CallContext, CallInputs, CapabilityError, CgroupSlice, ContextSetup, DeviceOwners, Effect,
    HostServices, InstancePaths, MemoryAudit, OUTPUT_BUDGET, RecordPlace, ResourcePaths, ResourceQueues, Subject,
};
use model::Rid;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl LogSink for Lines {
    fn line(&self, rid: Option<&Rid>, level: LogSeverity, text: &str) {
        let rid = rid.map(Rid::to_string).unwrap_or_default();
        self.0.lock().unwrap().push(format!("{rid} {level:?} {text}"));
    }
}

struct Bench {
    context: CallContext,
    audit: Arc<MemoryAudit>,
    log: Arc<Lines>,
    cancel: CancelSignal,
}

struct Options {
    verb: Verb,
    deadline: Duration,
    budget: u64,
    audit_reads: bool,
    threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            verb: Verb::Start,
            deadline: Duration::from_secs(60),
            budget: OUTPUT_BUDGET,
            audit_reads: false,
            threads: 8,
        }
    }
}

impl Bench {
    fn new() -> Bench {
        Bench::with(Options::default())
    }

    fn with(options: Options) -> Bench {
        let cancel = CancelSignal::default();
        let call = call();
        let bounds = CallBounds { deadline: options.deadline, cancel: cancel.clone() };
        let (audit, log) = (Arc::new(MemoryAudit::default()), Arc::new(Lines::default()));
        let host = HostServices {
            audit: audit.clone(),
            audit_reads: Arc::new(options.audit_reads.into()),
            owners: Arc::new(DeviceOwners::default()),
            ledgers: Ledgers::default(),
            started: Arc::default(),
            volumes: Arc::new(hostler_capability::volume::NoVolumes),
            queues: ResourceQueues::new(options.threads),
        };
        let paths = ResourcePaths {
            instance: Arc::new(InstancePaths {
                rundir: "/run".into(),
                logdir: "/log".into(),
                config: "/web.conf".into(),
                slice: Arc::new(CgroupSlice::at(None)),
                keeper: "/nowhere".into(),
                holdings: LedgerPlaces::below("/nowhere".as_ref()),
            }),
            statedir: "/state".into(),
            record: RecordPlace::new("/record".into(), Path::new("/state")),
        };
        let context = CallContext::new(ContextSetup {
            grants: grants(&call),
            templates: None,
            subject: Arc::new(Subject::from(&call)),
            sid: call.sid.clone(),
            inputs: CallInputs::from(&call),
            bounds,
            verb: options.verb,
            digest: "sha256:00".into(),
            paths,
            output_budget: options.budget,
            log: log.clone(),
            services: Arc::new(host),
        });
        Bench { context, audit, log, cancel }
    }

    async fn blocking<O: Operation, T: Send + 'static>(
        &self,
        op: O,
        effect: impl FnOnce(Permit<O>) -> Result<Effect<T>, CapabilityError> + Send + 'static,
    ) -> Result<T, CapabilityError> {
        self.context.admit(op)?.blocking(effect).await
    }

    async fn waiting<O: Operation, T, Fut>(
        &self,
        op: O,
        effect: impl FnOnce(Permit<O>) -> Fut + Send,
    ) -> Result<T, CapabilityError>
    where
        Fut: Future<Output = Result<Effect<T>, CapabilityError>> + Send,
    {
        self.context.admit(op)?.waiting(effect).await
    }

    fn changes(&self) -> u64 {
        self.context.mutations().load(Ordering::Acquire)
    }

    /// The audit trail, one line per record.
    fn trail(&self) -> Vec<String> {
        self.audit.records().iter().map(|record| format!("{} {:?}", record.call, record.verdict)).collect()
    }
}

fn call() -> DriverCall {
    let password = KeywordValue { secret: true, ..KeywordValue::new("pw", vec!["hunter2".into()]) };
    DriverCall {
        object: "web".parse().unwrap(),
        rid: "fs#1".parse().unwrap(),
        driver: "fs.ext4".parse().unwrap(),
        node: "n1".parse().unwrap(),
        peers: Vec::new(),
        sid: "s1".to_owned(),
        keywords: Arc::new(vec![password]),
        secrets: vec!["s3cret".to_owned()],
        vars: Arc::default(),
        limits: Arc::default(),
    }
}

fn grants(call: &DriverCall) -> Grants {
    let requests: Vec<GrantRequest> = ["files.write = /srv/a/**", "exec(read) = /bin/look", "exec = /bin/do *"]
        .map(|line| line.parse().unwrap())
        .into();
    let context = GrantContext {
        object: call.object.clone(),
        rid: call.rid.clone(),
        node: call.node.clone(),
        rundir: "/run".into(),
        statedir: "/state".into(),
        config: "/web.conf".into(),
        peers: Vec::new(),
    };
    Grants::bind(&requests, &context, &[], &NoDeviceLedger, &Policy::everything(), &Policy::everything()).unwrap()
}

fn write(path: &str) -> WritePath {
    WritePath { path: path.into() }
}

fn read(path: &str) -> ReadPath {
    ReadPath { path: path.into() }
}

fn exec(program: &str, args: &[&str]) -> RunProgram {
    RunProgram {
        program: program.into(),
        args: args.iter().map(ToString::to_string).collect(),
        ..RunProgram::default()
    }
}

#[tokio::test]
async fn a_change_is_counted_and_audited_and_a_look_is_not() {
    let bench = Bench::new();
    let seen = bench.blocking(read("/srv/a/x"), |permit| Ok(Effect::Nothing(permit.into_op().path))).await.unwrap();
    assert_eq!((seen.to_str(), bench.changes(), bench.trail().len()), (Some("/srv/a/x"), 0, 0));

    bench.blocking(write("/srv/a/x"), |_| Ok(Effect::Nothing(()))).await.unwrap();
    assert_eq!(bench.changes(), 0, "everything was as wanted");
    bench.blocking(write("/srv/a/x"), |_| Ok(Effect::Touched(()))).await.unwrap();
    assert_eq!(bench.changes(), 1);
    let failed: Result<(), CapabilityError> =
        bench.blocking(write("/srv/a/x"), |_| Err(CapabilityError::Other("full".into()))).await;
    assert_eq!((failed, bench.changes()), (Err(CapabilityError::Other("full".into())), 1));
    let done = "files.write = /srv/a/x Done(\"files.write = /srv/a/**\")";
    assert_eq!(bench.trail(), [done, done, "files.write = /srv/a/x Failed(\"full\")"]);
    let record = &bench.audit.records()[0];
    let who = (record.object.as_str(), record.rid.as_str(), record.driver.as_str(), record.sid.as_str(), record.action);
    assert_eq!(who, ("web", "fs#1", "fs.ext4", "s1", "start"));
}

#[tokio::test]
async fn reads_are_audited_where_the_site_wants_all() {
    let bench = Bench::with(Options { audit_reads: true, ..Options::default() });
    bench.blocking(read("/srv/a/x"), |_| Ok(Effect::Nothing(()))).await.unwrap();
    assert_eq!(bench.trail(), ["files.read = /srv/a/x Done(\"files.write = /srv/a/**\")"]);
}

#[tokio::test]
async fn a_refusal_never_acts_and_is_audited_with_the_missing_line() {
    let bench = Bench::new();
    let acts = |_| -> Result<Effect<()>, CapabilityError> { panic!("acted without a permit") };
    let refused = bench.blocking(write("/etc/passwd"), acts).await;
    assert_eq!(refused, Err(CapabilityError::Denied("files.write = /etc/passwd".to_owned())));
    assert_eq!(bench.trail(), ["files.write = /etc/passwd Denied(\"the driver did not ask for it\")"]);
    assert_eq!(bench.changes(), 0);
}

#[tokio::test]
async fn status_changes_nothing_and_its_warnings_belong_to_the_report() {
    let bench = Bench::with(Options { verb: Verb::Status, ..Options::default() });
    let refused = bench.blocking(write("/srv/a/x"), |_| Ok(Effect::Touched(()))).await;
    assert_eq!(refused, Err(CapabilityError::Denied("files.write = /srv/a/x".to_owned())));
    let state = bench.blocking(KeepState, |_| Ok(Effect::Nothing(()))).await;
    assert_eq!(state, Err(CapabilityError::Denied("state".to_owned())));
    bench.waiting(exec("/bin/look", &[]), async |_| Ok(Effect::Touched(()))).await.unwrap();
    assert_eq!(bench.changes(), 0, "exec(read) is not a change");
    bench.context.say(LogSeverity::Warn, "hunter2 is weak");
    bench.context.say(LogSeverity::Info, "fine");
    let messages: Vec<String> = bench.context.take_messages().into_iter().map(|message| message.text).collect();
    assert_eq!(messages, ["*** is weak"]);
    assert_eq!(*bench.log.0.lock().unwrap(), ["fs#1 Info fine"]);
}

#[tokio::test]
async fn the_resources_own_notes_are_not_a_change() {
    let bench = Bench::new();
    bench.blocking(KeepState, |_| Ok(Effect::Touched(()))).await.unwrap();
    assert_eq!((bench.changes(), bench.trail().len()), (0, 0));
}

#[tokio::test]
async fn secrets_show_in_no_trail_and_no_log() {
    let bench = Bench::new();
    bench.waiting(exec("/bin/do", &["hunter2"]), async |_| Ok(Effect::Touched(()))).await.unwrap();
    let refused = bench.blocking(write("/hunter2"), |_| Ok(Effect::Touched(()))).await;
    assert_eq!(refused, Err(CapabilityError::Denied("files.write = /***".to_owned())));
    bench.context.say(LogSeverity::Info, "login hunter2 by s3cret");
    assert_eq!(*bench.log.0.lock().unwrap(), ["fs#1 Info login *** by ***"]);
    assert_eq!(bench.audit.records().len(), 2);
    for record in bench.audit.records() {
        assert!(!format!("{record:?}").contains("hunter2"), "{record:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_effect_is_dropped_at_the_deadline_and_counted_as_a_change() {
    let bench = Bench::with(Options { deadline: Duration::from_secs(5), ..Options::default() });
    let late: Result<(), CapabilityError> = bench.waiting(exec("/bin/do", &["x"]), |_| std::future::pending()).await;
    assert_eq!((late, bench.changes()), (Err(CapabilityError::TimedOut), 1));
    assert_eq!(bench.trail(), ["exec = /bin/do x Failed(\"cut short\")"]);
    let over = bench.blocking(read("/srv/a/x"), |_| Ok(Effect::Nothing(()))).await;
    assert_eq!(over, Err(CapabilityError::TimedOut), "the call is over");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_effect_is_dropped_when_the_action_is_given_up() {
    let bench = Bench::new();
    let waiting =
        bench.waiting(exec("/bin/look", &[]), |_| std::future::pending::<Result<Effect<()>, CapabilityError>>());
    let (result, ()) = tokio::join!(waiting, async { bench.cancel.cancel() });
    assert_eq!(result, Err(CapabilityError::Cancelled));
    let next = bench.blocking(read("/srv/a/x"), |_| Ok(Effect::Nothing(()))).await;
    assert_eq!(next, Err(CapabilityError::Cancelled));
}

#[tokio::test]
async fn a_dropped_change_is_counted() {
    let bench = Bench::new();
    let never = |_| std::future::pending::<Result<Effect<()>, CapabilityError>>();
    let mut waiting = Box::pin(bench.waiting(exec("/bin/do", &["x"]), never));
    let mut waker = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.as_mut().poll(&mut waker).is_pending());
    drop(waiting);
    assert_eq!((bench.changes(), bench.trail()), (1, vec!["exec = /bin/do x Failed(\"cut short\")".to_owned()]));
}

#[tokio::test]
async fn a_kernel_call_that_returns_late_is_still_counted() {
    let bench = Bench::with(Options { deadline: Duration::from_millis(30), ..Options::default() });
    let (release, held) = mpsc::channel::<()>();
    let effect = move |_| {
        let _ = held.recv();
        Ok(Effect::Touched(()))
    };
    assert_eq!(bench.blocking(write("/srv/a/x"), effect).await, Err(CapabilityError::TimedOut));
    assert_eq!(bench.changes(), 0);
    let Subject { object, rid, .. } = bench.context.subject();
    let stuck = || bench.context.services().queues.stuck(object, rid).is_some();
    assert!(stuck());
    release.send(()).unwrap();
    while stuck() {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.changes(), 1);
    assert!(matches!(bench.audit.records()[..], [ref record] if matches!(record.verdict, AuditVerdict::Done(_))));
}

#[tokio::test(start_paused = true)]
async fn a_kernel_call_that_never_began_is_not_a_change() {
    let bench = Bench::with(Options { threads: 0, ..Options::default() });
    let waited = bench.blocking(write("/srv/a/x"), |_| Ok(Effect::Touched(()))).await;
    assert_eq!((waited, bench.changes(), bench.trail().len()), (Err(CapabilityError::TimedOut), 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_path_in_memory_needs_no_thread_and_is_checked_and_counted_all_the_same() {
    let bench = Bench::with(Options { threads: 0, ..Options::default() });
    let touch =
        async |path: &str, op| bench.context.admit(op)?.blocking_at(Path::new(path), |_| Ok(Effect::Touched(()))).await;
    assert_eq!(touch("/dev/none", write("/srv/a/x")).await, Ok(()));
    assert_eq!((bench.changes(), bench.trail().len()), (1, 1));
    assert!(matches!(touch("/dev/none", write("/etc/x")).await, Err(CapabilityError::Denied(_))));
    assert_eq!(touch("/srv/a/x", write("/srv/a/x")).await, Err(CapabilityError::TimedOut));
    assert_eq!(bench.changes(), 1);
}

#[tokio::test]
async fn past_its_budget_the_log_says_only_how_much_is_missing() {
    let bench = Bench::with(Options { budget: 10, ..Options::default() });
    for text in ["12345", "123", "too", "much", ""] {
        bench.context.say(LogSeverity::Info, text);
    }
    let log = bench.log.clone();
    drop(bench);
    let expected = ["fs#1 Info 12345", "fs#1 Info 123", "fs#1 Warn 3 more lines were dropped: the call wrote too much"];
    assert_eq!(*log.0.lock().unwrap(), expected);
}
