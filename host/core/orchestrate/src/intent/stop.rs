//! The goals that want instances down.

use model::NodeName;

use super::Intent;
use super::progress::{InstanceProgress, is_gone, once, ready};
use crate::case::ObjectCase;
use crate::dependency::running_children;
use crate::{InstanceAction, Reason};

/// Stopped: down everywhere.
pub(super) fn stopped(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName) -> InstanceProgress {
    stop(case, intent, node)
}

/// One instance down. What ran on a node whose life has ended is down.
pub(super) fn stop(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName) -> InstanceProgress {
    if is_gone(case, node) || case.has_nothing(node) {
        return InstanceProgress::Done;
    }
    let instance = match ready(case, node) {
        Ok(instance) => instance,
        Err(progress) => return progress,
    };
    let Some(status) = instance.fresh_status() else {
        return InstanceProgress::Wait(Reason::StatusUnknown { node: node.clone() });
    };
    if status.is_down() {
        return InstanceProgress::Done;
    }
    let reached = || match status.avail() {
        None => InstanceProgress::Wait(Reason::StatusUnknown { node: node.clone() }),
        Some(state) => {
            InstanceProgress::Stuck(Reason::EndedAs { node: node.clone(), action: InstanceAction::Stop, state })
        }
    };
    once(intent, node, InstanceAction::Stop, reached).unwrap_or_else(|| match running_children(case) {
        Some(reason) => InstanceProgress::Wait(reason),
        None => InstanceProgress::act(InstanceAction::Stop),
    })
}
