//! A driver in its sandbox: [`driver::Driver`] on top of a linked component.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bindings::driver::DriverIndices;
use bindings::driver::exports::hostler::driver::lifecycle::Guest;
use bindings::driver::hostler::driver::types as wit;
use bindings::{console, migrate, sync, task};
use capability::{Scope, Setup};
use driver::{
    ActionError, ActionReport, BoxFuture, Call, CallBounds, Console, Driver, Fault, Level, Log, Manifest, Problem,
    RunReport, StatusReport, TargetReport, Terminal, Verb,
};
use tokio::time::{sleep, timeout_at};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::outcome::Outcome;
use crate::runtime::Shared;
use crate::store::{Fresh, Limits, State, fresh};
use crate::{answer, way_out};

/// A driver that was loaded.
pub(crate) struct Sandboxed {
    pub(crate) trust: grant::Trust,
    pub(crate) manifest: Manifest,
    /// `sha256:` and the digest of its component.
    pub(crate) digest: String,
    pub(crate) requests: Vec<grant::Request>,
    pub(crate) policy: grant::Policy,
    pub(crate) limits: Limits,
    pub(crate) pre: InstancePre<State>,
    pub(crate) exports: DriverIndices,
    pub(crate) shared: Arc<Shared>,
}

/// How long a driver whose host call was given up may take to say so in its own words.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The exit status of a task that took too long, as timeout(1) has it.
const TIMED_OUT: i32 = 124;

/// No call takes longer, whatever is asked.
const FOREVER: Duration = Duration::from_secs(365 * 86400);

/// A running instance, lent to whoever calls one of its exports.
struct Running<'a> {
    store: &'a mut Store<State>,
    instance: Instance,
    lifecycle: &'a Guest,
    context: wit::ResourceContext,
}

impl Sandboxed {
    /// One call in a fresh store: bound grants, a slot of the engine, a deadline on the wall. `export` makes the call; what it
    /// returns is the driver's own answer, or the error that ended the guest.
    async fn call<T, F>(&self, verb: Verb, call: &Call, bounds: &CallBounds, log: Arc<dyn Log>, export: F) -> Outcome<T>
    where
        F: AsyncFnOnce(Running<'_>) -> wasmtime::Result<Result<T, ActionError>>,
    {
        self.call_for(verb, &[], call, bounds, log, export).await
    }

    /// The same, for an operator who wants a command run.
    async fn call_for<T, F>(
        &self,
        verb: Verb,
        argv: &[String],
        call: &Call,
        bounds: &CallBounds,
        log: Arc<dyn Log>,
        export: F,
    ) -> Outcome<T>
    where
        F: AsyncFnOnce(Running<'_>) -> wasmtime::Result<Result<T, ActionError>>,
    {
        if let Some(stuck) = self.shared.host.lanes.stuck(&call.object, &call.rid) {
            return Outcome::refused(Fault::Stuck(stuck.to_string()).into());
        }
        let scope = match self.scope(verb, argv, call, bounds, log.clone()) {
            Ok(scope) => Arc::new(scope),
            Err(error) => return Outcome::refused(error),
        };
        let Ok(_slot) = timeout_at(scope.deadline(), self.shared.engine.slot()).await else {
            return Outcome::refused(self.overdue(&scope));
        };
        let Fresh { mut store, output, meter } = fresh(self.shared.engine.get(), scope.clone(), self.limits);
        let guest = async {
            let instance = self.pre.instantiate_async(&mut store).await?;
            let exports = self.exports.load(&mut store, &instance)?;
            let lifecycle = exports.hostler_driver_lifecycle();
            let _at_work = self.shared.stopwatch.begin();
            export(Running {
                store: &mut store,
                instance,
                lifecycle,
                context: answer::context(scope.call(), scope.bounds().deadline),
            })
            .await
        };
        let ended = tokio::select! {
            biased;
            ended = timeout_at(scope.deadline() + LAST_WORDS, guest) => ended.map_err(|_| self.overdue(&scope)),
            // All capabilities have answered `cancelled` to it since. A driver that does not heed that is not waited for.
            () = async { scope.given_up().await; sleep(LAST_WORDS).await } => Err(ActionError::Cancelled),
        };
        let cut_short = !matches!(ended, Ok(Ok(_)));
        // What a driver prints is for its author, and its last words before a crash are for everybody.
        for line in output.lines().iter().filter(|line| !line.trim().is_empty()) {
            scope.say(if cut_short { Level::Warn } else { Level::Debug }, line);
        }
        let result = match ended {
            Ok(Ok(answer)) => answer.map_err(|error| self.told(&scope, error)),
            Ok(Err(error)) => {
                scope.say(Level::Debug, &format!("{error:#}"));
                Err(meter.fault(&error).into())
            }
            Err(error) => Err(error),
        };
        Outcome { result, cut_short, mutations: scope.mutations().load(Ordering::Acquire), scope: Some(scope) }
    }

    /// What is told of an error that the driver answered.
    fn told(&self, scope: &Scope, error: ActionError) -> ActionError {
        match error {
            ActionError::NeedsGrant { line, .. } => self.refusal(scope, line),
            error if scope.bounds().cancel.is_cancelled() => {
                scope.say(Level::Info, &error.to_string());
                ActionError::Cancelled
            }
            ActionError::Retryable(text) if scope.has_killed() || scope.is_overdue() => ActionError::TimedOut(text),
            ActionError::Failed(text) if scope.is_overdue() => ActionError::TimedOut(text),
            error => error,
        }
    }

    /// A refusal that tells the way out.
    fn refusal(&self, scope: &Scope, line: String) -> ActionError {
        let (driver, namespace) = (&self.manifest.name, scope.call().object.namespace());
        let refuser = scope.refuser(&line).unwrap_or(grant::Refuser::Driver);
        let way_out = way_out::way_out(driver, self.trust, namespace, scope.verb(), &refuser, &line);
        ActionError::NeedsGrant { line, way_out }
    }

    /// A call that did not end in time: perhaps because the kernel did not.
    fn overdue(&self, scope: &Scope) -> ActionError {
        let Call { object, rid, .. } = scope.call();
        let fault = match self.shared.host.lanes.stuck(object, rid) {
            Some(stuck) => Fault::Stuck(stuck.to_string()),
            None => Fault::Wall(scope.bounds().deadline),
        };
        fault.into()
    }

    /// What this driver may do for this resource, now that its keywords are known, and how long.
    fn scope(
        &self,
        verb: Verb,
        argv: &[String],
        call: &Call,
        bounds: &CallBounds,
        log: Arc<dyn Log>,
    ) -> Result<Scope, ActionError> {
        let paths = self.shared.node.paths(call);
        let grants = self.grants(call, &paths)?;
        let deadline = bounds.deadline.min(self.limits.wall).min(FOREVER);
        let bounds = CallBounds { deadline, cancel: bounds.cancel.clone() };
        let call = call.clone();
        let (digest, host) = (self.digest.clone(), self.shared.host.clone());
        let output_budget = self.limits.output;
        let argv = argv.to_vec();
        Ok(Scope::new(Setup { call, bounds, verb, digest, grants, paths, output_budget, argv, log, host }))
    }

    pub(crate) fn grants(&self, call: &Call, paths: &capability::Paths) -> Result<grant::Grants, ActionError> {
        let namespace = self.shared.node.namespace_policy(call.object.namespace()).map_err(ActionError::Failed)?;
        let context = grant::Context {
            object: call.object.clone(),
            rid: call.rid.clone(),
            node: call.node.clone(),
            rundir: paths.rundir.clone(),
            statedir: paths.statedir.clone(),
            config: paths.config.clone(),
            peers: call.peers.clone(),
        };
        let keywords: Vec<grant::Keyword<'_>> = call
            .keywords
            .iter()
            .map(|k| grant::Keyword { name: &k.name, values: &k.values, from: k.from.as_ref() })
            .collect();
        let ledger = |_: &model::Rid, device: &str| self.shared.host.ledger.gave_any(&call.object, device);
        grant::Grants::bind(&self.requests, &context, &keywords, &ledger, &self.policy, &namespace)
            .map_err(|error| ActionError::InvalidConfig(error.to_string()))
    }

    async fn status_of(&self, call: &Call, bounds: &CallBounds, log: Arc<dyn Log>) -> StatusReport {
        let outcome = self
            .call(Verb::Status, call, bounds, log, async |running: Running<'_>| {
                let Running { store, lifecycle, context, .. } = running;
                Ok(lifecycle.call_status(store, &context).await?.map_err(answer::action_error))
            })
            .await;
        let mut report = match outcome.result {
            Ok(report) => answer::status(report),
            Err(error) => answer::no_status(error),
        };
        if let Some(scope) = outcome.scope {
            report.messages.extend(scope.take_messages());
            self.keep_its_own(&scope, &mut report);
        }
        report
    }

    /// Devices and network namespaces that a driver exposes aim the grants of others: they are believed only of whom they
    /// belong to.
    fn keep_its_own(&self, scope: &Scope, report: &mut StatusReport) {
        report.exposes.retain(|(name, value)| {
            let own = match name.as_str() {
                "device" => self.owns_device(scope, value),
                "netns" => self.owns_netns(scope, value),
                _ => true,
            };
            if !own {
                let text = format!("exposes {value}, which is not its own: ignored");
                report.messages.push(driver::Message { level: Level::Warn, text });
            }
            own
        });
    }

    /// The host gave it to this resource, or this resource's own grants match it.
    fn owns_device(&self, scope: &Scope, device: &str) -> bool {
        let call = scope.call();
        let read = grant::op::ReadDevice { path: device.to_owned() };
        let own = self.shared.host.ledger.gave(&call.object, &call.rid, device)
            || scope.grants().permit(read, grant::Access::Read).is_ok();
        if own {
            scope.give_device(device);
        }
        own
    }

    /// A driver that comes with the agent knows its containers. Of any other, the grants for this resource match it, or a
    /// process of this resource is in it.
    fn owns_netns(&self, scope: &Scope, netns: &str) -> bool {
        let see = grant::op::SeeNetns { netns: netns.to_owned() };
        self.trust == grant::Trust::BuiltIn
            || scope.grants().permit(see, grant::Access::Read).is_ok()
            || capability::netns::is_of_own_process(scope, netns.as_ref())
    }

    async fn act_on(&self, verb: Verb, call: &Call, bounds: &CallBounds, log: Arc<dyn Log>) -> ActionReport {
        let outcome = self
            .call(verb, call, bounds, log, async |running: Running<'_>| {
                let Running { store, lifecycle, context, .. } = running;
                let ended = match verb {
                    Verb::Start => lifecycle.call_start(store, &context).await?,
                    Verb::Stop => lifecycle.call_stop(store, &context).await?,
                    Verb::Provision => lifecycle.call_provision(store, &context).await?,
                    Verb::Unprovision => lifecycle.call_unprovision(store, &context).await?,
                    Verb::Validate
                    | Verb::Status
                    | Verb::Run
                    | Verb::Sync
                    | Verb::Enter
                    | Verb::Exec
                    | Verb::Logs
                    | Verb::Migrate => Err(wit::ActionError::Unsupported),
                };
                Ok(ended.map_err(answer::action_error))
            })
            .await;
        outcome.report()
    }
}

impl Driver for Sandboxed {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn validate<'a>(
        &'a self,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, Result<Vec<Problem>, ActionError>> {
        Box::pin(async move {
            let outcome = self
                .call(Verb::Validate, call, bounds, log, async |running: Running<'_>| {
                    let Running { store, lifecycle, context, .. } = running;
                    Ok(lifecycle.call_validate(store, &context).await?.map_err(answer::action_error))
                })
                .await;
            outcome.result.map(|problems| problems.into_iter().map(answer::problem).collect())
        })
    }

    fn status<'a>(&'a self, call: &'a Call, bounds: &'a CallBounds, log: Arc<dyn Log>) -> BoxFuture<'a, StatusReport> {
        Box::pin(self.status_of(call, bounds, log))
    }

    fn act<'a>(
        &'a self,
        verb: Verb,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, ActionReport> {
        Box::pin(self.act_on(verb, call, bounds, log))
    }

    fn run<'a>(
        &'a self,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, Result<RunReport, ActionError>> {
        Box::pin(async move {
            let outcome = self
                .call(Verb::Run, call, bounds, log, async |running: Running<'_>| {
                    let Running { store, instance, context, .. } = running;
                    let Ok(export) = task::HostTask::new(&mut *store, &instance) else {
                        return Ok(Err(ActionError::Unsupported));
                    };
                    let ended = export.hostler_driver_task().call_run(store, &context).await?;
                    Ok(ended.map_err(answer::action_error))
                })
                .await;
            let killed = outcome.scope.is_some_and(|scope| scope.has_killed() || scope.is_overdue());
            outcome.result.and_then(|ended| match ended.exit_status {
                TIMED_OUT if killed => Err(ActionError::TimedOut(ended.text)),
                exit_status => Ok(RunReport { exit_status, text: ended.text }),
            })
        })
    }

    fn sync<'a>(
        &'a self,
        verb: &'a str,
        targets: &'a [String],
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, Result<Vec<TargetReport>, ActionError>> {
        Box::pin(async move {
            let outcome = self
                .call(Verb::Sync, call, bounds, log, async |running: Running<'_>| {
                    let Running { store, instance, context, .. } = running;
                    let Ok(export) = sync::HostSync::new(&mut *store, &instance) else {
                        return Ok(Err(ActionError::Unsupported));
                    };
                    let ended = export.hostler_driver_sync().call_sync(store, &context, verb, targets).await?;
                    Ok(ended.map_err(answer::action_error))
                })
                .await;
            outcome.result.map(|reports| reports.into_iter().map(answer::target).collect())
        })
    }

    fn migrate<'a>(
        &'a self,
        to: &'a str,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, ActionReport> {
        Box::pin(async move {
            let outcome = self
                .call(Verb::Migrate, call, bounds, log, async |running: Running<'_>| {
                    let Running { store, instance, context, .. } = running;
                    let Ok(export) = migrate::HostMigrate::new(&mut *store, &instance) else {
                        return Ok(Err(ActionError::Unsupported));
                    };
                    let ended = export.hostler_driver_migrate().call_migrate(store, &context, to).await?;
                    Ok(ended.map_err(answer::action_error))
                })
                .await;
            outcome.report()
        })
    }

    fn console<'a>(
        &'a self,
        asked: &'a Console,
        terminal: &'a Terminal,
        call: &'a Call,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, Result<i32, ActionError>> {
        Box::pin(async move {
            let outcome = self
                .call_for(asked.verb(), asked.argv(), call, bounds, log, async |running: Running<'_>| {
                    let Running { store, instance, context, .. } = running;
                    let Ok(export) = console::HostConsole::new(&mut *store, &instance) else {
                        return Ok(Err(ActionError::Unsupported));
                    };
                    let console = export.hostler_driver_console();
                    let ended = match asked {
                        Console::Enter => console.call_enter(store, &context).await?,
                        Console::Exec(argv) => console.call_exec(store, &context, argv).await?,
                        Console::Logs { follow } => console.call_logs(store, &context, *follow).await?,
                    };
                    Ok(ended.map_err(answer::action_error))
                })
                .await;
            let attachment = answer::attachment(outcome.result?);
            let scope = outcome.scope.ok_or(ActionError::Unsupported)?;
            capability::console::connect(&scope, &attachment, terminal).await.map_err(|error| match error {
                capability::Error::Denied(line) => self.refusal(&scope, line),
                capability::Error::Cancelled => ActionError::Cancelled,
                error => ActionError::Failed(error.to_string()),
            })
        })
    }
}
