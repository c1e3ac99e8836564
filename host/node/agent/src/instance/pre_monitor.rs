//! `pre_monitor_action`: the command that runs before the daemon answers a failed resource with `monitor_action`. It is a trigger:
//! outside of any sandbox, so that outside the root namespace the namespace's policy must allow it.

use std::sync::Arc;
use std::time::Duration;

use driver::{CallBounds, LogSeverity, LogSink, Verb};
use exec::FacilityError;
use model::object::Resource;
use model::{ObjectPath, Rid};

use super::{ActionSession, Instance, trigger};
use crate::log::{ActionLog, LogFile, LogSinks};
use crate::snapshot::Snapshot;
use crate::{ActError, Agent, node};

impl Agent {
    /// Runs the command to its end, for so long at most. A failure is in the object's log, and forbids nothing.
    pub async fn run_pre_monitor_action(&self, path: &ObjectPath, limit: Duration) -> Result<(), ActError> {
        let snapshot = Snapshot::take(self, path).await?;
        let instance = Instance::new(self, snapshot.object()?, &snapshot);
        let Some(command) = instance.object.keywords.get("pre_monitor_action") else { return Ok(()) };
        // The command belongs to no resource, but a trigger needs one to bind its grants to and
        // to hold what it leaves running.
        let Some(monitored) = instance.object.resources.iter().find(|resource| resource.monitor) else { return Ok(()) };
        let file = LogFile::new(self.home().object_log(path), node::log_limits(instance.node()));
        let log = ActionLog::new(path.clone(), file, None, Arc::default());
        let log: Arc<dyn LogSink> = Arc::new(log.with_sinks(LogSinks::of(instance.node())));
        if let Err(error) = instance.run_before_monitor(command, monitored, limit, &log).await {
            log.line(None, LogSeverity::Error, &format!("pre_monitor_action: {error}"));
        }
        Ok(())
    }
}

impl Instance<'_> {
    async fn run_before_monitor(
        &self,
        command: &[String],
        resource: &Resource,
        limit: Duration,
        log: &Arc<dyn LogSink>,
    ) -> Result<(), FacilityError> {
        let (context, session) = (self.grant_context(&resource.rid), ActionSession::default());
        let around = trigger::TriggerContext {
            object: &self.object.path,
            node: &self.object.node,
            resource,
            name: "pre_monitor_action",
            action: "monitor",
            // No verb stands for what the daemon is about to do; the trail shows the name of the command beside it.
            verb: Verb::Run,
            sid: &session.sid,
            env: &session.env,
            context: &context,
            namespace: self.snapshot.namespace.as_ref().map_err(FacilityError::failed)?,
            ledger: self.ledger(),
            paths: self.resource_paths(&resource.rid),
            services: self.agent.services(),
        };
        trigger::run(command, &around, &CallBounds::within(limit), log).await
    }

    /// The subject of the grants of a resource.
    pub(super) fn grant_context(&self, rid: &Rid) -> grant::GrantContext {
        let (home, path) = (self.agent.home(), &self.object.path);
        grant::GrantContext {
            object: path.clone(),
            rid: rid.clone(),
            node: self.object.node.clone(),
            rundir: home.volatile(path),
            statedir: self.state().driver_state(rid),
            config: home.config(path),
            peers: self.object.others().cloned().collect(),
        }
    }
}
