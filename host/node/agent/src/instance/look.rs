//! Looks at the resources of an instance: at each one after those whose devices or namespace it needs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use driver::{BoxFuture, CallBounds, LogSeverity, ReportMessage, SilentLog, Verb};
use futures_util::{StreamExt, stream};
use model::Rid;
use model::object::Resource;
use model::status::Provisioned;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::call::CallPurpose;
use super::exposures::{ExposedState, ExposureMap, needs};
use super::{ActionSession, Instance};
use crate::datastore::variables::MissingReference;
use crate::processors::on_all_processors;
use crate::status::{OrphanHolding, ResourceStatus};
use exec::blocking;

/// How many resources are looked at concurrently.
const LOOKS: usize = 32;

/// Looks at so many resources take longer than to start a thread for each processor.
const WORTH_THREADS: usize = 64;

/// What a look at an instance saw.
pub(crate) struct InstanceLook {
    /// Its resources, in the order of their ids.
    pub(crate) resources: Vec<ResourceStatus>,
    /// What it holds besides, for sections that are gone.
    pub(crate) orphans: Vec<OrphanHolding>,
}

impl Instance<'_> {
    /// Looks at every resource, at each after those that it needs, and at what is held for sections that are gone.
    pub(crate) async fn look(&self, session: &ActionSession) -> InstanceLook {
        let mut seen = Vec::new();
        let mut exposures = ExposureMap::new();
        let mut left: Vec<&Resource> = self.object.resources.iter().collect();
        while !left.is_empty() {
            let is_left = |rid: &&Rid| left.iter().any(|other| other.rid == **rid);
            let (ready, waiting): (Vec<&Resource>, Vec<&Resource>) =
                left.iter().partition(|resource| !needs(resource, false).iter().any(is_left));
            // Resources that need each other would wait forever: they are looked at with what is known so far.
            let (ready, waiting) = if ready.is_empty() { (waiting, ready) } else { (ready, waiting) };
            let looked = self.look_at(session, ready, &exposures).await;
            // The next round sees the exposures of this one, and of all before it.
            exposures.extend(looked.iter().map(|seen| (seen.rid.clone(), ExposedState::of(seen))));
            seen.extend(looked);
            left = waiting;
        }
        seen.sort_by(|a, b| a.rid.cmp(&b.rid));
        let orphans = self.contradict(&mut seen).await;
        self.name_holders(&mut seen).await;
        self.recall_provisioned(&mut seen).await;
        InstanceLook { resources: seen, orphans }
    }

    async fn look_at(
        &self,
        session: &ActionSession,
        resources: Vec<&Resource>,
        exposures: &ExposureMap,
    ) -> Vec<ResourceStatus> {
        if resources.len() >= WORTH_THREADS
            && Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread
            && let Ok(seen) = self.look_side_by_side(session, &resources, exposures)
        {
            // This thread saw no signal meanwhile.
            tokio::task::yield_now().await;
            return seen;
        }
        // Boxed, as the compiler cannot show that a stream of unnamed futures may move between threads.
        let mut looks: Vec<BoxFuture<'_, ResourceStatus>> = Vec::with_capacity(resources.len());
        for resource in resources {
            looks.push(Box::pin(self.look_at_one(session, resource, exposures)));
        }
        stream::iter(looks).buffered(LOOKS).collect().await
    }

    /// The same on all processors, for a command whose runtime has one thread, which has nothing else to do.
    fn look_side_by_side(
        &self,
        session: &ActionSession,
        resources: &[&Resource],
        exposures: &ExposureMap,
    ) -> std::io::Result<Vec<ResourceStatus>> {
        let next = AtomicUsize::new(0);
        // Relaxed is enough for a number that is only handed out: the results come back by the joins of the threads.
        let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&at| at < resources.len());
        let look = async |at: usize| (at, self.look_at_one(session, resources[at], exposures).await);
        let work =
            || async { stream::iter(std::iter::from_fn(take)).map(look).buffer_unordered(LOOKS).collect().await };
        let parts: Vec<Vec<(usize, ResourceStatus)>> = on_all_processors(work)?;
        let mut seen: Vec<_> = parts.into_iter().flatten().collect();
        seen.sort_by_key(|(at, _)| *at);
        Ok(seen.into_iter().map(|(_, seen)| seen).collect())
    }

    pub(super) async fn look_at_one(
        &self,
        session: &ActionSession,
        resource: &Resource,
        exposures: &ExposureMap,
    ) -> ResourceStatus {
        // Inside a container another agent looks. What is disabled here may be in use by something else by now.
        let unasked = resource.encap || resource.disable || self.object.disable;
        if unasked || resource.tags.iter().any(|tag| tag == "nostatus") {
            return ResourceStatus::of(self.object, resource, None);
        }
        let asked = CallPurpose { session, exposures, verb: Verb::Status };
        let called = self.call(resource, asked).await;
        let timeout = resource.timeouts.of(Verb::Status);
        let deadline = session.patience.map_or(timeout, |patience| patience.min(timeout));
        let bounds = CallBounds { deadline, cancel: session.cancel.clone() };
        let mut report = match session.recent.take(&resource.rid) {
            Some(seen) => seen,
            None => called.driver.status(&called.call, &bounds, Arc::new(SilentLog)).await,
        };
        let warning = |absent: &MissingReference| ReportMessage { level: LogSeverity::Warn, text: absent.to_string() };
        // A missing key does not matter while the resource runs, but its next start would fail.
        report.messages.extend(called.absent.iter().map(warning));
        report.messages.extend(self.unlimited(resource));
        ResourceStatus::of(self.object, resource, Some(report))
    }

    /// Where a driver cannot tell whether its resource is provisioned, this agent's own mark decides. The marks are read together
    /// after the looks, as most drivers can tell.
    async fn recall_provisioned(&self, seen: &mut [ResourceStatus]) {
        let unsure = |status: &&mut ResourceStatus| status.flags.provisioned == Provisioned::Undef;
        let mut unsure: Vec<&mut ResourceStatus> = seen.iter_mut().filter(unsure).collect();
        if unsure.is_empty() {
            return;
        }
        let rids: Vec<Rid> = unsure.iter().map(|status| status.rid.clone()).collect();
        let state = self.state();
        let marks = blocking(move || rids.iter().map(|rid| state.provisioned(rid).ok().flatten()).collect::<Vec<_>>());
        for (status, mark) in unsure.iter_mut().zip(marks.await) {
            status.flags.provisioned = match mark {
                Some(mark) if mark.provisioned => Provisioned::True,
                Some(_) => Provisioned::False,
                None => Provisioned::Undef,
            };
        }
    }

    /// What the resources that this one needs expose now. They are asked again, as they may have acted since the last look.
    pub(super) async fn exposures_for(
        &self,
        session: &ActionSession,
        resource: &Resource,
        provisioning: bool,
    ) -> ExposureMap {
        let mut exposures = ExposureMap::new();
        self.ask_for(session, needs(resource, provisioning), &mut exposures, &mut BTreeSet::new()).await;
        exposures
    }

    /// Looks at each needed resource once, at those first that others need.
    async fn ask_for(
        &self,
        session: &ActionSession,
        needed: Vec<&Rid>,
        exposures: &mut ExposureMap,
        asked: &mut BTreeSet<Rid>,
    ) {
        for other in needed.into_iter().filter_map(|rid| self.object.resource(rid)) {
            if asked.insert(other.rid.clone()) {
                // Marked before the recursion: resources that need each other end it.
                Box::pin(self.ask_for(session, needs(other, false), exposures, asked)).await;
                let seen = Box::pin(self.look_at_one(session, other, exposures)).await;
                exposures.insert(seen.rid.clone(), ExposedState::of(&seen));
            }
        }
    }
}
