//! What an action leaves behind in the state of the instance: marks of what it provisioned, whether it failed, and the status
//! that it led to.

use driver::Verb;
use exec::{Ending, Report, StepEnd};
use jiff::Timestamp;
use plan::Plan;

use crate::agent::Agent;
use crate::file::blocking::blocking;
use crate::file::durable;
use crate::instance::Instance;
use crate::node::paths;
use crate::state::{ActionFailure, InstanceState, ProvisionedMark};
use crate::status::InstanceStatus;

/// Remembers what was done.
pub(super) async fn remember(instance: &Instance<'_>, plan: Plan, report: Report) -> Report {
    let state = instance.state();
    blocking(move || {
        remember_provisioned(&state, &plan, &report);
        remember_failure(&state, &report);
        report
    })
    .await
}

/// Remembers the status that the action led to, and removes the control groups that it left empty.
pub(super) async fn conclude(agent: &Agent, instance: &Instance<'_>, status: InstanceStatus) -> InstanceStatus {
    let (agent, state) = (agent.clone(), instance.state());
    blocking(move || {
        let _ = state.set_last_status(&status);
        paths::remove_empty_groups(agent.home(), &status.path);
        status
    })
    .await
}

/// A status tells of a failed action until the same one succeeds. One that was given up has not failed.
fn remember_failure(state: &InstanceState, report: &Report) {
    let failure = match &report.ending {
        Ending::Done => None,
        Ending::Interrupted | Ending::Unsupported(_) => return,
        failed => Some(ActionFailure { how: failed.to_string(), at: Timestamp::now() }),
    };
    // Lost without harm: the log has it too.
    let _ = state.set_failure(report.action.as_str(), failure);
}

/// What drivers cannot always tell by looking.
fn remember_provisioned(state: &InstanceState, plan: &Plan, report: &Report) {
    for (step, done) in plan.steps().zip(&report.steps) {
        if !matches!(done.end, StepEnd::Done) {
            continue;
        }
        let has = |verb| step.work.iter().any(|work| work.verb() == verb);
        if has(Verb::Unprovision) {
            // What its driver remembered was about what is gone now.
            let _ = durable::remove_folder(&state.driver_state(&step.rid));
        }
        let provisioned = match (has(Verb::Provision), has(Verb::Unprovision)) {
            (true, false) => true,
            (false, true) => false,
            _ => continue,
        };
        // Lost without harm: a driver that can tell is asked.
        let _ = state.mark_provisioned(&step.rid, ProvisionedMark { provisioned, since: Timestamp::now() });
    }
}
