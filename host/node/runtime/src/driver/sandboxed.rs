//! A driver in its sandbox: [`driver::Driver`] on top of a linked component, an export a function.

use std::sync::Arc;

use bindings::driver::DriverIndices;
use bindings::driver::hostler::driver::types as wit;
use bindings::{console, fence, migrate, sync, task};
use driver::{
    ActionError, ActionReport, BoxFuture, CallBounds, Change, ConsoleRequest, Driver, DriverCall, DriverFault,
    FenceReport, FenceWork, KeywordProblem, LogSink, Manifest, OperatorTerminal, RunReport, StatusReport, TargetReport,
    Verb,
};
use wasmtime::component::InstancePre;

use super::answer;
use super::call::{CallSetup, DriverInstance};
use super::covered::{CoveredAnswer, redactor_of};
use super::environment::DriverEnvironment;
use crate::sandbox::{CallLimits, GuestState, contained};

/// The exit status of a task that took too long, as timeout(1) has it.
const TIMED_OUT: i32 = 124;

/// The fault of a driver in whose call the host itself failed.
fn crashed(words: String) -> ActionError {
    DriverFault::Trap(format!("the host crashed in a call of this driver: {words}")).into()
}

/// Work for one resource, in which a panic costs that resource and no other, and whose answer shows no secret of the call.
fn boxed<'a, T: CoveredAnswer>(
    call: &'a DriverCall,
    work: impl Future<Output = T> + Send + 'a,
    failed: impl FnOnce(ActionError) -> T + Send + 'a,
) -> BoxFuture<'a, T> {
    Box::pin(async move {
        // Covered in either case: the message of a panic may hold an argument of the call.
        let answer = contained(work).await.unwrap_or_else(|words| failed(crashed(words)));
        answer.covered(&redactor_of(call))
    })
}

/// The report of an action that may have changed anything.
fn unknown(error: ActionError) -> ActionReport {
    ActionReport { change: Change::Unknown, result: Err(error) }
}

/// A driver that was loaded.
pub(super) struct SandboxedDriver {
    pub(super) trust: grant::DriverTrust,
    pub(super) manifest: Manifest,
    /// `sha256:` and the digest of its component.
    pub(super) digest: Arc<str>,
    pub(super) requests: Arc<[grant::GrantRequest]>,
    /// Whether a request of it is about its state directory.
    pub(super) keeps_files: bool,
    pub(super) policy: grant::Policy,
    pub(super) limits: CallLimits,
    pub(super) component: InstancePre<GuestState>,
    pub(super) exports: DriverIndices,
    pub(super) environment: Arc<DriverEnvironment>,
}

impl SandboxedDriver {
    async fn status_of(&self, call: &DriverCall, bounds: &CallBounds, log: Arc<dyn LogSink>) -> StatusReport {
        let setup = CallSetup::new(Verb::Status, call, bounds, log);
        let answer = self
            .call(setup, async |DriverInstance { store, lifecycle, context, .. }: DriverInstance<'_>| {
                lifecycle.call_status(store, &context).await
            })
            .await;
        let mut report = match answer.result {
            Ok(report) => answer::status(report),
            Err(error) => answer::no_status(error),
        };
        if let Some(scope) = answer.scope {
            // What the driver has logged as a warning, then what the host has to say about its answer.
            report.messages.extend(scope.take_messages());
            self.judge_exposures(&scope, &mut report);
        }
        report
    }

    async fn act_on(&self, verb: Verb, call: &DriverCall, bounds: &CallBounds, log: Arc<dyn LogSink>) -> ActionReport {
        let setup = CallSetup::new(verb, call, bounds, log);
        let answer = self
            .call(setup, async |DriverInstance { store, lifecycle, context, .. }: DriverInstance<'_>| match verb {
                Verb::Start => lifecycle.call_start(store, &context).await,
                Verb::Stop => lifecycle.call_stop(store, &context).await,
                Verb::Provision => lifecycle.call_provision(store, &context).await,
                Verb::Unprovision => lifecycle.call_unprovision(store, &context).await,
                Verb::Validate
                | Verb::Status
                | Verb::Run
                | Verb::Sync
                | Verb::Enter
                | Verb::Exec
                | Verb::Logs
                | Verb::Migrate
                | Verb::Fence => Ok(Err(wit::ActionError::Unsupported)),
            })
            .await;
        answer.report()
    }
}

impl Driver for SandboxedDriver {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn validate<'a>(
        &'a self,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<KeywordProblem>, ActionError>> {
        let work = async move {
            let setup = CallSetup::new(Verb::Validate, call, bounds, log);
            let answer = self
                .call(setup, async |DriverInstance { store, lifecycle, context, .. }: DriverInstance<'_>| {
                    lifecycle.call_validate(store, &context).await
                })
                .await;
            match answer.result {
                Ok(problems) => Ok(problems.into_iter().map(answer::problem).collect()),
                // Refused before the driver was asked, and at its keyword if it is one value that does not fit.
                Err(refused @ ActionError::InvalidConfig(_)) => {
                    self.unfit(call).map(|unfit| vec![unfit]).ok_or(refused)
                }
                Err(error) => Err(error),
            }
        };
        boxed(call, work, Err)
    }

    fn status<'a>(
        &'a self,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, StatusReport> {
        boxed(call, self.status_of(call, bounds, log), answer::no_status)
    }

    fn act<'a>(
        &'a self,
        verb: Verb,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, ActionReport> {
        boxed(call, self.act_on(verb, call, bounds, log), unknown)
    }

    fn run<'a>(
        &'a self,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<RunReport, ActionError>> {
        let work = async move {
            let setup = CallSetup::new(Verb::Run, call, bounds, log);
            let answer = self
                .call(setup, async |DriverInstance { store, instance, context, .. }: DriverInstance<'_>| {
                    // An optional interface: a component without it is a driver all the same, but not a task.
                    let Ok(export) = task::HostTask::new(&mut *store, &instance) else {
                        return Ok(Err(wit::ActionError::Unsupported));
                    };
                    export.hostler_driver_task().call_run(store, &context).await
                })
                .await;
            let killed = answer.scope.is_some_and(|scope| scope.has_killed() || scope.is_overdue());
            answer.result.and_then(|ended| match ended.exit_status {
                // The task was killed at its timeout, and reports it as a shell's timeout(1) would.
                TIMED_OUT if killed => Err(ActionError::TimedOut(ended.text)),
                exit_status => Ok(RunReport { exit_status, text: ended.text }),
            })
        };
        boxed(call, work, Err)
    }

    fn sync<'a>(
        &'a self,
        verb: &'a str,
        targets: &'a [String],
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<Vec<TargetReport>, ActionError>> {
        let work = async move {
            let setup = CallSetup::new(Verb::Sync, call, bounds, log);
            let answer = self
                .call(setup, async |DriverInstance { store, instance, context, .. }: DriverInstance<'_>| {
                    let Ok(export) = sync::HostSync::new(&mut *store, &instance) else {
                        return Ok(Err(wit::ActionError::Unsupported));
                    };
                    export.hostler_driver_sync().call_sync(store, &context, verb, targets).await
                })
                .await;
            answer.result.map(|reports| reports.into_iter().map(answer::target).collect())
        };
        boxed(call, work, Err)
    }

    fn migrate<'a>(
        &'a self,
        to: &'a str,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, ActionReport> {
        let work = async move {
            let setup = CallSetup::new(Verb::Migrate, call, bounds, log);
            let answer = self
                .call(setup, async |DriverInstance { store, instance, context, .. }: DriverInstance<'_>| {
                    let Ok(export) = migrate::HostMigrate::new(&mut *store, &instance) else {
                        return Ok(Err(wit::ActionError::Unsupported));
                    };
                    export.hostler_driver_migrate().call_migrate(store, &context, to).await
                })
                .await;
            answer.report()
        };
        boxed(call, work, unknown)
    }

    fn fence<'a>(
        &'a self,
        work: FenceWork,
        node: &'a str,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<FenceReport, ActionError>> {
        let work = async move {
            let setup = CallSetup::new(Verb::Fence, call, bounds, log);
            let answer = self
                .call(setup, async |DriverInstance { store, instance, context, .. }: DriverInstance<'_>| {
                    let Ok(export) = fence::HostFence::new(&mut *store, &instance) else {
                        return Ok(Err(wit::ActionError::Unsupported));
                    };
                    let export = export.hostler_driver_fence();
                    match work {
                        FenceWork::Fence => export.call_fence(store, &context, node).await,
                        FenceWork::Test => export.call_test(store, &context, node).await,
                    }
                })
                .await;
            answer.result.map(|report| FenceReport { proof: report.proof, text: report.text })
        };
        boxed(call, work, Err)
    }

    fn console<'a>(
        &'a self,
        asked: &'a ConsoleRequest,
        terminal: &'a OperatorTerminal,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<i32, ActionError>> {
        let work = async move {
            let setup = CallSetup::new(asked.verb(), call, bounds, log).with_argv(asked.argv());
            let answer = self
                .call(setup, async |DriverInstance { store, instance, context, .. }: DriverInstance<'_>| {
                    let Ok(export) = console::HostConsole::new(&mut *store, &instance) else {
                        return Ok(Err(wit::ActionError::Unsupported));
                    };
                    let console = export.hostler_driver_console();
                    match asked {
                        ConsoleRequest::Enter => console.call_enter(store, &context).await,
                        ConsoleRequest::Exec(argv) => console.call_exec(store, &context, argv).await,
                        ConsoleRequest::Logs { follow } => console.call_logs(store, &context, *follow).await,
                    }
                })
                .await;
            // The guest is gone by now. The host connects the terminal, so no byte of it passes through the sandbox.
            let attachment = answer::attachment(answer.result?);
            let scope = answer.scope.ok_or(ActionError::Unsupported)?;
            capability::console::connect(&scope, &attachment, terminal).await.map_err(|error| match error {
                capability::CapabilityError::Denied(line) => self.refusal(&scope, line),
                capability::CapabilityError::Cancelled => ActionError::Cancelled,
                error => ActionError::Failed(error.to_string()),
            })
        };
        boxed(call, work, Err)
    }
}
