//! The fences of a cluster: sections `[fence#NAME]` of `cluster.conf`, whose drivers end another node from outside.
//!
//! To the drivers and to the configuration they are resources of the object `cluster`, so that manifests, grants and audits are those of any
//! driver. Here is only which of them is tried for a node, in which order, and whether each was ever tried.

mod memory;
mod section;

use std::sync::Arc;
use std::time::Instant;

use driver::{ActionError, CallBounds, SilentLog};
use model::{NodeName, ObjectPath, Rid};
use protocol::daemon::{FenceDocument, FenceTryDocument};

pub use driver::FenceWork;
pub use memory::FenceTest;
pub use section::FenceSection;

use crate::Agent;
use crate::instance::{ActionSession, Instance};
use crate::object::{NoUsableConfiguration, ObjectError};
use crate::snapshot::Snapshot;
use crate::state::InstanceState;

/// Why no fence was tried.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Configuration(#[from] NoUsableConfiguration),
    #[error("no fence of cluster.conf ends {0}: expected a section [fence#{0}]")]
    None(NodeName),
    #[error("{0} is this node: another one ends it")]
    Own(NodeName),
}

impl Agent {
    /// The fences of `cluster.conf`, in the order in which they are tried.
    pub async fn fences(&self) -> Result<Vec<FenceSection>, FenceError> {
        let snapshot = match Snapshot::take(self, &ObjectPath::cluster()).await {
            // A node alone needs no such file.
            Err(ObjectError::Missing(_)) => return Ok(Vec::new()),
            snapshot => snapshot?,
        };
        self.sections(&snapshot).await
    }

    async fn sections(&self, snapshot: &Snapshot) -> Result<Vec<FenceSection>, FenceError> {
        let object = snapshot.object()?;
        let instance = Instance::new(self, object, snapshot);
        let mut sections = Vec::new();
        for resource in object.resources.iter().filter(|resource| !resource.disable) {
            let (call, unresolved) = instance.call_now(&ActionSession::default(), resource).await;
            sections.push(FenceSection::of(call, unresolved));
        }
        sections.sort_by(|a, b| (a.level, &a.rid).cmp(&(b.level, &b.rid)));
        Ok(sections)
    }

    /// Ends a node by the first of its fences that proves that it has ended, or tries all of them without ending it.
    pub async fn fence(&self, node: &NodeName, work: FenceWork) -> Result<FenceDocument, FenceError> {
        let began = Instant::now();
        if *node == self.node().name {
            return Err(FenceError::Own(node.clone()));
        }
        let snapshot = Snapshot::take(self, &ObjectPath::cluster()).await.map_err(|error| match error {
            ObjectError::Missing(_) => FenceError::None(node.clone()),
            error => error.into(),
        })?;
        let sections: Vec<_> =
            self.sections(&snapshot).await?.into_iter().filter(|section| section.nodes.contains(node)).collect();
        if sections.is_empty() {
            return Err(FenceError::None(node.clone()));
        }
        let instance = Instance::new(self, snapshot.object()?, &snapshot);
        let mut tries: Vec<FenceTryDocument> = Vec::new();
        for section in &sections {
            for number in 0..=section.retries {
                let done = self.try_fence(&instance, section, node, (work, number)).await;
                let (proof, failed) = (done.proof, done.error.is_some());
                tries.push(done);
                // A device that obeyed without a proof is not asked again: the next level may have one.
                if proof || !failed || work == FenceWork::Test {
                    break;
                }
            }
            if work == FenceWork::Fence && tries.last().is_some_and(|last| last.proof) {
                break;
            }
        }
        let proof = work == FenceWork::Fence && tries.iter().any(|done| done.proof);
        let succeeded = if work == FenceWork::Test { tries.iter().all(|done| done.error.is_none()) } else { proof };
        let test = work == FenceWork::Test;
        let seconds = began.elapsed().as_secs_f64();
        Ok(FenceDocument { node: node.to_string(), test, proof, succeeded, seconds, tries })
    }

    async fn try_fence(
        &self,
        instance: &Instance<'_>,
        section: &FenceSection,
        node: &NodeName,
        (work, number): (FenceWork, u32),
    ) -> FenceTryDocument {
        if work == FenceWork::Fence && number == 0 {
            tokio::time::sleep(section.delay).await;
        }
        let began = Instant::now();
        let bounds = CallBounds::within(section.timeout);
        let answer = match &section.unresolved {
            Some(what) => Err(ActionError::Failed(what.clone())),
            None => {
                let driver = instance.driver(&section.call.driver);
                let call = driver.fence(work, node.as_str(), &section.call, &bounds, Arc::new(SilentLog));
                let late = || ActionError::TimedOut(format!("no answer within {:?}", section.timeout));
                tokio::time::timeout(section.timeout + GRACE, call).await.unwrap_or_else(|_| Err(late()))
            }
        };
        // A fence that was done is a test that succeeded. One that cannot be tried stays untested, and its failure says so.
        let succeeded = answer.as_ref().is_ok_and(|report| work == FenceWork::Test || report.proof);
        let test = FenceTest::now(section, succeeded);
        let state = InstanceState::of(self.home(), &ObjectPath::cluster());
        // Of no weight for what was done: while it cannot be written, the fence counts as never tested.
        let _ = state.set_fence_test(&section.rid, node, &test);
        let (proof, text, error) = match answer {
            Ok(report) => (report.proof, report.text, None),
            Err(ActionError::Unsupported) => {
                let text = format!("{} cannot be tried without ending the node", section.rid);
                (false, String::new(), Some(text))
            }
            Err(error) => (false, String::new(), Some(error.to_string())),
        };
        let (rid, driver) = (section.rid.to_string(), section.call.driver.to_string());
        let seconds = began.elapsed().as_secs_f64();
        FenceTryDocument { rid, driver, level: section.level, proof, text, error, seconds }
    }

    /// What an operator should know of the fences, in one line. None: each was tried from this node as it is now, or there is none.
    pub async fn fence_warning(&self) -> Option<String> {
        let sections = self.fences().await.ok()?;
        let untested: Vec<String> = sections
            .iter()
            .flat_map(|section| self.untested(section).into_iter().map(|node| format!("{} ({node})", section.rid)))
            .collect();
        let text =
            format!("fences that were never tested from this node: {}: om node fence NODE --test", untested.join(", "));
        (!untested.is_empty()).then_some(text)
    }

    /// The nodes for which the section was never tried with success from this node, as it is now.
    pub(crate) fn untested(&self, section: &FenceSection) -> Vec<NodeName> {
        let (state, me) = (InstanceState::of(self.home(), &ObjectPath::cluster()), &self.node().name);
        let is_tested = |node: &NodeName| {
            let test = state.fence_test(&section.rid, node).ok().flatten();
            test.is_some_and(|test| test.succeeded && test.digest == section.digest)
        };
        section.nodes.iter().filter(|node| *node != me && !is_tested(node)).cloned().collect()
    }
}

/// The host ends a call at its timeout by itself: it is waited for a little longer.
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);

/// The fences that no test has reached yet, for the check of a configuration.
pub(crate) async fn untested_of(agent: &Agent, snapshot: &Snapshot) -> Vec<(Rid, String)> {
    let Ok(sections) = agent.sections(snapshot).await else { return Vec::new() };
    let text = |nodes: Vec<NodeName>| nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ");
    let found = sections.iter().map(|section| (section.rid.clone(), text(agent.untested(section))));
    found.filter(|(_, nodes)| !nodes.is_empty()).collect()
}
