//! One call of an export, in a fresh store: a slot of the engine, a deadline, and what the guest printed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use capability::{CallContext, Subject};
use driver::{DriverFault, LogSeverity};
use tokio::time::{sleep, timeout_at};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use super::Sandbox;
use super::contained::{Containment, within};
use super::engine::SlotLane;
use super::outcome::{GuestOutcome, GuestStop};
use super::store::{CallLimits, CallStore, GuestState, fresh};

/// How long a guest whose host call was given up may take to say so in its own words.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A component to call, for a scope.
pub(crate) struct GuestCall<'a> {
    pub(crate) component: &'a InstancePre<GuestState>,
    pub(crate) scope: &'a Arc<CallContext>,
    pub(crate) limits: CallLimits,
}

/// A running instance, lent to the closure that calls one of its exports.
pub(crate) struct GuestInstance<'a> {
    pub(crate) store: &'a mut Store<GuestState>,
    pub(crate) instance: Instance,
}

impl Sandbox {
    /// Instantiates the component and lets `export` call it. What `export` returns is the guest's own answer, or the error
    /// that stopped the guest.
    pub(crate) async fn call<T, F>(&self, call: GuestCall<'_>, export: F) -> GuestOutcome<T>
    where
        F: AsyncFnOnce(GuestInstance<'_>) -> wasmtime::Result<T>,
    {
        let GuestCall { component, scope, limits } = call;
        // Services wait for their volumes, which wait for no other object.
        let lane = match scope.subject().object.kind() {
            model::ObjectKind::Vol => SlotLane::Below,
            _ => SlotLane::Usual,
        };
        // The wait for a slot counts, too. A call that gets none in time has changed nothing.
        let Ok(_slot) = timeout_at(scope.deadline(), self.engine.slot(lane)).await else {
            return GuestOutcome::not_begun(overdue(scope));
        };
        let CallStore { mut store, output, meter } = fresh(self.engine.get(), scope.clone(), limits);
        let guest = async {
            let instance = component.instantiate_async(&mut store).await?;
            // Instantiating is the agent's own time.
            let _running = self.stopwatch.begin();
            export(GuestInstance { store: &mut store, instance }).await
        };
        let guest = within(limits.cpu, || scope.busy_aside(), guest);
        // When the wait for the guest is given up, the guest's future is dropped: wasmtime unwinds its fiber and drops the host
        // call in it. A kernel call goes on in its own thread.
        let ended = tokio::select! {
            biased;
            // Later than the deadline: the host call that met it answers `timed-out`, and the guest may say what it was doing.
            ended = timeout_at(scope.deadline() + LAST_WORDS, guest) => match ended {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(Containment::Busy)) => Err(DriverFault::Cpu(limits.cpu).into()),
                Ok(Err(Containment::Panic(words))) => Err(crashed(scope, &words)),
                Err(_) => Err(overdue(scope).into()),
            },
            // All capabilities have answered `cancelled` to it since. A guest that does not heed that is not waited for.
            () = async { scope.given_up().await; sleep(LAST_WORDS).await } => Err(GuestStop::Cancelled),
        };
        // What a guest prints is for its author, and its last words before a crash are for everybody.
        let level = if matches!(ended, Ok(Ok(_))) { LogSeverity::Debug } else { LogSeverity::Warn };
        output.lines().iter().filter(|line| is_of_use(line)).for_each(|line| scope.say(level, line));
        let result = ended.and_then(|answer| {
            answer.map_err(|error| {
                // The whole chain, with the guest's backtrace, is for the driver's author. The operator gets the fault.
                scope.say(LogSeverity::Debug, &format!("{error:#}"));
                meter.fault(&error).into()
            })
        });
        // Read last: a host call that was dropped above has counted itself as a change.
        GuestOutcome::new(result, scope.mutations().load(Ordering::Acquire))
    }
}

/// Whether a line says something. What std advises after a panic has no effect in the sandbox.
fn is_of_use(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE")
}

/// A call in which the host itself failed. The store is gone, and so is what the guest was doing; nothing else is.
fn crashed(scope: &CallContext, words: &str) -> GuestStop {
    scope.say(
        LogSeverity::Error,
        &format!("the host crashed in a call of this driver, which is a fault of the host: {words}"),
    );
    DriverFault::Trap("the host crashed in a call of this driver".to_owned()).into()
}

/// A call that did not return in time: perhaps because the kernel did not.
fn overdue(scope: &CallContext) -> DriverFault {
    let Subject { object, rid, .. } = scope.subject();
    match scope.services().queues.stuck(object, rid) {
        Some(stuck) => DriverFault::Stuck(stuck.to_string()),
        None => DriverFault::Wall(scope.bounds().deadline),
    }
}
