//! A node: its clock, what it keeps, what runs on it, and its daemon if it has one.

use std::time::Duration;

use deadline::{CUT_BUDGET, DeadlineTable, SlotToken};
use model::NodeName;
use orchestrate::{BootTime, FencingToken};
use ownership::{NodeMemory, Ownership, OwnershipEffect, OwnershipTiming, SlotName};

use super::TenureWeakness;

/// T.
pub(super) const VALIDITY: Duration = Duration::from_secs(6);
pub(super) const OBJECT: &str = "web";

pub(super) struct TenureNode {
    pub(super) name: NodeName,
    /// How fast its clock is, in parts per million.
    rate: i64,
    /// How often it has booted. 0 while it is off.
    pub(super) boots: u64,
    pub(super) on: bool,
    booted: Duration,
    memory: NodeMemory,
    /// What really runs, and what the keeper knows of it.
    pub(super) runs: bool,
    pub(super) table: DeadlineTable,
    pub(super) daemon: Option<TenureDaemon>,
    pub(super) cut: bool,
    pub(super) deaf: bool,
}

/// A process of the daemon.
pub(super) struct TenureDaemon {
    pub(super) number: u64,
    pub(super) ownership: Ownership,
    pub(super) beaten: Option<BootTime>,
    pub(super) heard: BootTime,
    /// A request about the slot is under way.
    pub(super) asking: bool,
    pub(super) gives_away: bool,
    /// Since when the daemon is about to go.
    pub(super) departs: Option<BootTime>,
    pub(super) may_depart: bool,
}

pub(super) fn slot() -> SlotName {
    SlotName { path: OBJECT.parse().expect("this is the path of an object"), index: 0 }
}

impl TenureNode {
    pub(super) fn new(name: NodeName, rate: i64) -> TenureNode {
        TenureNode {
            name,
            rate,
            boots: 1,
            on: true,
            booted: Duration::ZERO,
            memory: NodeMemory::default(),
            runs: false,
            table: DeadlineTable::default(),
            daemon: None,
            cut: false,
            deaf: false,
        }
    }

    /// The time of its own clock.
    pub(super) fn clock(&self, now: Duration) -> BootTime {
        let elapsed = now.saturating_sub(self.booted).as_nanos() as i128;
        let measured = elapsed + elapsed * i128::from(self.rate) / 1_000_000;
        BootTime::after_boot(Duration::from_nanos(measured as u64))
    }

    pub(super) fn power_off(&mut self) {
        (self.on, self.runs, self.daemon) = (false, false, None);
        self.table = DeadlineTable::default();
        // What the real node keeps in /run. The rest is on disk.
        self.memory.boot = Default::default();
    }

    pub(super) fn power_on(&mut self, now: Duration) {
        (self.on, self.booted) = (true, now);
        self.boots += 1;
    }

    pub(super) fn start_daemon(&mut self, number: u64, now: Duration, weakness: Option<TenureWeakness>) {
        if !self.on || self.daemon.is_some() {
            return;
        }
        // As in the daemon (`cluster/member.rs`): a hundredth more than a beat is good for, where the clocks of
        // two nodes differ by at most a thousandth here.
        let mut patience = VALIDITY + VALIDITY / 100;
        if weakness == Some(TenureWeakness::ShortPatience) {
            patience = Duration::from_secs(2);
        }
        let timing = OwnershipTiming { validity: VALIDITY - CUT_BUDGET, patience };
        let running = self.table.slots().next().map(|_| slot());
        let boot = format!("{}.{}", self.name, self.boots);
        let ownership = Ownership::new(self.name.clone(), boot, timing, self.memory.clone(), running);
        // What a former process had keeps its deadline, and is not confirmed.
        let former: Vec<(SlotToken, Option<Duration>)> =
            self.table.slots().map(|(_, slot)| (slot.token, slot.until)).collect();
        self.table = DeadlineTable::default();
        for (token, until) in former {
            self.table.inherit(OBJECT, token, until.unwrap_or(deadline::NO_DEADLINE));
        }
        self.daemon = Some(TenureDaemon {
            number,
            ownership,
            beaten: None,
            heard: self.clock(now),
            asking: false,
            gives_away: false,
            departs: None,
            may_depart: false,
        });
    }

    /// Does what an answer or a reading asks for.
    pub(super) fn follow(&mut self, effects: Vec<OwnershipEffect>, now: Duration) {
        let at = self.clock(now).since_boot();
        for effect in effects {
            match effect {
                OwnershipEffect::Keep => {}
                OwnershipEffect::Extend { token, sent, .. } => {
                    // Refused where the deadline has passed: then `guard` cuts.
                    let _ = self.table.extend(OBJECT, token_of(token), (sent.since_boot(), VALIDITY), at);
                }
                OwnershipEffect::Cut { .. } => self.table.forfeit(OBJECT, at),
                OwnershipEffect::PinHolds => {
                    if let Some(daemon) = &mut self.daemon {
                        daemon.may_depart = daemon.departs.is_some();
                    }
                }
                OwnershipEffect::EndPin => {
                    let clock = self.clock(now);
                    if let Some(daemon) = &mut self.daemon {
                        daemon.ownership.unpin(clock);
                    }
                }
            }
        }
        self.keep();
        self.guard(now, None);
    }

    /// The memory is written before anything more is sent.
    pub(super) fn keep(&mut self) {
        if let Some(daemon) = &self.daemon {
            self.memory = daemon.ownership.memory().clone();
        }
    }

    /// The keeper, which no death of the daemon stops: what has passed its hard deadline is cut, and the cut is proven.
    pub(super) fn guard(&mut self, now: Duration, weakness: Option<TenureWeakness>) {
        let at = self.clock(now).since_boot();
        if !self.on || self.table.passed(at).is_empty() || weakness == Some(TenureWeakness::NoCut) {
            return;
        }
        self.runs = false;
        self.table.release(OBJECT);
        if let Some(daemon) = &mut self.daemon {
            daemon.ownership.forfeit(&slot());
            daemon.ownership.stopped(&slot());
        }
    }

    /// Whether something may be started in the slot.
    pub(super) fn may_start(&self, now: Duration) -> bool {
        let clock = self.clock(now);
        let Some(daemon) = &self.daemon else { return false };
        let Some(token) = daemon.ownership.token(&slot()) else { return false };
        let known = self.table.slot_of(OBJECT).is_some_and(|slot| slot.confirmed && slot.token == token_of(token));
        known && self.table.passed(clock.since_boot()).is_empty() && daemon.ownership.may_start(&slot(), clock)
    }
}

pub(super) fn token_of(token: FencingToken) -> SlotToken {
    SlotToken { generation: token.generation, revision: token.revision.0 }
}
