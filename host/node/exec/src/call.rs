//! One call of a driver, bounded, and the look at the resource that follows it.

use std::sync::Arc;
use std::time::Duration;

use driver::{ActionError, ActionReport, Call, Cancel, Change, Fault, Level, Log, StatusReport, Verb};
use model::status::{Provisioned, State};

use crate::{Prepared, StepError};

/// The driver knows its deadline and sees the cancellation. Only one that minds neither is cut short, after this.
const GRACE: Duration = Duration::from_secs(2);

/// What a call of a driver came to.
pub(crate) struct Called {
    pub(crate) change: Change,
    /// A line for the log, or why it failed.
    pub(crate) result: Result<String, StepError>,
}

impl Called {
    pub(crate) fn failed(change: Change, error: StepError) -> Called {
        Called { change, result: Err(error) }
    }
}

/// What bounds a call.
pub(crate) struct Bounds<'a> {
    pub(crate) deadline: Duration,
    pub(crate) probe: Duration,
    pub(crate) cancel: &'a Cancel,
}

/// Asks the driver, and then looks whether it is true what it says.
pub(crate) async fn call(prepared: &Prepared, verb: Verb, bounds: Bounds<'_>, log: &Arc<dyn Log>) -> Called {
    let call = with_bounds(&prepared.call, bounds.deadline, bounds.cancel);
    match verb {
        Verb::Run => run(prepared, &call, log).await,
        Verb::Sync => sync(prepared, &call, log).await,
        verb => act(prepared, verb, &call, bounds.probe, log).await,
    }
}

fn with_bounds(call: &Call, deadline: Duration, cancel: &Cancel) -> Call {
    Call { deadline, cancel: cancel.clone(), ..call.clone() }
}

async fn act(prepared: &Prepared, verb: Verb, call: &Call, probe: Duration, log: &Arc<dyn Log>) -> Called {
    let asked = match verb {
        Verb::Migrate => prepared.driver.migrate(&prepared.destination, call, Arc::clone(log)),
        verb => prepared.driver.act(verb, call, Arc::clone(log)),
    };
    let answer = bounded(asked, call).await;
    let ActionReport { change, result } =
        answer.unwrap_or_else(|error| ActionReport { change: Change::Unknown, result: Err(error) });
    match result {
        // What a driver cannot provision is provisioned by others.
        Err(ActionError::Unsupported) if matches!(verb, Verb::Provision | Verb::Unprovision) => {
            Called { change: Change::Unchanged, result: Ok(String::new()) }
        }
        Err(error) => Called::failed(change, error.into()),
        Ok(text) => match look(prepared, (verb, change), probe, log).await {
            Ok(()) => Called { change, result: Ok(text) },
            // A driver that is wrong about the resource may be wrong about what it has touched.
            Err(error) => Called::failed(Change::Unknown, error),
        },
    }
}

/// Whether the resource is now as what was `done` should have left it.
async fn look(prepared: &Prepared, done: (Verb, Change), probe: Duration, log: &Arc<dyn Log>) -> Result<(), StepError> {
    let (verb, change) = done;
    // The look belongs to what is done: it is not given up halfway.
    let call = with_bounds(&prepared.call, probe, &Cancel::default());
    let status = match bounded(prepared.driver.status(&call, Arc::clone(log)), &call).await {
        Ok(status) => status,
        Err(error) => unknown(error),
    };
    let messages = status.messages.iter().map(|message| message.text.clone()).collect();
    let not_in_state = |messages| Err(StepError::NotInState { verb, state: status.state, messages });
    match (verb, status.state) {
        (Verb::Start, State::Down | State::StdbyDown) => not_in_state(messages),
        (Verb::Start, State::Undef) => {
            // To stop what probably runs, for want of an answer, would do more harm.
            let why = if messages.is_empty() { "no reason given".to_owned() } else { messages.join("; ") };
            log.line(Some(&call.rid), Level::Warn, &format!("started, but its status cannot be told: {why}"));
            Ok(())
        }
        // A stop counts only if it is proven: another node may start the service because of it. So does a migration: what is
        // stopped here next may be what the resource stands on.
        (Verb::Stop | Verb::Migrate, State::Up | State::StdbyUp | State::Warn | State::Undef) => not_in_state(messages),
        (Verb::Provision, _) if status.provisioned == Provisioned::False => {
            Err(StepError::NotProvisioned { verb, provisioned: status.provisioned })
        }
        // What a driver leaves as it is, and says so, goes with what it stands on.
        (Verb::Unprovision, _)
            if change != Change::Unchanged && matches!(status.provisioned, Provisioned::True | Provisioned::Mixed) =>
        {
            Err(StepError::NotProvisioned { verb, provisioned: status.provisioned })
        }
        _ => Ok(()),
    }
}

fn unknown(error: ActionError) -> StatusReport {
    StatusReport {
        state: State::Undef,
        provisioned: Provisioned::Undef,
        label: String::new(),
        messages: vec![driver::Message { level: Level::Error, text: error.to_string() }],
        exposes: Vec::new(),
        uses: Vec::new(),
        fault: None,
    }
}

async fn run(prepared: &Prepared, call: &Call, log: &Arc<dyn Log>) -> Called {
    match flatten(bounded(prepared.driver.run(call, Arc::clone(log)), call).await) {
        Ok(report) if prepared.accepted_exits.contains(&report.exit_status) => {
            Called { change: Change::Changed, result: Ok(report.text) }
        }
        Ok(report) => Called::failed(Change::Changed, StepError::Exit(report.exit_status)),
        Err(error) => Called::failed(Change::Unknown, error.into()),
    }
}

async fn sync(prepared: &Prepared, call: &Call, log: &Arc<dyn Log>) -> Called {
    let copying = &prepared.copying;
    if copying.targets.is_empty() {
        return Called {
            change: Change::Unchanged,
            result: Ok("copies to none of the places that were asked for".to_owned()),
        };
    }
    let answer = prepared.driver.sync(&copying.verb, &copying.targets, call, Arc::clone(log));
    let reports = match flatten(bounded(answer, call).await) {
        Ok(reports) => reports,
        Err(error) => return Called::failed(Change::Unknown, error.into()),
    };
    let mut failed = Vec::new();
    for report in &reports {
        match &report.error {
            None if report.changed => {
                log.line(Some(&call.rid), Level::Info, &format!("{}: {} bytes", report.target, report.bytes));
            }
            None => log.line(Some(&call.rid), Level::Info, &format!("{}: already the same", report.target)),
            Some(error) => {
                log.line(Some(&call.rid), Level::Error, &format!("{}: {error}", report.target));
                failed.push(report.target.clone());
            }
        }
    }
    let change = if reports.iter().any(|report| report.changed) { Change::Changed } else { Change::Unchanged };
    match failed.is_empty() {
        true => Called { change, result: Ok(String::new()) },
        false => Called::failed(change, StepError::Targets(failed)),
    }
}

fn flatten<T>(answer: Result<Result<T, ActionError>, ActionError>) -> Result<T, ActionError> {
    answer.and_then(|answer| answer)
}

/// Waits for an answer no longer than the call allows.
async fn bounded<T>(answer: impl Future<Output = T>, call: &Call) -> Result<T, ActionError> {
    tokio::select! {
        biased;
        answer = answer => Ok(answer),
        () = given_up(&call.cancel) => Err(ActionError::Cancelled),
        () = tokio::time::sleep(call.deadline.saturating_add(GRACE)) => Err(Fault::Wall(call.deadline).into()),
    }
}

/// Ends some time after the cancellation, so that the driver can end by itself.
async fn given_up(cancel: &Cancel) {
    cancel.cancelled().await;
    tokio::time::sleep(GRACE).await;
}
