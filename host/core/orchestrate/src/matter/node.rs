//! What the node's own plans ask of an instance, and when the next news is due.

use crate::case::InstanceCase;
use crate::time::earlier;
use crate::{ActionCause, ActionStep, BootTime, InstanceAction, Reason};

use super::MatterReport;
use super::permit::stop_once;

/// A node that is drained or goes down stops its instances, frozen or not: a person ordered it. Their slots are released, and
/// other nodes take them.
pub(crate) fn decide_drain(here: &InstanceCase<'_>) -> MatterReport {
    let Some(drain) = here.node.drain else { return MatterReport::pass() };
    let Some(status) = here.own.fresh_status() else { return MatterReport::pass() };
    // `is_down` leaves standby resources out, which a node that goes down stops as well.
    let idle = if drain.shutdown { !status.sums.avail.is_up() && status.is_down() } else { status.is_down() };
    if idle {
        return MatterReport::pass();
    }
    let failed = here.own.failure.as_ref().filter(|failure| failure.cause == ActionCause::Drain);
    if let Some(failure) = failed {
        let (node, action, text) = (here.case.me.clone(), failure.action, failure.text.clone());
        return MatterReport::hold(Reason::Failure { node, action, text });
    }
    let action = if drain.shutdown { InstanceAction::Shutdown } else { InstanceAction::Stop };
    stop_once(here, ActionStep::whole(action, ActionCause::Drain))
}

/// When a peer falls silent if nothing more is heard of it: then the decision may be another one.
pub(crate) fn next_news(here: &InstanceCase<'_>) -> Option<BootTime> {
    let case = &here.case;
    let timing = case.view.cluster().timing;
    let peers = case.rules.scope().filter(|node| *node != case.me);
    let times = peers.filter_map(|node| case.view.nodes().get(node)?.silent_at(timing));
    times.filter(|time| *time > case.now).fold(None, |first, time| earlier(first, Some(time)))
}
