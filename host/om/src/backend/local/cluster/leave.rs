//! Leaving a cluster, and taking another node out of it.

use agent::node::ClusterData;
use agent::{Agent, ObjectFiles};
use anyhow::{Context, anyhow};
use etcd::EngineProcess;
use model::{NodeName, ObjectPath};
use protocol::{DeleteOrder, FailureKind};
use serde::{Deserialize, Serialize};

use super::LocalCluster;
use crate::backend::{Reply, block_on};
use crate::exit::Failure;

/// What becomes of the objects that this node knows.
#[derive(Debug, Default)]
pub(crate) struct LeavePlan {
    /// They are this node's alone, and stay with it.
    own: Vec<ObjectPath>,
    /// They run on others, and their files go.
    foreign: Vec<ObjectPath>,
    /// Whether no other node is in the cluster.
    is_last: bool,
}

/// What a drain before a leave found, so that it can go on when it was interrupted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct LeaveProgress {
    /// Whether the node was frozen before.
    pub(crate) was_frozen: bool,
    /// What ran here and is this node's alone: it is started again.
    pub(crate) own: Vec<String>,
    /// What ran here and may run on other nodes.
    pub(crate) shared: Vec<String>,
}

impl LocalCluster {
    /// The objects that may run here and on other nodes.
    pub(crate) fn shared_objects(&self) -> Reply<Vec<ObjectPath>> {
        let paths = ObjectFiles::of(self.agent.home()).list().context("cannot list the objects")?;
        let is_shared = |path: &ObjectPath| {
            path.kind().has_instances() && self.agent.peers(path).is_ok_and(|peers| !peers.is_empty())
        };
        Ok(paths.into_iter().filter(is_shared).collect())
    }

    /// Checks that the engine does without this node's member. Changes nothing.
    pub(crate) fn check_leave(&self) -> Reply<()> {
        if self.data()?.nodes.len() < 2 {
            return Ok(());
        }
        let engine = self.engine()?;
        Ok(block_on(etcd::check_leave(&engine, &self.agent.node().name))?.context("cannot leave")?)
    }

    /// Whether this node has a part in a cluster.
    pub(crate) fn is_in_cluster(&self) -> bool {
        self.is_member()
    }

    /// The objects of which this node has a slot: they may run here.
    pub(crate) fn own_slots(&self) -> Reply<Vec<String>> {
        let engine = self.engine()?;
        let seen = block_on(etcd::look_at_node(&engine, &self.agent.node().name))?.context("cannot ask the engine")?;
        Ok(seen.map_or_else(Vec::new, |seen| seen.slots))
    }

    /// Whether the configuration that this node has of an object is in force in the cluster.
    pub(crate) fn is_in_force(&self, path: &ObjectPath) -> Reply<bool> {
        let text = ObjectFiles::of(self.agent.home()).text(path).map_err(|error| anyhow!(agent::chain(&error)))?;
        let engine = self.engine()?;
        let in_force = block_on(etcd::is_in_force(&engine, path, &etcd::checksum(&text)))?;
        Ok(in_force.context("cannot ask the engine")?)
    }

    pub(crate) fn leaving(&self) -> Reply<Option<LeaveProgress>> {
        Ok(self.place.leaving().context("cannot read how far the leave has come")?)
    }

    pub(crate) fn write_leaving(&self, progress: &LeaveProgress) -> Reply<()> {
        Ok(self.place.write_leaving(progress).context("cannot begin to leave")?)
    }

    pub(crate) fn remove_leaving(&self) -> Reply<()> {
        Ok(self.place.remove_leaving().context("cannot end the leave")?)
    }

    /// Checks that this node can leave. Changes nothing.
    pub(crate) fn plan_leave(&self) -> Reply<LeavePlan> {
        let data = self.data()?;
        let mut plan = LeavePlan { is_last: data.nodes.len() < 2, ..LeavePlan::default() };
        let mut shared = Vec::new();
        let paths = ObjectFiles::of(self.agent.home()).list().context("cannot list the objects")?;
        for path in paths.into_iter().filter(|path| path.kind().has_instances()) {
            match self.agent.peers(&path) {
                _ if plan.is_last => plan.own.push(path),
                Ok(peers) if peers.is_empty() => plan.own.push(path),
                Ok(_) => shared.push(path.to_string()),
                Err(_) => plan.foreign.push(path),
            }
        }
        if !shared.is_empty() {
            let text = format!(
                "{} may run here and on other nodes: take this node out of them first (om {} set --kw nodes=…), or say --drain",
                shared.join(", "),
                shared[0]
            );
            return Err(Failure::message(FailureKind::Busy, text));
        }
        let engine = self.engine()?;
        // An engine that is configured by hand holds no roster, and there is no member that could be taken out.
        if block_on(etcd::read_roster(&engine))?.context("cannot ask the engine")?.is_none() {
            let text = "the cluster was not made by om cluster: remove [cluster] from cluster.conf, and start the daemon again";
            return Err(Failure::message(FailureKind::NotSupported, text.to_owned()));
        }
        Ok(plan)
    }

    /// Leaves. The daemon does not run meanwhile.
    pub(crate) fn go(&self, plan: &LeavePlan) -> Reply<()> {
        let engine = self.engine()?;
        let node = self.agent.node().name.clone();
        let stays = |path: &ObjectPath| plan.own.contains(path);
        // While the engine still answers: what stays with this node is read there.
        let moved = block_on(etcd::move_out(&self.place, &engine, &node, &stays))?;
        moved.context("cannot take the objects of this node out of the engine")?;
        // The member is taken out while it runs. One that is only stopped still counts, and of two voters the other one
        // would have no majority to remove it. The only member of an engine cannot be removed: its data go aside below.
        if !plan.is_last {
            block_on(etcd::leave(&engine, &node))?.context("cannot leave")?;
        }
        block_on(EngineProcess::stop(&self.place))?.context("cannot stop the engine")?;
        self.place.set_engine_aside().context("cannot move the engine's data aside")?;
        self.place.set_certificates_aside().context("cannot move the certificates aside")?;
        self.write_conf(&ClusterData { name: "default".to_owned(), nodes: Vec::new(), engine: None })?;
        self.place.forget_engine().context("cannot forget the engine")?;
        self.place.remove_seat().context("cannot forget this node's part in the cluster")?;
        self.remove_files(&plan.foreign)
    }

    fn remove_files(&self, foreign: &[ObjectPath]) -> Reply<()> {
        let by = self.author();
        let agent: &Agent = &self.agent;
        for path in foreign {
            let order = DeleteOrder { force: true, i_know: true, ..DeleteOrder::default() };
            let removed = block_on(agent.delete(path, &[], order, &by))?;
            removed
                .map_err(|error| anyhow!(agent::chain(&error)).context(format!("cannot remove the file of {path}")))?;
        }
        Ok(())
    }

    /// Ends the vote of this node. It has nothing else of the cluster.
    pub(crate) fn go_as_witness(&self) -> Reply<()> {
        let engine = self.engine()?;
        block_on(etcd::leave(&engine, &self.agent.node().name))?.context("cannot leave")?;
        block_on(EngineProcess::stop(&self.place))?.context("cannot stop the engine")?;
        self.place.set_engine_aside().context("cannot move the engine's data aside")?;
        self.place.set_engine_certificates_aside().context("cannot move the certificates aside")?;
        Ok(self.place.remove_seat().context("cannot forget this node's part in the cluster")?)
    }

    /// Takes another node out of the cluster.
    pub(crate) fn remove(&self, node: &str, is_off: bool) -> Reply<()> {
        let name: NodeName =
            node.parse().map_err(|error| Failure::failed(format!("{node:?} is not the name of a node: {error}")))?;
        if node == self.node() {
            return Err(Failure::failed(format!("{node} is this node: om cluster leave takes it out")));
        }
        let engine = self.engine()?;
        Ok(block_on(etcd::remove_node(&engine, &name, is_off))?.with_context(|| format!("cannot remove {node}"))?)
    }
}
