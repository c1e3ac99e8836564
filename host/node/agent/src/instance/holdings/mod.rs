//! What the resources of an instance hold, by the host's own record: proven gone after a stop, and told where a driver says down.

mod leftovers;
mod owners;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use capability::holdings::{
    HoldingPresence, HoldingProof, Ledger, ProofVerdict, UnverifiedLedger, forget_declared, look, prove,
};
use driver::{LogSeverity, LogSink, ReportMessage, Verb};
use exec::{UnreleasedResource, blocking};
use holding::{DeclaredHolding, Holding, HoldingRecord, HoldingStage};
use kernel::process::FirstProcess;
use model::Rid;
use model::status::State;

use super::{ActionSession, Instance};
use crate::holdings::{self, not_known};
use crate::status::{OrphanHolding, OrphanReason, ResourceStatus};
use crate::volume;

/// The name of an exposed value that says what is gone, see `wit/types.wit`.
const GONE: &str = "gone";

impl Instance<'_> {
    pub(super) fn ledger(&self) -> Arc<Ledger> {
        self.agent.ledger(&self.object.path)
    }

    /// Those of the stopped resources that still hold something, or of which that is not known. What is gone is taken out of the
    /// record.
    pub(super) async fn still_held(
        &self,
        session: &ActionSession,
        stopped: &[Rid],
        log: &dyn LogSink,
    ) -> Vec<UnreleasedResource> {
        // Of triggers that ran after the stops.
        self.end_leftovers_of_triggers(stopped, log).await;
        self.end_leftovers_of_installed(stopped, log).await;
        let ledger = self.ledger();
        let names: BTreeSet<String> = stopped.iter().map(ToString::to_string).collect();
        // What another resource of the object has used on is looked for until it is proven gone, whatever is stopped now.
        let wanted = |record: &HoldingRecord| names.contains(&record.rid) || record.is_undone();
        let (mut records, unverified) = (ledger.records(wanted), ledger.unverified());
        records.extend(self.withdraw_declared(stopped).await);
        if records.is_empty() && unverified.is_none() {
            return Vec::new();
        }
        let home = self.agent.home().clone();
        let proofs = prove(&self.object.path.to_string(), records, || holdings::every_record(&home)).await;
        let gone: Vec<HoldingRecord> = proofs
            .iter()
            .filter(|proof| proof.verdict == ProofVerdict::Gone && !outlives_its_stop(&proof.record))
            .map(|proof| proof.record.clone())
            .collect();
        ledger.forget(&gone);
        self.forget_devices(&proofs).await;
        let (shared, left): (Vec<_>, Vec<_>) = proofs
            .into_iter()
            .filter(|proof| proof.verdict != ProofVerdict::Gone)
            .map(|proof| self.unless_optional(proof))
            .partition(|proof| matches!(proof.verdict, ProofVerdict::Shared(_)));
        ledger.let_go(&shared.into_iter().map(|proof| proof.record).collect::<Vec<_>>());
        let (left, files): (Vec<_>, Vec<_>) = left.into_iter().partition(|proof| proof.record.holding.must_be_gone());
        // Written down, because a cheap look does not see all that a proof does, such as a copy of a mount in another
        // namespace. Without the note the next status would show the resource as down.
        ledger.left(&left.iter().map(|proof| proof.record.clone()).collect::<Vec<_>>());
        for file in files {
            let rid = file.record.rid.parse().ok();
            log.line(rid.as_ref(), LogSeverity::Info, &format!("{} stays", file.record.holding));
        }
        let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for HoldingProof { record, verdict } in &left {
            held.entry(record.rid.clone()).or_default().push(format!("{}{}", record.holding, why(verdict)));
        }
        // What cannot be read of a ledger may have been a line of any resource: none of them is proven then.
        for (unverified, name) in unverified.iter().flat_map(|why| names.iter().map(move |name| (why, name))) {
            held.entry(name.clone()).or_default().push(not_known(unverified));
        }
        if !held.is_empty() && session.force && session.i_know {
            self.give_up(session, &ledger, &held, log);
            return Vec::new();
        }
        by_step(stopped, held)
    }

    /// An optional resource that uses a file system on does not count for the instance, which would be down with its device mounted.
    fn unless_optional(&self, proof: HoldingProof) -> HoldingProof {
        let ProofVerdict::Shared(user) = &proof.verdict else { return proof };
        let counts = user.rid.parse().is_ok_and(|rid| self.object.resource(&rid).is_some_and(|found| !found.optional));
        if counts {
            return proof;
        }
        let verdict = ProofVerdict::Still(format!("its file system is in use by {}", user.rid));
        HoldingProof { verdict, ..proof }
    }

    /// The operator knows better: what is held is given up, by name.
    fn give_up(
        &self,
        session: &ActionSession,
        ledger: &Ledger,
        held: &BTreeMap<String, Vec<String>>,
        log: &dyn LogSink,
    ) {
        for (rid, things) in held {
            let text = format!("given up, because the operator knows better (--i-know): {}", things.join(", "));
            let known: Option<Rid> = rid.parse().ok();
            log.line(known.as_ref(), LogSeverity::Warn, &text);
            holdings::audit_given_up(self.agent.home(), &self.object.path, rid, &session.sid, things);
            if let Some(known) = known {
                volume::give_up_use(self.agent.home(), &self.object.path, &known);
                let _ = forget_declared(&self.state().record(&known), rid, |_| true);
            }
        }
        // A damaged file is written anew with what is known of the other resources.
        let _ = ledger.give_up(|record| held.contains_key(&record.rid));
    }

    /// The same of what is held for sections that no driver is asked about.
    pub(crate) async fn give_up_orphans(&self, session: &ActionSession, orphans: &[OrphanHolding], log: &dyn LogSink) {
        let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for orphan in orphans {
            held.entry(orphan.rid.clone()).or_default().push(orphan.label.clone());
        }
        self.give_up(session, &self.ledger(), &held, log);
    }

    /// What drivers declared is gone: their status is down after a stop. Returns the devices among it, which the host looks for
    /// itself.
    async fn withdraw_declared(&self, stopped: &[Rid]) -> Vec<HoldingRecord> {
        let (state, stopped) = (self.state(), stopped.to_vec());
        blocking(move || {
            let known = state.with_record();
            for rid in stopped.iter().filter(|rid| known.contains(&rid.to_string())) {
                let _ = forget_declared(&state.record(rid), &rid.to_string(), |held| held.device().is_none());
            }
            holdings::declared(&state, |rid| stopped.iter().any(|stopped| stopped.to_string() == rid))
        })
        .await
    }

    /// Takes back the devices that drivers declared and that are gone.
    async fn forget_devices(&self, proofs: &[HoldingProof]) {
        let is_gone = |proof: &&HoldingProof| proof.verdict == ProofVerdict::Gone;
        let gone: Vec<(Rid, DeclaredHolding)> = proofs
            .iter()
            .filter(is_gone)
            .filter_map(|HoldingProof { record, .. }| match &record.holding {
                Holding::Declared(declared) => Some((record.rid.parse().ok()?, declared.clone())),
                _ => None,
            })
            .collect();
        if gone.is_empty() {
            return;
        }
        let state = self.state();
        blocking(move || {
            for (rid, device) in &gone {
                let _ = forget_declared(&state.record(rid), &rid.to_string(), |held| held == device);
            }
        })
        .await;
    }

    /// Adds the host's own knowledge to a look: a resource whose driver says down although things of it are there is neither. Returns
    /// what is there for sections that no driver was asked about.
    pub(super) async fn contradict(&self, seen: &mut [ResourceStatus]) -> Vec<OrphanHolding> {
        let gone = take_gone(seen);
        self.doubt_first_processes(seen).await;
        let (records, unverified) = self.unexpected(seen).await;
        if records.is_empty() && unverified.is_none() {
            return Vec::new();
        }
        let present = look(&self.object.path.to_string(), &records, || holdings::every_record(self.agent.home())).await;
        let is_there = |record: &HoldingRecord, seen: &HoldingPresence| {
            let is_gone = matches!(seen, HoldingPresence::Gone | HoldingPresence::Shared(_));
            (record.is_left_unseen() || !is_gone) && !is_among(&gone, record)
        };
        let there = records.iter().zip(&present);
        let mut there: Vec<(&HoldingRecord, &HoldingPresence)> =
            there.filter(|(record, seen)| is_there(record, seen)).collect();
        for status in seen.iter_mut().filter(|seen| is_doubted(seen)) {
            let rid = status.rid.to_string();
            let says = match status.state {
                State::Na => "its driver says n/a",
                State::Undef => "its driver cannot tell",
                _ => "its driver says down",
            };
            let own: Vec<String> = there.extract_if(.., |(record, _)| record.rid == rid).map(in_words).collect();
            let text = match (&unverified, own.is_empty()) {
                (_, false) => format!("{says}, but it still holds {}", own.join(", ")),
                (Some(unverified), true) if is_down(status.state) => {
                    format!("{says}, but that is unverified: {}", not_known(unverified))
                }
                (_, true) => continue,
            };
            status.messages.push(ReportMessage { level: LogSeverity::Warn, text });
            status.state = State::Warn;
        }
        // No driver accounts for the rest.
        let reason = |record: &HoldingRecord| {
            let known = seen.iter().find(|seen| seen.rid.to_string() == record.rid);
            known.and_then(ResourceStatus::unasked).unwrap_or(OrphanReason::Gone)
        };
        let orphan = |record: &HoldingRecord| OrphanHolding {
            rid: record.rid.clone(),
            label: record.holding.to_string(),
            reason: reason(record),
        };
        // If no driver says that its resource is up or down, no other sentence speaks of a record that cannot be read.
        let is_silent = seen.iter().all(|seen| seen.state == State::Na || seen.unasked().is_some());
        let unverified = unverified.filter(|_| is_silent).map(|unverified| OrphanHolding {
            rid: String::new(),
            label: not_known(&unverified),
            reason: OrphanReason::Unverified,
        });
        there.into_iter().map(|(record, _)| orphan(record)).chain(unverified).collect()
    }

    /// A resource is not up by a helper alone: the process that its start made must run.
    async fn doubt_first_processes(&self, seen: &mut [ResourceStatus]) {
        let is_up = |seen: &&mut ResourceStatus| matches!(seen.state, State::Up | State::StdbyUp);
        let up: Vec<&mut ResourceStatus> =
            seen.iter_mut().filter(is_up).filter(|seen| self.spawns(&seen.rid)).collect();
        if up.is_empty() {
            return;
        }
        let (ledger, rids) = (self.ledger(), up.iter().map(|seen| seen.rid.clone()).collect::<Vec<_>>());
        let lost = blocking(move || rids.iter().map(|rid| lost_process(&ledger, rid)).collect::<Vec<_>>()).await;
        for (status, pid) in up.into_iter().zip(lost).filter_map(|(status, lost)| Some((status, lost?))) {
            let text = format!("its first process {pid} has exited, and others of it are left: a start stops them");
            status.messages.push(ReportMessage { level: LogSeverity::Warn, text });
            status.state = State::Warn;
        }
    }

    /// The number of the process that the start of a resource made, if it has exited although others of it are left.
    pub(super) async fn lost_process(&self, rid: &Rid) -> Option<u32> {
        if !self.spawns(rid) {
            return None;
        }
        let (ledger, rid) = (self.ledger(), rid.clone());
        blocking(move || lost_process(&ledger, &rid)).await
    }

    /// Whether a resource's driver leaves programs running that the host knows by their first process.
    fn spawns(&self, rid: &Rid) -> bool {
        let driver = self.object.resource(rid).map(|resource| self.driver(&resource.driver));
        driver.is_some_and(|driver| driver.manifest().grants.iter().any(|line| line.starts_with("spawn")))
    }

    /// Whether a resource's driver leaves processes running without a word of whether it is up: those of an application without a check.
    fn leaves_unjudged_processes(&self, rid: &Rid) -> bool {
        let driver = self.object.resource(rid).map(|resource| self.driver(&resource.driver));
        driver.is_some_and(|driver| {
            let runs = |line: &String| line.starts_with("exec") && !line.starts_with("exec(read");
            let manifest = driver.manifest();
            !manifest.verbs.contains(&Verb::Run) && manifest.grants.iter().any(runs)
        })
    }

    /// The records of what should not be there: of resources that are down or of which nothing says that they are up, of those that were
    /// not asked, and of sections that are gone.
    async fn unexpected(&self, seen: &[ResourceStatus]) -> (Vec<HoldingRecord>, Option<UnverifiedLedger>) {
        let (ledger, state) = (self.ledger(), self.state());
        let expected = seen.iter().filter(|seen| !is_doubted(seen) && seen.unasked().is_none());
        let expected: BTreeSet<String> = expected.map(|seen| seen.rid.to_string()).collect();
        let without_a_word = || seen.iter().filter(|seen| seen.state == State::Na && seen.unasked().is_none());
        let unjudged = without_a_word().filter(|seen| self.leaves_unjudged_processes(&seen.rid));
        let unjudged: BTreeSet<String> = unjudged.map(|seen| seen.rid.to_string()).collect();
        let without_a_word: BTreeSet<String> = without_a_word().map(|seen| seen.rid.to_string()).collect();
        let (agent, object) = (self.agent.clone(), self.object.path.clone());
        // What a driver declared is the driver's to judge, and that of a disabled section is not asked: another node may have taken
        // the thing since, such as a disk of the cloud.
        let unasked = seen.iter().filter(|seen| seen.unasked().is_some());
        let unasked: BTreeSet<String> = unasked.map(|seen| seen.rid.to_string()).collect();
        blocking(move || {
            let is_unexpected = |record: &HoldingRecord| {
                let is_known = expected.contains(&record.rid)
                    || (unjudged.contains(&record.rid) && is_left_by_a_command(&record.holding));
                !record.is_undone() && record.holding.must_be_gone() && !is_known
            };
            let mut records = ledger.records(is_unexpected);
            // What a run that goes on has made is its own.
            if records.iter().any(|record| without_a_word.contains(&record.rid)) {
                let runs = agent.task_runs(&object);
                records.retain(|record| !runs.iter().any(|run| run.rid.to_string() == record.rid));
            }
            let is_judged = |rid: &str| expected.contains(rid) || unasked.contains(rid) || without_a_word.contains(rid);
            records.extend(holdings::declared(&state, |rid| !is_judged(rid)));
            (records, ledger.unverified())
        })
        .await
    }

    /// Takes out of the record what is gone by itself, such as the processes of a program that exited, and writes it anew.
    pub(crate) async fn settle(&self) {
        let ledger = self.ledger();
        // A run of a task that goes on may be about to make what it has recorded.
        let (agent, object) = (self.agent.clone(), self.object.path.clone());
        let runs = blocking(move || agent.task_runs(&object)).await;
        let is_running = |record: &HoldingRecord| runs.iter().any(|run| run.rid.to_string() == record.rid);
        // What a proof has found is seen again only by a proof.
        let records = ledger.records(|record| !record.is_left_unseen() && !is_running(record));
        let present = look(&self.object.path.to_string(), &records, || holdings::every_record(self.agent.home())).await;
        let gone = records
            .iter()
            .zip(present)
            .filter(|(record, seen)| *seen == HoldingPresence::Gone && !outlives_its_stop(record));
        ledger.forget(&gone.map(|(record, _)| record.clone()).collect::<Vec<_>>());
        // A ledger that cannot be written anew is longer than it need be, and that is all.
        let _ = ledger.compact();
    }
}

/// What is held, at the resources that were stopped now. Of one that was stopped before, and whose file system another resource has used
/// on since, the last of them says it: the plan has no step for that one.
fn by_step(stopped: &[Rid], mut held: BTreeMap<String, Vec<String>>) -> Vec<UnreleasedResource> {
    let own = stopped.iter().map(|rid| (rid, held.remove(&rid.to_string()).unwrap_or_default()));
    let mut steps: Vec<(&Rid, Vec<String>)> = own.collect();
    if let Some((_, last)) = steps.last_mut() {
        for (rid, things) in held {
            last.extend(things.into_iter().map(|thing| format!("{rid}: {thing}")));
        }
    }
    let left = steps.into_iter().filter(|(_, things)| !things.is_empty());
    left.map(|(rid, things)| UnreleasedResource { rid: rid.clone(), things }).collect()
}

/// What drivers have seen gone of the things that only they know: the resource, and `KIND ID`.
fn take_gone(seen: &mut [ResourceStatus]) -> Vec<(String, String)> {
    let mut gone = Vec::new();
    for status in seen {
        let taken = status.exposes.extract_if(.., |(name, _)| name == GONE);
        gone.extend(taken.map(|(_, thing)| (status.rid.to_string(), thing)));
    }
    gone
}

fn is_among(gone: &[(String, String)], record: &HoldingRecord) -> bool {
    let Holding::Declared(declared) = &record.holding else { return false };
    // A device is looked for by the host itself.
    let thing = format!("{} {}", declared.kind, declared.id);
    declared.device().is_none() && gone.iter().any(|(rid, gone)| (rid, gone) == (&record.rid, &thing))
}

/// Whether the record is kept although nothing runs: a container exists until it is removed, and while its engine is away the record
/// alone says that it was stopped.
fn outlives_its_stop(record: &HoldingRecord) -> bool {
    matches!(record.holding, Holding::Container(_)) && record.stage == HoldingStage::Held
}

/// A thing that is there, and where if that is not where it was made.
fn in_words((record, seen): (&HoldingRecord, &HoldingPresence)) -> String {
    match seen {
        HoldingPresence::Left(how) => format!("{} ({how})", record.holding),
        _ => record.holding.to_string(),
    }
}

/// Whether the resource should hold nothing by its driver's word: it is down, or it never is up.
fn is_doubted(seen: &ResourceStatus) -> bool {
    // One that did not answer is asked again.
    let is_without_a_word = seen.state == State::Na || (seen.state == State::Undef && seen.fault.is_none());
    is_down(seen.state) || (is_without_a_word && seen.unasked().is_none())
}

/// Whether it is what a command of the driver has left running, and no program that a driver has started as such.
fn is_left_by_a_command(holding: &Holding) -> bool {
    matches!(holding, Holding::ProcessGroup(held) if held.first.is_none() && !held.of_trigger)
}

fn is_down(state: State) -> bool {
    matches!(state, State::Down | State::StdbyDown)
}

fn why(verdict: &ProofVerdict) -> String {
    match verdict {
        ProofVerdict::Gone | ProofVerdict::Shared(_) => String::new(),
        ProofVerdict::Still(how) => format!(" ({how})"),
        ProofVerdict::NotProven(why) => format!(" (that it is gone is not proven: {why})"),
    }
}

/// The number of the recorded first process of a resource, if it has exited.
fn lost_process(ledger: &Ledger, rid: &Rid) -> Option<u32> {
    let rid = rid.to_string();
    let records = ledger.records(|record| record.rid == rid && !record.is_undone());
    let mut first = records.into_iter().filter_map(|record| match record.holding {
        Holding::ProcessGroup(held) => held.first,
        _ => None,
    });
    // Several only after a start that was cut off: one that runs is enough.
    let (pid, started) = first.next_back()?;
    (!FirstProcess { pid, started }.is_alive()).then_some(pid)
}
