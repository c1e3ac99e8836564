//! What comes next for one object on one node, from a whole view alone.
//!
//! Each matter looks at one thing. It passes, or has a step, or says why those behind it must not act. They are asked in the
//! order of [`MATTERS`], which is the order of their rank: an order before a drain, a freeze before everything automatic.

use model::{NodeName, ObjectPath};

use crate::case::{InstanceCase, ObjectCase};
use crate::matter::{self, MatterReport};
use crate::time::earlier;
use crate::{BootTime, Decision, NodeState, ObjectRules, Reason, View};

type Matter = fn(&InstanceCase<'_>) -> MatterReport;

const MATTERS: &[Matter] = &[
    matter::decide_outcome,
    matter::decide_presence,
    matter::decide_running,
    matter::decide_boot,
    matter::decide_status,
    matter::decide_slot,
    matter::decide_tombstone,
    matter::decide_drain,
    matter::decide_intent,
    matter::decide_boot_start,
    matter::decide_disabled,
    matter::decide_monitor,
    matter::decide_failure,
    matter::decide_frozen,
    matter::decide_surplus,
    matter::decide_restarts,
    matter::decide_start,
];

/// Decides about one object.
pub fn decide_object(view: &View, path: &ObjectPath, me: &NodeName, now: BootTime) -> Decision {
    let (Some(object), Some(node)) = (view.objects().get(path), view.nodes().get(me)) else {
        return Decision::default();
    };
    let Some(own) = object.instances.get(me) else { return only(Reason::NotPlacedHere) };
    // A deleted object has no configuration left here, and its order still has to end.
    let gone = object.tombstone.then_some(ObjectRules::NONE);
    let Some(rules) = object.rules.as_deref().or(gone) else { return only(Reason::NeverLoaded) };
    // A daemon that has just begun can do nothing, and an evicted node must not.
    if node.state == NodeState::Init || node.evicted {
        return only(Reason::NodeAway { node: me.clone(), standing: view.standing(me, now) });
    }
    let here = InstanceCase { case: ObjectCase { view, path, object, rules, me, now }, own, node };
    let mut report = MatterReport::default();
    for matter in MATTERS {
        report.extend(matter(&here));
        if report.ends {
            break;
        }
    }
    // Outside of the list, so that it is asked whatever has ended the round: a freeze must not keep a slot that
    // nothing runs in.
    report.extend(matter::decide_release(&here, &report));
    Decision {
        wake_at: earlier(report.wake_at, matter::next_news(&here)),
        steps: report.steps,
        reasons: report.reasons,
    }
}

fn only(reason: Reason) -> Decision {
    Decision { reasons: vec![reason], ..Decision::default() }
}
