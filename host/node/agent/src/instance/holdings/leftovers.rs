//! What runs of tasks, triggers, and programs of installed drivers have left running: no driver accounts for it, so a stop of the instance ends it.

use std::collections::BTreeSet;
use std::sync::Arc;

use capability::holdings::end_processes;
use driver::{ActionError, CallBounds, Change, LogSeverity, LogSink, Verb};
use exec::UnreleasedResource;
use holding::{Holding, ProcessHolding};
use model::object::Resource;
use model::{Group, Rid};

use crate::drivers::DriverOrigin;
use crate::instance::call::{CallPurpose, ResourceCall};
use crate::instance::{ActionSession, Instance};

impl Instance<'_> {
    /// Ends what the runs of these resources have left: the plan of a stop has no step for a task. Returns what is still held.
    pub(crate) async fn end_leftovers(
        &self,
        session: &ActionSession,
        resources: &[&Resource],
        log: &Arc<dyn LogSink>,
    ) -> Vec<UnreleasedResource> {
        let runs = |resource: &&&Resource| self.driver(&resource.driver).manifest().verbs.contains(&Verb::Run);
        let tasks: Vec<&Resource> = resources.iter().filter(runs).copied().collect();
        let mut failed = Vec::new();
        for task in &tasks {
            if let Err(why) = self.stop_task(session, task, log).await {
                log.line(Some(&task.rid), LogSeverity::Error, &why);
                failed.push(UnreleasedResource { rid: task.rid.clone(), things: vec![why] });
            }
        }
        let rids: Vec<Rid> = tasks.iter().map(|task| task.rid.clone()).collect();
        self.end_processes_of(&rids, |_| true, "a run", &**log).await;
        let mut held = self.still_held(session, &rids, &**log).await;
        // A driver's failure counts even if the host sees nothing left: it does not see
        // what an engine runs for the task.
        let is_given_up = session.force && session.i_know;
        for failed in failed.into_iter().filter(|_| !is_given_up) {
            match held.iter_mut().find(|held| held.rid == failed.rid) {
                Some(held) => held.things.extend(failed.things),
                None => held.push(failed),
            }
        }
        held
    }

    /// Calls the stop of a task's driver, if it has one: the host does not see what an engine runs for the task.
    async fn stop_task(&self, session: &ActionSession, task: &Resource, log: &Arc<dyn LogSink>) -> Result<(), String> {
        // The plan of a stop has a step for each other group.
        if task.rid.group() != Group::Task || !self.driver(&task.driver).manifest().verbs.contains(&Verb::Stop) {
            return Ok(());
        }
        let exposures = self.exposures_for(session, task, false).await;
        let purpose = CallPurpose { session, exposures: &exposures, verb: Verb::Stop };
        let ResourceCall { driver, call, .. } = self.call(task, purpose).await;
        let bounds = CallBounds::within(task.timeouts.of(Verb::Stop));
        let report = driver.act(Verb::Stop, &call, &bounds, Arc::clone(log)).await;
        match report.result {
            Ok(text) if report.change != Change::Unchanged => log.line(Some(&task.rid), LogSeverity::Info, &text),
            Ok(_) | Err(ActionError::Unsupported) => {}
            Err(error) => return Err(format!("what a run has left cannot be ended: {}", crate::chain(&error))),
        }
        Ok(())
    }

    /// Ends what the triggers of these resources have left running.
    pub(in crate::instance) async fn end_leftovers_of_triggers(&self, rids: &[Rid], log: &dyn LogSink) {
        self.end_processes_of(rids, |held| held.of_trigger, "a trigger", log).await;
    }

    /// Ends what the programs of installed drivers have left running: their drivers have just stopped these resources. A program that
    /// was started to stay is the driver's to end, and one that it has left fails the stop by name.
    pub(in crate::instance) async fn end_leftovers_of_installed(&self, rids: &[Rid], log: &dyn LogSink) {
        let known = self.agent.drivers();
        let is_installed = |rid: &&Rid| {
            let driver = self.object.resource(rid).and_then(|resource| known.get(&resource.driver));
            driver.is_some_and(|driver| matches!(driver.origin, DriverOrigin::Installed(_)))
        };
        let rids: Vec<Rid> = rids.iter().filter(is_installed).cloned().collect();
        if !rids.is_empty() {
            self.end_processes_of(&rids, |held| held.first.is_none() && !held.of_trigger, "a program", log).await;
        }
    }

    async fn end_processes_of(
        &self,
        rids: &[Rid],
        which: impl Fn(&ProcessHolding) -> bool,
        whose: &str,
        log: &dyn LogSink,
    ) {
        let rids: BTreeSet<String> = rids.iter().map(ToString::to_string).collect();
        let ledger = self.ledger();
        for record in ledger.records(|record| rids.contains(&record.rid)) {
            let Holding::ProcessGroup(held) = &record.holding else { continue };
            if !which(held) {
                continue;
            }
            let whose = if held.of_trigger { "a trigger" } else { whose };
            let rid: Option<Rid> = record.rid.parse().ok();
            match end_processes(held).await {
                Ok(0) => ledger.forget(&[record]),
                Ok(count) => {
                    let processes = if count == 1 { "process" } else { "processes" };
                    let text = format!("ended {count} {processes} that {whose} had left running");
                    ledger.forget(&[record]);
                    log.line(rid.as_ref(), LogSeverity::Info, &text);
                }
                Err(error) => {
                    // The record stays, so that the proof which follows finds the processes and fails the stop by name.
                    let text = format!("what {whose} has left running cannot be ended: {error}");
                    log.line(rid.as_ref(), LogSeverity::Error, &text);
                }
            }
        }
    }
}
