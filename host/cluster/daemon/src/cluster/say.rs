//! What this node says to the others: how it is, and how its instances are. Only what has changed is written.

use std::time::Duration;

use model::ObjectPath;
use orchestrate::{BootTime, NodeState};
use replica::publication::{publish_info, publish_instance};
use replica::{ActionRow, InfoRow, InstanceRow, StatusRow};
use store::TxnRequest;

use crate::instance::{Instance, LoadedConfig};
use crate::owner::Owner;
use crate::owner::SentRequest;

/// How often the load and the memory of the node are said anew.
const STATS: Duration = Duration::from_secs(10);

/// When this node said how it is, and whether that is under way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReportState {
    stats: Option<BootTime>,
    under_way: bool,
}

impl Owner {
    /// Says how the node is, when that has changed.
    pub(super) fn say_node(&mut self, now: BootTime) {
        let Some(life) = self.node.life else { return };
        let state = self.node_state();
        let Some(member) = &self.member else { return };
        let ReportState { stats, under_way } = member.said;
        let known = self.shared.infos.get(&self.me).map(|row| &row.value);
        let same = known.is_some_and(|known| known.life == life && NodeState::from(known.state) == state);
        let fresh = stats.is_some_and(|at| now.since(at) < STATS);
        if under_way || (same && fresh) {
            return;
        }
        self.node.score = crate::machine::stats().score;
        let document = text_of(&self.node_document(Default::default()));
        let info = InfoRow::new(life, state, (self.node.score, crate::machine::load()), document);
        let Some(txn) = publish_info(&self.shared, &self.me, &info) else { return };
        if let Some(member) = &mut self.member {
            member.said = ReportState { stats: Some(now), under_way: true };
        }
        self.send(SentRequest::NodeInfo, txn);
    }

    pub(crate) fn node_said(&mut self, applied: bool) {
        if let Some(member) = &mut self.member {
            member.said.under_way = false;
            // What was refused is said again at the next turn; while the store is away, once in a while.
            if !applied && self.engine_fault.is_none() {
                member.said.stats = None;
            }
        }
    }

    fn node_state(&self) -> NodeState {
        match self.node.drain {
            _ if !self.node.ready => NodeState::Init,
            Some(drain) if drain.shutdown => NodeState::Shutting,
            Some(_) => NodeState::Draining,
            None => NodeState::Idle,
        }
    }

    /// What this node has to say of an instance. None: nothing new.
    pub(crate) fn unsaid_instance(&self, path: &ObjectPath, instance: &Instance) -> Option<TxnRequest> {
        self.member.as_ref()?;
        let object = self.shared.objects.get(path)?;
        // Only of what it has, or had.
        let known = object.instances.get(&self.me).map(|row| &row.value);
        let here = instance.loaded.as_ref().is_some_and(LoadedConfig::is_here) && !instance.missing;
        if !here && known.is_none() {
            return None;
        }
        let row = self.instance_row(path, instance, known, here)?;
        publish_instance(&self.shared, path, &self.me, &row)
    }

    fn instance_row(
        &self,
        path: &ObjectPath,
        instance: &Instance,
        known: Option<&InstanceRow>,
        here: bool,
    ) -> Option<InstanceRow> {
        let life = self.node.life?;
        let mut row = InstanceRow::new(life, crate::owner::stored(instance, &self.node.boot, None));
        if let Some(loaded) = instance.loaded.as_ref().filter(|_| here) {
            row.checksum.clone_from(&loaded.checksum);
            row.problem.clone_from(&loaded.problem);
        }
        row.status = instance.local.status.as_ref().map(StatusRow::of);
        row.running = instance.local.running.as_ref().map(ActionRow::of);
        let mut summary = self.instance_summary(path, instance);
        if let Some(status) = &mut summary.status {
            row.seen_at = std::mem::take(&mut status.updated_at);
        }
        row.document = text_of(&summary);
        if let Some(known) = known {
            // Compared as if it had been seen when the known one was: a later look that found the same is not
            // written.
            let seen_at = std::mem::replace(&mut row.seen_at, known.seen_at);
            if row != *known {
                row.seen_at = seen_at;
            }
        }
        Some(row)
    }
}

fn text_of<T: serde::Serialize>(document: &T) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

/// A document that another node wrote, if this version can read it.
pub(super) fn read_document<T: for<'de> serde::Deserialize<'de>>(document: &str) -> Option<T> {
    serde_json::from_str(document).ok()
}
