//! The executor's view of an instance while it walks a plan: it gets calls that are made up as of now, runs triggers, and
//! kills the commands that an interrupted action has left running.

use std::sync::Arc;

use driver::{BoxFuture, CallBounds, CancelSignal, LogSink, StatusReport, Verb};
use exec::{EarlyExit, Facilities, FacilityError, PreparedCall, UnreleasedResource};
use model::Rid;
use model::object::Resource;
use model::object::Trigger;

use super::call::{CallPurpose, ResourceCall};
use super::{ActionSession, Instance, trigger};

/// An instance and the session of the action that is carried out on it.
#[derive(Clone, Copy)]
pub(crate) struct InstanceFacilities<'a> {
    pub(crate) instance: &'a Instance<'a>,
    pub(crate) session: &'a ActionSession,
}

impl<'a> InstanceFacilities<'a> {
    fn resource(&self, rid: &Rid) -> Result<&'a Resource, FacilityError> {
        self.instance
            .object
            .resource(rid)
            .ok_or_else(|| FacilityError::failed(format!("{rid} is not in the configuration any more")))
    }
}

impl Facilities for InstanceFacilities<'_> {
    fn prepare<'a>(&'a self, rid: &'a Rid, verb: Verb) -> BoxFuture<'a, Result<PreparedCall, FacilityError>> {
        let InstanceFacilities { instance, session } = *self;
        Box::pin(async move {
            let resource = self.resource(rid)?;
            session.recent.forget(rid);
            // Looked at again for each step: the steps before this one may have changed what the others expose.
            let exposures = instance.exposures_for(session, resource, verb == Verb::Provision).await;
            // Before the start: if this process dies during it, a stop must know the device.
            if verb == Verb::Start {
                instance.stands_on(resource, &exposures).await;
            }
            let ResourceCall { driver, call, .. } =
                instance.call(resource, CallPurpose { session, exposures: &exposures, verb }).await;
            Ok(PreparedCall { driver, call })
        })
    }

    fn looked(&self, rid: &Rid, seen: StatusReport) {
        self.session.recent.note(rid, seen);
    }

    fn trigger<'a>(
        &'a self,
        rid: &'a Rid,
        trigger: Trigger,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Result<(), FacilityError>> {
        let InstanceFacilities { instance, session } = *self;
        Box::pin(async move {
            let resource = self.resource(rid)?;
            let command = resource.triggers.get(&trigger);
            let command = command.ok_or_else(|| FacilityError::failed(format!("{rid} has no {trigger}")))?;
            let context = instance.grant_context(rid);
            let around = trigger::TriggerContext {
                object: &instance.object.path,
                node: &instance.object.node,
                resource,
                name: &trigger.to_string(),
                action: trigger.verb.as_str(),
                verb: trigger.verb,
                sid: &session.sid,
                env: &session.env,
                context: &context,
                namespace: instance.snapshot.namespace.as_ref().map_err(FacilityError::failed)?,
                ledger: instance.ledger(),
                paths: instance.resource_paths(&resource.rid),
                services: instance.agent.services(),
            };
            let ran = trigger::run(command, &around, bounds, &log).await;
            // It may have done anything to any resource.
            session.recent.clear();
            ran
        })
    }

    fn end_leftovers<'a>(&'a self, rid: &'a Rid, log: &'a Arc<dyn LogSink>) -> BoxFuture<'a, ()> {
        let InstanceFacilities { instance, .. } = *self;
        Box::pin(instance.end_leftovers_of_triggers(std::slice::from_ref(rid), &**log))
    }

    fn still_held<'a>(
        &'a self,
        stopped: &'a [Rid],
        log: &'a Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Vec<UnreleasedResource>> {
        let InstanceFacilities { instance, session } = *self;
        Box::pin(instance.still_held(session, stopped, &**log))
    }

    fn exited_early<'a>(
        &'a self,
        started: &'a [Rid],
        cancel: &'a CancelSignal,
        log: &'a Arc<dyn LogSink>,
    ) -> BoxFuture<'a, Vec<EarlyExit>> {
        let InstanceFacilities { instance, session } = *self;
        Box::pin(instance.exited_early(session, started, cancel, &**log))
    }

    fn end_abandoned<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Result<Vec<String>, FacilityError>> {
        let InstanceFacilities { instance, .. } = *self;
        Box::pin(async move {
            // The session id alone is unique; the object's path guards against killing by a corrupt journal.
            let markers = kernel::process::ProcessMarkers::new([
                ("HOSTLER_SID", sid),
                ("HOSTLER_ID", &*instance.object.path.to_string()),
            ]);
            let ended = kernel::process::kill_abandoned(&markers).await;
            let ended = ended.map_err(|error| FacilityError::failed(error.to_string()))?;
            Ok(ended.iter().map(|member| member.argv.join(" ")).collect())
        })
    }
}
