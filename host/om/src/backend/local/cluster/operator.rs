//! What only a person can know: that the services of a node are stopped, and that an engine is the right one.

use agent::fence::{FenceError, FenceWork};
use anyhow::Context;
use etcd::{EngineComparison, SeenNode};
use model::NodeName;
use protocol::FailureKind;
use protocol::daemon::FenceDocument;

use super::LocalCluster;
use crate::backend::{Reply, block_on};
use crate::exit::Failure;

impl LocalCluster {
    /// The node of that name, and how the engine shows it.
    pub(crate) fn look_at_node(&self, node: &str) -> Reply<(NodeName, SeenNode)> {
        let name: NodeName =
            node.parse().map_err(|error| Failure::failed(format!("{node:?} is not the name of a node: {error}")))?;
        let engine = self.engine()?;
        let seen = block_on(etcd::look_at_node(&engine, &name))?.with_context(|| format!("cannot look at {node}"))?;
        let seen = seen.ok_or_else(|| {
            Failure::message(
                FailureKind::NoMatch,
                format!("{node} has begun no life in this cluster: om cluster status"),
            )
        })?;
        Ok((name, seen))
    }

    /// Removes the member of a node from the engine, if it does not answer. Returns its name.
    pub(crate) fn remove_silent_member(&self, node: &NodeName) -> Reply<Option<String>> {
        let engine = self.engine()?;
        let removed = block_on(etcd::remove_silent_member(&engine, node))?;
        Ok(removed.with_context(|| format!("cannot remove the member of {node}"))?)
    }

    /// The name of the cluster, and how the engine that answers differs from the one that this node knows.
    pub(crate) fn compare_engine(&self) -> Reply<(String, EngineComparison)> {
        let (name, engine) = (self.data()?.name, self.engine()?);
        Ok((name, block_on(etcd::compare_engine(&self.place, &engine))?.context("cannot ask the engine")?))
    }

    /// Makes the engine that answers one that all nodes take. Returns its generation.
    pub(crate) fn accept_generation(&self) -> Reply<u64> {
        let engine = self.engine()?;
        Ok(block_on(etcd::accept_generation(&self.place, &engine))?.context("cannot accept the engine")?)
    }

    /// Ends a node by its fences.
    pub(crate) fn fence(&self, node: &NodeName) -> Reply<FenceDocument> {
        block_on(self.agent.fence(node, FenceWork::Fence))?.map_err(|error| refused(&error))
    }

    /// Tries whether its fences could end a node.
    pub(crate) fn test_fences(&self, node: &NodeName) -> Reply<FenceDocument> {
        block_on(self.agent.fence(node, FenceWork::Test))?.map_err(|error| refused(&error))
    }

    /// Checks that a fence ends the node, before anything is asked.
    pub(crate) fn check_fence(&self, node: &NodeName) -> Reply<()> {
        let sections = block_on(self.agent.fences())?.map_err(|error| refused(&error))?;
        match sections.iter().any(|section| section.nodes.contains(node)) {
            true => Ok(()),
            false => Err(refused(&FenceError::None(node.clone()))),
        }
    }

    /// What an operator should know of the fences of this node.
    pub(crate) fn fence_warning(&self) -> Reply<Option<String>> {
        block_on(self.agent.fence_warning())
    }
}

fn refused(error: &FenceError) -> Failure {
    Failure::message(error.kind(), agent::chain(error))
}
