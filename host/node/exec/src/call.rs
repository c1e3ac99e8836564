//! One call of a driver, bounded in time, and the status check that follows it: a driver's word alone is not proof.

use std::sync::Arc;
use std::time::Duration;

use driver::{
    ActionError, ActionReport, CallBounds, CancelSignal, Change, DriverFault, LogSeverity, LogSink, StatusReport, Verb,
};
use model::status::{Provisioned, State};
use plan::WorkOrder;

use crate::{PreparedCall, StepError};

/// How long a driver that ignores deadline and cancellation may still run before it is cut off.
const GRACE: Duration = Duration::from_secs(2);

/// The outcome of a driver's call.
pub(crate) struct CallOutcome {
    pub(crate) change: Change,
    /// A line for the log, or why it failed.
    pub(crate) result: Result<String, StepError>,
    /// The status that proved a success.
    pub(crate) seen: Option<StatusReport>,
}

impl CallOutcome {
    pub(crate) fn failed(change: Change, error: StepError) -> CallOutcome {
        CallOutcome { change, result: Err(error), seen: None }
    }
}

/// Calls the driver, and then checks its answer against the resource's status, which may take `probe`.
pub(crate) async fn call(
    prepared: &PreparedCall,
    order: &WorkOrder,
    bounds: &CallBounds,
    probe: Duration,
    log: &Arc<dyn LogSink>,
) -> CallOutcome {
    match order {
        WorkOrder::Run => run(prepared, bounds, log).await,
        WorkOrder::Sync { verb, targets } => sync(prepared, (verb, targets), bounds, log).await,
        order => act(prepared, order, bounds, probe, log).await,
    }
}

async fn act(
    prepared: &PreparedCall,
    order: &WorkOrder,
    bounds: &CallBounds,
    probe: Duration,
    log: &Arc<dyn LogSink>,
) -> CallOutcome {
    let PreparedCall { driver, call } = prepared;
    let verb = order.verb();
    let answer = match order {
        WorkOrder::Migrate { to } => driver.migrate(to.as_str(), call, bounds, Arc::clone(log)),
        _ => driver.act(verb, call, bounds, Arc::clone(log)),
    };
    let answer = bounded(answer, bounds).await;
    let ActionReport { change, result } =
        // The call was dropped in the middle, so only the driver could have told how far it got.
        answer.unwrap_or_else(|error| ActionReport { change: Change::Unknown, result: Err(error) });
    match result {
        // A driver without these verbs has nothing to create: its resource is provisioned by other means.
        Err(ActionError::Unsupported) if matches!(verb, Verb::Provision | Verb::Unprovision) => {
            CallOutcome { change: Change::Unchanged, result: Ok(String::new()), seen: None }
        }
        Err(error) => CallOutcome::failed(change, error.into()),
        Ok(text) => match look(prepared, (verb, change), probe, log).await {
            Ok(seen) => CallOutcome { change, result: Ok(text), seen: Some(seen) },
            // A driver that is wrong about the resource may be wrong about what it has touched.
            Err(error) => CallOutcome::failed(Change::Unknown, error),
        },
    }
}

/// Checks that the resource is now as `done`, the verb and what it changed, should have left it. Returns its status.
async fn look(
    prepared: &PreparedCall,
    done: (Verb, Change),
    probe: Duration,
    log: &Arc<dyn LogSink>,
) -> Result<StatusReport, StepError> {
    let (verb, change) = done;
    // The look belongs to the step: it is not given up with the action.
    let bounds = CallBounds::within(probe);
    let rid = &prepared.call.rid;
    let answer = prepared.driver.status(&prepared.call, &bounds, Arc::clone(log));
    let status = match bounded(answer, &bounds).await {
        Ok(status) => status,
        Err(error) => unknown(error),
    };
    let messages = status.messages.iter().map(|message| message.text.clone()).collect();
    let not_in_state = |messages| Err(StepError::NotInState { verb, state: status.state, messages });
    match (verb, status.state) {
        (Verb::Start, State::Down | State::StdbyDown) => not_in_state(messages),
        (Verb::Start, State::Undef) => {
            // Probably it runs. To stop it because its status is unknown would do more harm than to leave it.
            let why = if messages.is_empty() { "no reason given".to_owned() } else { messages.join("; ") };
            log.line(Some(rid), LogSeverity::Warn, &format!("started, but its status is unknown: {why}"));
            Ok(status)
        }
        // A stop counts only if it is proven: another node may start the service because of it. So does a migration: the steps
        // that follow may stop what the resource still stands on.
        (Verb::Stop | Verb::Migrate, State::Up | State::StdbyUp | State::Warn | State::Undef) => not_in_state(messages),
        (Verb::Provision, _) if status.provisioned == Provisioned::False => {
            Err(StepError::NotProvisioned { verb, provisioned: status.provisioned })
        }
        // A driver that reports `unchanged` leaves its data in place on purpose: they go with the device below.
        (Verb::Unprovision, _)
            if change != Change::Unchanged && matches!(status.provisioned, Provisioned::True | Provisioned::Mixed) =>
        {
            Err(StepError::NotProvisioned { verb, provisioned: status.provisioned })
        }
        _ => Ok(status),
    }
}

fn unknown(error: ActionError) -> StatusReport {
    StatusReport {
        state: State::Undef,
        provisioned: Provisioned::Undef,
        label: String::new(),
        messages: vec![driver::ReportMessage { level: LogSeverity::Error, text: error.to_string() }],
        exposes: Vec::new(),
        uses: Vec::new(),
        fault: None,
    }
}

async fn run(prepared: &PreparedCall, bounds: &CallBounds, log: &Arc<dyn LogSink>) -> CallOutcome {
    let answer = prepared.driver.run(&prepared.call, bounds, Arc::clone(log));
    match flatten(bounded(answer, bounds).await) {
        Ok(report) if report.exit_status == 0 => {
            CallOutcome { change: Change::Changed, result: Ok(report.text), seen: None }
        }
        // A task that failed may have done half of its work.
        Ok(report) => CallOutcome::failed(Change::Changed, StepError::Exit(report.exit_status)),
        Err(error) => CallOutcome::failed(Change::Unknown, error.into()),
    }
}

async fn sync(
    prepared: &PreparedCall,
    copy: (&str, &[String]),
    bounds: &CallBounds,
    log: &Arc<dyn LogSink>,
) -> CallOutcome {
    let PreparedCall { driver, call } = prepared;
    let (verb, targets) = copy;
    let answer = driver.sync(verb, targets, call, bounds, Arc::clone(log));
    let reports = match flatten(bounded(answer, bounds).await) {
        Ok(reports) => reports,
        Err(error) => return CallOutcome::failed(Change::Unknown, error.into()),
    };
    let mut failed = Vec::new();
    for report in &reports {
        match &report.error {
            None if report.changed => {
                log.line(Some(&call.rid), LogSeverity::Info, &format!("{}: {} bytes", report.target, report.bytes));
            }
            None => log.line(Some(&call.rid), LogSeverity::Info, &format!("{}: already the same", report.target)),
            Some(error) => {
                log.line(Some(&call.rid), LogSeverity::Error, &format!("{}: {error}", report.target));
                failed.push(report.target.clone());
            }
        }
    }
    let change = if reports.iter().any(|report| report.changed) { Change::Changed } else { Change::Unchanged };
    match failed.is_empty() {
        true => CallOutcome { change, result: Ok(String::new()), seen: None },
        false => CallOutcome::failed(change, StepError::Targets(failed)),
    }
}

fn flatten<T>(answer: Result<Result<T, ActionError>, ActionError>) -> Result<T, ActionError> {
    answer.and_then(|answer| answer)
}

/// Waits for an answer no longer than the bounds allow.
async fn bounded<T>(answer: impl Future<Output = T>, bounds: &CallBounds) -> Result<T, ActionError> {
    tokio::select! {
        // An answer that is there already counts, even if the deadline passes in the same moment.
        biased;
        answer = answer => Ok(answer),
        () = given_up(&bounds.cancel) => Err(ActionError::Cancelled),
        // After the deadline plus a grace: the runtime stops the driver at the deadline, and its report says what was changed.
        () = tokio::time::sleep(bounds.deadline.saturating_add(GRACE)) => Err(DriverFault::Wall(bounds.deadline).into()),
    }
}

/// Returns a grace period after the cancellation, so that the driver can stop by itself first.
async fn given_up(cancel: &CancelSignal) {
    cancel.cancelled().await;
    tokio::time::sleep(GRACE).await;
}
