//! What the boot of the node asks of an instance.

use model::object::OrchestrateMode;
use model::status::State;

use crate::case::InstanceCase;
use crate::placement::{obstacle, ranked};
use crate::{ActionCause, ActionStep, BootPhase, InstanceAction, Reason, Step};

use super::MatterReport;
use super::start::begin_start;

/// What the last boot left behind is cleared first, on a frozen instance too.
pub(crate) fn decide_boot(here: &InstanceCase<'_>) -> MatterReport {
    let failed = here.own.failure.as_ref().filter(|failure| failure.action == InstanceAction::Boot);
    match (here.own.record.boot, failed) {
        (BootPhase::Due, None) => {
            MatterReport::step(Step::Act(ActionStep::whole(InstanceAction::Boot, ActionCause::Boot)))
        }
        (BootPhase::Due, Some(failure)) => MatterReport::hold(Reason::Failure {
            node: here.case.me.clone(),
            action: failure.action,
            text: failure.text.clone(),
        }),
        (BootPhase::Clear | BootPhase::Over, _) => MatterReport::pass(),
    }
}

/// `orchestrate = start`: the first node starts the object once, at its boot. What keeps it from that then ends the boot, so
/// that nothing starts days later because a freeze was lifted.
pub(crate) fn decide_boot_start(here: &InstanceCase<'_>) -> MatterReport {
    let case = &here.case;
    if case.rules.orchestrate != OrchestrateMode::Start || here.own.record.boot != BootPhase::Clear {
        return MatterReport::pass();
    }
    let forbidden = case.rules.disable || super::decide_frozen(here).ends || obstacle(case, case.me).is_some();
    let down = matches!(here.own.avail(), Some(State::Down | State::StdbyUp | State::StdbyDown));
    let first = ranked(case).first() == Some(&case.me);
    if !down || !first || forbidden || case.object.open_intent().is_some() {
        return MatterReport::step(Step::EndBoot);
    }
    begin_start(here, ActionCause::Boot, 0)
}
