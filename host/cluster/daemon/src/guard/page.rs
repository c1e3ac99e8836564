//! The state of the guard: the deadlines, what each slot holds, and what the keeper has reported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use deadline::{
    CutItem, CutOutcome, CutRecord, DeadlineTable, GuardPage, HALF, KeeperReport, NO_DEADLINE, PAGE_FILE, PageView,
    SlotGuard, SlotToken, WatchdogState, WatchdogUse, hard_deadline, watchdog_timeout,
};
use keeper::{TwinFile, process};
use model::ObjectPath;

use super::process::KeeperNews;
use super::{GuardPolicy, policy::WatchdogPolicy};

/// How often a beat is sent, and for how long one is good: the profile `lan`.
pub(crate) const LOOP: Duration = Duration::from_secs(1);
pub(crate) const VALIDITY: Duration = Duration::from_secs(6);

/// A keeper that has not looked for so long does not guard.
const SILENCE: Duration = Duration::from_secs(3);

/// The guard of this node.
pub(crate) struct NodeGuard {
    pub(crate) policy: GuardPolicy,
    pub(crate) directory: PathBuf,
    file: Option<TwinFile>,
    buffer: Vec<u8>,
    pub(crate) table: DeadlineTable,
    items: BTreeMap<String, Vec<CutItem>>,
    /// Whether the daemon goes: then the watchdog is wanted only for what is held.
    leaves: bool,
    /// The process that guards, or why there is none.
    pub(crate) keeper: Result<u32, String>,
    pub(crate) report: Option<KeeperReport>,
    /// When the last beat was sent.
    pub(crate) beaten: Duration,
    /// When this daemon began.
    began: Duration,
    /// Why the page cannot be written.
    pub(crate) fault: Option<String>,
    /// The cuts that were reported as failed.
    failed: Vec<(String, SlotToken)>,
    /// The cuts of the daemon itself. None while one is under way.
    own_cuts: Option<Vec<CutRecord>>,
}

impl NodeGuard {
    /// Reads the page that a former daemon has left: what it held keeps its deadlines.
    pub(crate) fn open(directory: &Path, policy: GuardPolicy) -> NodeGuard {
        let mut guard = NodeGuard {
            policy,
            directory: directory.to_owned(),
            file: None,
            buffer: Vec::new(),
            table: DeadlineTable::default(),
            items: BTreeMap::new(),
            leaves: false,
            keeper: Err("the keeper has not started yet".to_owned()),
            report: None,
            beaten: Duration::ZERO,
            began: kernel::clock::boot(),
            fault: None,
            failed: Vec::new(),
            own_cuts: Some(Vec::new()),
        };
        if guard.policy.is_on() {
            guard.open_page();
        }
        guard
    }

    fn open_page(&mut self) {
        let path = self.directory.join(PAGE_FILE);
        let opened = std::fs::create_dir_all(&self.directory).and_then(|()| TwinFile::open(&path));
        // A refresh and a removal of addresses only open it.
        let _ = std::fs::File::create(self.directory.join(agent::TERM_LOCK));
        let mut file = match opened {
            Ok(file) => file,
            Err(error) => {
                self.fault = Some(format!("cannot open {}: {error}", path.display()));
                return;
            }
        };
        self.buffer = vec![0; HALF];
        let found = file.read(&mut self.buffer).and_then(|(_, body)| PageView::parse(body));
        for slot in found.iter().flat_map(PageView::slots).map(|slot| slot.to_guard()) {
            self.table.inherit(&slot.object, slot.token, slot.until);
            self.items.insert(slot.object, slot.items);
        }
        self.file = Some(file);
    }

    /// Takes over what `node.conf` says now.
    pub(crate) fn set_policy(&mut self, policy: GuardPolicy) {
        self.policy = policy;
        self.leaves = false;
        if self.policy.is_on() && self.file.is_none() {
            self.open_page();
        }
        self.write();
    }

    pub(crate) fn is_on(&self) -> bool {
        self.policy.is_on()
    }

    /// Why no slot may be taken now.
    pub(crate) fn obstacle(&self, now: Duration) -> Option<String> {
        if self.policy.watchdog != WatchdogPolicy::Required {
            return None;
        }
        if let Some(fault) = self.fault.clone().or(self.keeper.clone().err()) {
            return Some(format!("watchdog = required: {fault}"));
        }
        let report = self.report.as_ref();
        if report.is_none_or(|report| now.saturating_sub(report.looked) > SILENCE) {
            return Some("watchdog = required: the keeper does not answer".to_owned());
        }
        let armed = report.is_some_and(|report| report.watchdog == WatchdogState::Armed);
        (!armed).then(|| format!("watchdog = required: {}", self.watchdog_words()))
    }

    /// The watchdog, in a few words.
    pub(crate) fn watchdog_words(&self) -> String {
        let report = self.report.as_ref().filter(|report| !report.device.is_empty());
        match (&self.policy.device, report) {
            (None, _) => "watchdog_device names none".to_owned(),
            (Some(device), None) => format!("{device} is not open yet"),
            (Some(device), Some(report)) if report.watchdog != WatchdogState::Armed => {
                format!("{device}: {}", report.device)
            }
            (Some(_), Some(KeeperReport { device, timeout, nowayout, .. })) => {
                let unstoppable = if *nowayout == deadline::NoWayOut::Set { ", nowayout" } else { "" };
                format!("{device}, {timeout} s{unstoppable}")
            }
        }
    }

    /// A slot was taken or asserted again. Its first deadline comes with the beat that follows.
    pub(crate) fn confirm(&mut self, path: &ObjectPath, token: SlotToken, now: Duration) {
        if self.is_on() && self.table.confirm(&path.to_string(), token, now).is_ok() {
            self.beat(now);
        }
    }

    /// The store has confirmed a slot. False: its former deadline has passed, and it is not proven yet that nothing is left.
    pub(crate) fn admit(&mut self, path: &str, token: SlotToken, now: Duration) -> bool {
        self.table.confirm(path, token, now).is_ok()
    }

    /// The store has acknowledged a beat, or all nodes have promised what is as good. Written down by [`NodeGuard::publish`].
    pub(crate) fn extend(&mut self, path: &str, token: SlotToken, sent: Duration, now: Duration) {
        if self.obstacle(now).is_none() {
            // What is not confirmed or has passed keeps its deadline.
            let _ = self.table.extend(path, token, (sent, VALIDITY), now);
        }
    }

    /// Writes down what was extended.
    pub(crate) fn publish(&mut self) {
        self.write();
    }

    /// The slot is another node's: what runs is cut at once. Returns whether it was not so before.
    pub(crate) fn forfeit(&mut self, path: &str, now: Duration) -> bool {
        let is_new = self.table.slot_of(path).is_none_or(|slot| slot.until.is_none_or(|until| until > now));
        if is_new {
            self.table.forfeit(path, now);
            // The next turn looks at once what became of the cut.
            self.beaten = Duration::ZERO;
            self.write();
        }
        is_new
    }

    /// Whether something may be started in the slot: its deadline is known to the keeper, and has not passed.
    pub(crate) fn is_live(&self, path: &str, token: SlotToken, now: Duration) -> bool {
        let slot = self.table.slot_of(path).filter(|slot| slot.confirmed && slot.token == token);
        slot.and_then(|slot| slot.until).is_some_and(|until| until == NO_DEADLINE || now < hard_deadline(until))
    }

    /// A slot is given up: nothing of it is held.
    pub(crate) fn release(&mut self, path: &str) {
        self.table.release(path);
        self.items.remove(path);
        self.write();
    }

    /// What a slot holds now.
    pub(crate) fn hold(&mut self, path: &ObjectPath, items: Vec<CutItem>) {
        let path = path.to_string();
        if self.table.slot_of(&path).is_some() && self.items.get(&path) != Some(&items) {
            self.items.insert(path, items);
            self.write();
        }
    }

    /// The owner works: what it has confirmed is extended. Without what the policy requires nothing is.
    pub(crate) fn beat(&mut self, now: Duration) {
        self.beaten = now;
        self.read_report();
        // Where others could take over, only the store's acknowledgement extends.
        if !self.policy.shared && self.obstacle(now).is_none() {
            // A daemon that crashes in a loop must not keep what a former one held: it has to live for a beat first.
            let proves_itself = now < self.began + LOOP;
            let own = self.table.slots().filter(|(_, slot)| !proves_itself || slot.until.is_none());
            let own: Vec<(String, SlotToken)> = own.map(|(object, slot)| (object.to_owned(), slot.token)).collect();
            for (object, token) in own {
                // What is not confirmed or has passed keeps its deadline.
                let _ = self.table.extend(&object, token, (now, VALIDITY), now);
            }
        }
        self.write();
    }

    /// The daemon goes, and is meant to come back: until then nothing has a deadline. Returns the objects.
    pub(crate) fn pin(&mut self, now: Duration) -> Vec<String> {
        let all: Vec<String> = self.table.slots().map(|(object, _)| object.to_owned()).collect();
        all.iter().for_each(|object| self.table.pin(object, now));
        self.leaves = all.is_empty();
        self.write();
        all
    }

    /// The node wants no keeper: nothing is guarded any more. Returns the objects.
    pub(crate) fn dismiss(&mut self) -> Vec<String> {
        let all = self.table.slots().map(|(object, _)| object.to_owned()).collect();
        (self.table, self.file, self.report) = (DeadlineTable::default(), None, None);
        self.items.clear();
        all
    }

    /// The objects whose addresses need their lifetimes, and until when these slots are this node's.
    pub(crate) fn terms(&self) -> Vec<(String, Duration)> {
        let slots = self.table.slots().filter(|(_, slot)| slot.confirmed);
        slots.filter_map(|(object, slot)| Some((object.to_owned(), slot.until?))).collect()
    }

    /// What the daemon must cut itself, unless it does so already.
    pub(crate) fn begin_own_cut(&mut self, now: Duration) -> Option<GuardPage> {
        let passed = self.table.passed(now);
        // None is one that is under way: it must not be joined by a second one of the same things.
        if passed.is_empty() || self.own_cuts.take().is_none() {
            return None;
        }
        let page = self.page();
        let slots = page.slots.into_iter().filter(|slot| passed.contains(&slot.object));
        Some(GuardPage { slots: slots.collect(), ..page })
    }

    pub(crate) fn end_own_cut(&mut self, cuts: Vec<CutRecord>) {
        self.own_cuts = Some(cuts);
    }

    fn write(&mut self) {
        let page = self.page();
        let Some(file) = self.file.as_mut() else { return };
        self.fault = match file.write(&mut self.buffer, |body| page.write(body)) {
            Ok(_) => None,
            Err(error) => Some(format!("the keeper's page cannot be written: {error}")),
        };
    }

    /// The page as it is to be.
    fn page(&self) -> GuardPage {
        let slots = self.table.slots().map(|(object, slot)| SlotGuard {
            object: object.to_owned(),
            token: slot.token,
            // Before the first beat there is nothing to cut.
            until: slot.until.unwrap_or(NO_DEADLINE),
            items: self.items.get(object).cloned().unwrap_or_default(),
        });
        let wanted = self.policy.wants_watchdog() && !self.leaves;
        let device = self.policy.device.clone().filter(|_| wanted);
        GuardPage {
            watchdog: device.map(|device| WatchdogUse { device, timeout: watchdog_timeout(VALIDITY) }),
            on_cut: self.policy.on_cut,
            slots: slots.collect(),
        }
    }

    /// Reads what the keeper says.
    pub(crate) fn read_report(&mut self) {
        if self.is_on() {
            self.report = process::report(&self.directory);
        }
    }

    /// Notes what became of the process.
    pub(crate) fn hear(&mut self, news: &KeeperNews) {
        self.keeper = match news {
            KeeperNews::Guards { pid, .. } => Ok(*pid),
            KeeperNews::Ended(why) => Err(why.clone()),
        };
        self.read_report();
    }

    /// The cuts that were not heard of yet. Those that are proven give their slots up.
    pub(crate) fn take_cuts(&mut self) -> Vec<CutRecord> {
        let reported = self.report.iter().flat_map(|report| &report.cuts);
        let cuts: Vec<CutRecord> = reported.chain(self.own_cuts.iter().flatten()).cloned().collect();
        // By the token: a report stays where it is, and may be about an earlier tenure of the slot.
        let is_own = |cut: &CutRecord| self.table.slot_of(&cut.object).is_some_and(|slot| slot.token == cut.token);
        let mut news: Vec<CutRecord> = cuts.into_iter().filter(is_own).collect();
        let mut released = false;
        news.retain(|cut| {
            let key = (cut.object.clone(), cut.token);
            match cut.outcome {
                CutOutcome::Proven => {
                    self.table.release(&cut.object);
                    self.items.remove(&cut.object);
                    released = true;
                    true
                }
                CutOutcome::Failed if self.failed.contains(&key) => false,
                CutOutcome::Failed => {
                    self.failed.push(key);
                    true
                }
            }
        });
        self.failed.retain(|(object, _)| self.table.slot_of(object).is_some());
        if released {
            self.write();
        }
        news
    }

    /// When the next beat is due. None: there is nothing to extend.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.is_on().then_some(self.beaten + LOOP)
    }
}
