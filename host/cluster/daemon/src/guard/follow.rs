//! What the owner does for the guard: a beat each second, what it hears of the keeper, and what it leaves behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent::{Agent, CutList};
use deadline::{CutOutcome, CutRecord, GuardPage, HALF, NO_DEADLINE, PAGE_FILE, SlotToken, WatchdogState};
use keeper::TwinFile;
use keeper::process::KeeperProcess;
use kernel::watch::ProcessWatch;
use model::ObjectPath;
use orchestrate::ViewChange;
use protocol::daemon::{DaemonThread, EventKind, ReasonDocument};
use serde_json::json;

use super::page::LOOP;
use super::{GuardPolicy, KeeperNews, keep_running};
use crate::owner::{Message, Owner};

/// How long the daemon waits at its end for the last refresh of addresses, and for the keeper.
const FAREWELL: Duration = Duration::from_secs(2);

/// What runs beside the owner for the guard.
#[derive(Default)]
pub(crate) struct GuardTasks {
    /// Keeps the keeper running.
    process: Option<tokio::task::JoinHandle<()>>,
    /// Whether addresses are being refreshed.
    refreshes: Arc<AtomicBool>,
    /// The program that becomes the keeper.
    program: PathBuf,
    /// Why no slot could be taken, as it was last reported.
    obstacle: Option<String>,
}

impl GuardTasks {
    pub(crate) fn new(program: PathBuf) -> GuardTasks {
        GuardTasks { program, ..GuardTasks::default() }
    }
}

impl Owner {
    /// Begins to guard, as `node.conf` says, or ends it.
    pub(crate) fn set_guard(&mut self, policy: GuardPolicy) {
        let (was, is) = (self.guard.is_on(), policy.is_on());
        self.guard.set_policy(policy);
        match (was && self.guard_tasks.process.is_some(), is) {
            (false, true) => {
                let (program, directory) = (self.guard_tasks.program.clone(), self.guard.directory.clone());
                let task = tokio::spawn(keep_running(program, directory, self.mail.clone()));
                self.guard_tasks.process = Some(task);
                // Slots that were taken while there was no keeper get their deadlines now.
                let confirmed = self
                    .instances
                    .iter()
                    .filter_map(|(path, instance)| Some((path.clone(), *instance.local.confirmed.values().next()?)));
                let confirmed: Vec<(ObjectPath, u64)> = confirmed.collect();
                confirmed.iter().for_each(|(path, revision)| self.guard_slot(path, *revision));
            }
            (_, false) => {
                self.end_process();
                let held = self.guard.dismiss();
                tokio::spawn(dismiss(self.agent.clone(), self.guard.directory.clone(), held));
            }
            (true, true) => {}
        }
    }

    /// Does what is due for the guard: a beat, which reads the keeper's report, then what has passed its deadline or was cut.
    pub(crate) fn tend_guard(&mut self) {
        let now = kernel::clock::boot();
        if !self.guard.is_on() || now < self.guard.beaten + LOOP {
            return;
        }
        self.guard.beat(now);
        self.lose_passed(now);
        self.take_cuts();
        self.cut_without_keeper(now);
        self.note_obstacle(now);
        self.refresh_terms();
    }

    /// A slot was taken, or asserted again.
    pub(crate) fn guard_slot(&mut self, path: &ObjectPath, revision: u64) {
        let token = SlotToken { generation: replica::generation(&self.shared), revision };
        self.guard.confirm(path, token, kernel::clock::boot());
        self.read_held(path);
        self.refresh_terms();
    }

    /// Reads what an instance holds, if it has a slot.
    pub(crate) fn read_held(&self, path: &ObjectPath) {
        if self.guard.table.slot_of(&path.to_string()).is_none() {
            return;
        }
        let (agent, mail, path) = (self.agent.clone(), self.mail.clone(), path.clone());
        tokio::task::spawn_blocking(move || {
            let list = agent.cut_list(&path);
            let _ = mail.send(Message::Held { path, list });
        });
    }

    pub(crate) fn take_held(&mut self, path: &ObjectPath, list: CutList) {
        let gaps = list.gaps.join("; ");
        let before = self.gaps.insert(path.clone(), gaps.clone()).unwrap_or_default();
        if !gaps.is_empty() && gaps != before {
            self.log(path, &format!("no cut reaches {gaps}"));
        }
        self.guard.hold(path, list.items);
    }

    pub(crate) fn hear_keeper(&mut self, news: &KeeperNews) {
        self.guard.hear(news);
        let data = match news {
            KeeperNews::Guards { pid, adopted } => json!({ "state": "running", "pid": pid, "adopted": adopted }),
            KeeperNews::Ended(why) => json!({ "state": "failed", "reason": why }),
        };
        self.add_event(EventKind::NodeKeeper, None, data);
        self.note_obstacle(kernel::clock::boot());
    }

    /// Why the slot of an object may not be taken now.
    pub(crate) fn slot_obstacle(&self, path: &ObjectPath) -> Option<String> {
        let now = kernel::clock::boot();
        let is_cut = self.guard.table.passed(now).contains(&path.to_string());
        let cut = || "its deadline has passed, and it is not proven yet that nothing is left of it".to_owned();
        self.guard.obstacle(now).or_else(|| is_cut.then(cut))
    }

    /// The same for a person who asks why.
    pub(crate) fn guard_reason(&self, path: &ObjectPath) -> Option<ReasonDocument> {
        let instance = self.instances.get(path)?;
        let waits = instance.local.rules.as_ref()?.has_slots() && instance.local.confirmed.is_empty();
        let text = waits.then(|| self.slot_obstacle(path))??;
        Some(ReasonDocument { code: "unguarded".to_owned(), text })
    }

    /// What has passed its hard deadline is not this node's any more, whatever still runs: its action ends, and nothing starts before
    /// the cut is proven.
    fn lose_passed(&mut self, now: Duration) {
        for object in self.guard.table.passed(now) {
            let Ok(path) = object.parse::<ObjectPath>() else { continue };
            self.forfeit_slot(&path);
            let Some(instance) = self.instances.get_mut(&path) else { continue };
            instance.acting.iter().for_each(|acting| acting.cancel.cancel());
            if !instance.local.confirmed.is_empty() {
                instance.local.confirmed.clear();
                self.touch(&path);
            }
        }
    }

    /// Reports it once, and decides again when it is gone.
    fn note_obstacle(&mut self, now: Duration) {
        let obstacle = self.guard.obstacle(now);
        if obstacle == self.guard_tasks.obstacle {
            return;
        }
        let data = match &obstacle {
            Some(reason) => json!({ "state": "blocked", "reason": reason }),
            None => json!({ "state": "ready" }),
        };
        self.add_event(EventKind::NodeKeeper, None, data);
        self.guard_tasks.obstacle = obstacle;
        self.changes.push(ViewChange::Cluster);
    }

    fn take_cuts(&mut self) {
        for cut in self.guard.take_cuts() {
            self.note_cut(&cut);
        }
    }

    /// Something was cut. Once nothing of it is left, its slot may be asserted again, and the orchestrator decides what comes next.
    fn note_cut(&mut self, cut: &CutRecord) {
        let Ok(path) = cut.object.parse::<ObjectPath>() else { return };
        let milliseconds = u64::try_from(cut.took.as_millis()).unwrap_or(u64::MAX);
        let data = json!({
            "state": if cut.outcome == CutOutcome::Proven { "cut" } else { "failed" },
            "left": cut.left,
            "took_ms": milliseconds,
        });
        self.add_event(EventKind::InstanceCut, Some(&path), data);
        let text = match cut.outcome {
            CutOutcome::Proven => format!("cut at its deadline, in {milliseconds} ms: nothing is left"),
            CutOutcome::Failed => format!("cut at its deadline, and not all is gone: {}", cut.left),
        };
        self.log(&path, &text);
        if cut.outcome == CutOutcome::Proven {
            self.note_gone(&path);
        }
        self.probe_soon(&path);
        self.touch(&path);
    }

    /// Without a keeper the daemon itself cuts what has passed its deadline.
    fn cut_without_keeper(&mut self, now: Duration) {
        if self.guard.keeper.is_ok() {
            return;
        }
        let Some(page) = self.guard.begin_own_cut(now) else { return };
        let mail = self.mail.clone();
        tokio::task::spawn_blocking(move || {
            let _ = mail.send(Message::Cut(keeper::cut_here(&page)));
        });
    }

    /// The daemon's own cut is over.
    pub(crate) fn end_own_cut(&mut self, cuts: Vec<CutRecord>) {
        self.guard.end_own_cut(cuts);
        self.take_cuts();
    }

    /// Gives the addresses of what was extended their lifetimes, one refresh after the other.
    pub(crate) fn refresh_terms(&mut self) {
        let terms = self.guard.terms();
        // One at a time: two of them could reach the kernel in the wrong order, and leave the shorter lifetime.
        if terms.is_empty() || self.guard_tasks.refreshes.swap(true, Ordering::Relaxed) {
            return;
        }
        let (agent, refreshes) = (self.agent.clone(), Arc::clone(&self.guard_tasks.refreshes));
        tokio::spawn(async move {
            refresh(&agent, terms).await;
            refreshes.store(false, Ordering::Relaxed);
        });
    }

    /// The daemon goes. What runs goes on without a deadline until it is back; with nothing to guard, the keeper ends too.
    pub(crate) async fn leave_guard(&mut self) {
        if !self.guard.is_on() {
            return;
        }
        // First: the task would start another keeper in place of the one that is let go.
        self.end_process();
        // The others could not be told that the services go on: each keeps its deadline, and the keeper sees to it.
        if !self.leaves_pinned() && self.guard.table.slots().next().is_some() {
            return;
        }
        let held = self.guard.pin(kernel::clock::boot());
        let parted = part(self.agent.clone(), self.guard.directory.clone(), held);
        let _ = tokio::time::timeout(FAREWELL, parted).await;
    }

    /// Ends the task that would start a keeper again.
    fn end_process(&mut self) {
        if let Some(task) = self.guard_tasks.process.take() {
            task.abort();
        }
    }

    /// The rows of `om mon` about the guard. None without one.
    pub(crate) fn guard_threads(&self) -> Vec<DaemonThread> {
        if !self.guard.is_on() {
            return Vec::new();
        }
        let thread = |id: &str, state: &str, detail: String| DaemonThread {
            id: id.to_owned(),
            state: state.to_owned(),
            detail,
            peers: BTreeMap::new(),
        };
        let slots = self.guard.table.slots().count();
        let keeper = match &self.guard.keeper {
            Ok(pid) => thread("keeper", "running", format!("process {pid}, {slots} slots")),
            Err(why) => thread("keeper", "failed", why.clone()),
        };
        if !self.guard.policy.wants_watchdog() {
            return vec![keeper];
        }
        let armed = self.guard.report.as_ref().is_some_and(|report| report.watchdog == WatchdogState::Armed);
        let watchdog = if armed && self.guard.keeper.is_ok() { "armed" } else { "missing" };
        vec![keeper, thread("watchdog", watchdog, self.guard.watchdog_words())]
    }
}

pub(crate) async fn refresh(agent: &Agent, terms: Vec<(String, Duration)>) {
    for (object, until) in terms {
        if let Ok(path) = object.parse::<ObjectPath>() {
            // What cannot be refreshed ends by itself; the look at the instance shows it.
            let _ = agent.refresh_terms(&path, until).await;
        }
    }
}

/// Leaves the keeper with what is held, or lets it end.
async fn part(agent: Agent, directory: PathBuf, held: Vec<String>) {
    match held.is_empty() {
        true => end_keeper(&directory).await,
        false => refresh(&agent, held.into_iter().map(|object| (object, NO_DEADLINE)).collect()).await,
    }
}

/// The node wants no keeper: what it guarded goes on without.
async fn dismiss(agent: Agent, directory: PathBuf, held: Vec<String>) {
    refresh(&agent, held.into_iter().map(|object| (object, NO_DEADLINE)).collect()).await;
    // Behind the addresses, whose lifetimes the kernel ends whatever the page says.
    if let Ok(Some(mut page)) = TwinFile::open_to_write(&directory.join(PAGE_FILE)) {
        let _ = page.write(&mut vec![0; HALF], |body| GuardPage::default().write(body));
    }
    end_keeper(&directory).await;
}

/// Lets the keeper close the watchdog and end. It does so only if nothing is held.
async fn end_keeper(directory: &Path) {
    let Ok(Some(keeper)) = KeeperProcess::find(directory) else { return };
    if keeper.ask_to_end().is_ok()
        && let Ok(gone) = ProcessWatch::new(keeper.into_handle())
    {
        let _ = gone.ended().await;
    }
}
