//! A run: virtual time, the store with all requests that were ever sent, and the one thing that must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::NodeName;
use orchestrate::{BootTime, StoreRevision};
use ownership::{FailsafeQuestion, OwnershipReading, OwnershipRequest, RequestOutcome, SentRequest};
use replica::{SharedState, everything, ownership_outcome, ownership_reading, ownership_txn};
use store::{KeyQuery, MemoryStore};

use super::node::{OBJECT, TenureNode, VALIDITY, slot, token_of};
use super::{TenurePlan, TenureWeakness};
use crate::Random;

/// How often a node's loop runs.
const LOOP: Duration = Duration::from_millis(250);
const BEAT: Duration = Duration::from_secs(1);
/// After so long a sender gives up.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long faults go on, and how long all is well afterwards.
const TURMOIL: Duration = Duration::from_secs(120);
const CALM: Duration = Duration::from_secs(40);
/// By then all nodes have joined.
const JOINED: Duration = Duration::from_secs(20);

/// What became of a run.
#[derive(Debug)]
pub struct TenureReport {
    pub seed: u64,
    /// What was violated. None: nothing was.
    pub violation: Option<String>,
    /// How often the slot was started.
    pub starts: u64,
    /// What happened, in order.
    pub lines: Vec<String>,
}

enum Event {
    Loop(usize),
    Apply(u64),
    Answer(u64, RequestOutcome),
    Promise { question: FailsafeQuestion, by: usize },
    Promised { question: FailsafeQuestion, by: usize },
    Heal { node: usize },
    Start { node: usize },
    PowerOn { node: usize },
    Hand { by: usize, of: NodeName, pair: (StoreRevision, StoreRevision) },
}

struct InFlight {
    node: usize,
    daemon: u64,
    sent: SentRequest,
    answered: bool,
}

struct TenureWorld {
    now: Duration,
    plan: TenurePlan,
    weakness: Option<TenureWeakness>,
    random: Random,
    store: MemoryStore,
    nodes: Vec<TenureNode>,
    events: BTreeMap<(Duration, u64), Event>,
    in_flight: BTreeMap<u64, InFlight>,
    numbers: u64,
    report: TenureReport,
}

/// Runs the schedule of a seed.
pub fn run_tenure(plan: TenurePlan, seed: u64, weakness: Option<TenureWeakness>) -> TenureReport {
    let mut random = Random::new(seed);
    let names = (1..=plan.nodes).filter_map(|number| format!("n{number}").parse().ok());
    let nodes = names.map(|name| TenureNode::new(name, random.between(0, 1000) as i64 - 500)).collect();
    let store = MemoryStore::new();
    // A store that is empty and in memory founds always.
    let _ = store.apply(&replica::request::found());
    let report = TenureReport { seed, violation: None, starts: 0, lines: Vec::new() };
    let mut world = TenureWorld {
        now: Duration::ZERO,
        plan,
        weakness,
        random,
        store,
        nodes,
        events: BTreeMap::new(),
        in_flight: BTreeMap::new(),
        numbers: 0,
        report,
    };
    world.run();
    world.report
}

impl TenureWorld {
    fn run(&mut self) {
        for node in 0..self.nodes.len() {
            let delay = self.millis(0, 2000);
            self.schedule(delay, Event::Start { node });
            let delay = self.millis(0, 250);
            self.schedule(delay, Event::Loop(node));
        }
        while let Some(((at, _), event)) = self.events.pop_first() {
            if at > TURMOIL + CALM || self.report.violation.is_some() {
                break;
            }
            self.now = at;
            // A deadline that passes between two events is kept to the moment.
            self.nodes.iter_mut().for_each(|node| node.guard(at, self.weakness));
            self.happen(event);
            self.check();
        }
        let up = self.nodes.iter().filter(|node| node.runs).count();
        if self.report.violation.is_none() && up != 1 {
            self.report.violation = Some(format!("it runs on {up} nodes at the end, when all is well again"));
        }
    }

    fn check(&mut self) {
        let running: Vec<&NodeName> = self.nodes.iter().filter(|node| node.runs).map(|node| &node.name).collect();
        if running.len() > 1 {
            self.report.violation = Some(format!("at {:?} it runs on {running:?}", self.now));
        }
    }

    fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.random.between(low, high))
    }

    fn schedule(&mut self, delay: Duration, event: Event) {
        self.numbers += 1;
        self.events.insert((self.now + delay, self.numbers), event);
    }

    fn note(&mut self, text: String) {
        let line = format!("{:?} {text}", self.now);
        self.report.lines.push(line);
    }

    fn is_calm(&self) -> bool {
        self.now >= TURMOIL
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Loop(node) => {
                self.schedule(LOOP, Event::Loop(node));
                self.suffer(node);
                self.work(node);
            }
            Event::Apply(number) => self.apply(number),
            Event::Answer(number, outcome) => self.answer(number, &outcome),
            Event::Promise { question, by } => self.promise(question, by),
            Event::Promised { question, by } => self.promised(&question, by),
            Event::Heal { node } => (self.nodes[node].cut, self.nodes[node].deaf) = (false, false),
            Event::Start { node } => {
                self.numbers += 1;
                let (number, now, weakness) = (self.numbers, self.now, self.weakness);
                self.nodes[node].start_daemon(number, now, weakness);
            }
            Event::PowerOn { node } => {
                let now = self.now;
                self.nodes[node].power_on(now);
                let delay = self.millis(0, 2000);
                self.schedule(delay, Event::Start { node });
            }
            Event::Hand { by, of, pair } => self.end_by_hand(by, &of, pair),
        }
    }

    /// What the plan does to a node, each second.
    fn suffer(&mut self, node: usize) {
        // The chances are for a second, and a round (`LOOP`) is a quarter of one.
        let mut strikes = |chance: u64| self.random.percent(chance) && self.random.percent(25);
        let plan = self.plan;
        let (cut, deaf, kill) = (strikes(plan.cuts), strikes(plan.deaf), strikes(plan.kills));
        let (reboot, release) = (strikes(plan.reboots), strikes(plan.releases));
        let (depart, hand) = (strikes(plan.departures), strikes(plan.hands));
        let outage = plan.outages > 0 && node == 0 && strikes(plan.outages);
        if self.is_calm() {
            return;
        }
        if outage && self.now >= JOINED && !self.nodes.iter().any(|node| node.cut || node.deaf) {
            self.lose_store();
        }
        if (cut || deaf) && !self.nodes[node].cut && !self.nodes[node].deaf {
            self.note(format!("{} is {}", self.nodes[node].name, if cut { "cut off" } else { "deaf" }));
            (self.nodes[node].cut, self.nodes[node].deaf) = (cut, deaf);
            let delay = self.millis(3000, 40_000);
            self.schedule(delay, Event::Heal { node });
        }
        if reboot && self.nodes[node].on {
            self.note(format!("{} loses its power", self.nodes[node].name));
            self.nodes[node].power_off();
            let delay = self.millis(500, 20_000);
            self.schedule(delay, Event::PowerOn { node });
        } else if kill && self.nodes[node].daemon.take().is_some() {
            self.note(format!("the daemon of {} is killed", self.nodes[node].name));
            let delay = self.millis(100, 10_000);
            self.schedule(delay, Event::Start { node });
        }
        let clock = self.nodes[node].clock(self.now);
        if let Some(daemon) = &mut self.nodes[node].daemon {
            daemon.gives_away |= release;
            if depart && daemon.departs.is_none() {
                daemon.departs = Some(clock);
                daemon.ownership.pin();
            }
        }
        if hand {
            self.show_to_hand(node);
        }
    }

    /// The store is away from all nodes. They reach each other.
    fn lose_store(&mut self) {
        self.note("the store is away".to_owned());
        let delay = self.millis(3000, 40_000);
        for node in 0..self.nodes.len() {
            self.nodes[node].cut = true;
            self.schedule(delay, Event::Heal { node });
        }
    }

    /// A person reads how another node stands, and decides a while later.
    fn show_to_hand(&mut self, by: usize) {
        let reading = self.reading();
        let others: Vec<usize> = (0..self.nodes.len()).filter(|other| *other != by).collect();
        let Some(of) = self.random.pick(&others).map(|of| self.nodes[*of].name.clone()) else { return };
        let Some(found) = reading.nodes.get(&of) else { return };
        let pair = (found.life, found.beat);
        // What a person may only say if it is true: that nothing runs there.
        let delay = self.millis(0, 3000);
        self.schedule(delay, Event::Hand { by, of, pair });
    }

    fn end_by_hand(&mut self, by: usize, of: &NodeName, pair: (StoreRevision, StoreRevision)) {
        let runs = self.nodes.iter().any(|node| node.name == *of && (node.runs || node.daemon.is_some()));
        let clock = self.nodes[by].clock(self.now);
        let Some(daemon) = self.nodes[by].daemon.as_mut().filter(|_| !runs) else { return };
        if let Some((sent, _)) = daemon.ownership.evict_by_hand(of, pair, clock) {
            self.send(by, sent);
        }
    }

    fn reading(&self) -> OwnershipReading {
        let listing = self.store.entries(&KeyQuery::current(everything())).expect("it is in memory");
        let state = SharedState::of(&listing).expect("only rows of this version are written");
        ownership_reading(&state).expect("its generation has begun")
    }

    /// One round of a daemon.
    fn work(&mut self, at: usize) {
        let clock = self.nodes[at].clock(self.now);
        if self.nodes[at].daemon.is_none() {
            return;
        }
        let reachable = !self.nodes[at].cut && !self.nodes[at].deaf;
        if reachable {
            let reading = self.reading();
            let Some(daemon) = &mut self.nodes[at].daemon else { return };
            daemon.heard = clock;
            let effects = daemon.ownership.observe(reading, clock);
            let now = self.now;
            self.nodes[at].follow(effects, now);
        }
        self.depart(at);
        let Some(daemon) = &mut self.nodes[at].daemon else { return };
        let mut requests = Vec::new();
        requests.extend(daemon.ownership.register(clock));
        if daemon.beaten.is_none_or(|beaten| clock.since(beaten) >= BEAT) {
            daemon.beaten = Some(clock);
            requests.extend(daemon.ownership.beat(clock));
        }
        let peers: Vec<NodeName> = daemon.ownership.living_peers().cloned().collect();
        requests.extend(peers.iter().filter_map(|peer| Some(daemon.ownership.evict(peer, clock)?.0)));
        self.nodes[at].keep();
        requests.into_iter().for_each(|sent| self.send(at, sent));
        self.ask_for_promises(at, clock);
        self.pursue_slot(at, clock);
    }

    /// The daemon goes when the others know that what runs goes on, and a while later in any case: then that keeps its deadline.
    fn depart(&mut self, at: usize) {
        let clock = self.nodes[at].clock(self.now);
        let Some(daemon) = &self.nodes[at].daemon else { return };
        let Some(since) = daemon.departs else { return };
        let known = daemon.may_depart;
        if known || clock.since(since) >= VALIDITY / 2 {
            self.note(format!("the daemon of {} goes{}", self.nodes[at].name, if known { "" } else { " untold" }));
            if known {
                self.nodes[at].table.pin(OBJECT, clock.since_boot());
            }
            self.nodes[at].daemon = None;
            let delay = self.millis(100, 20_000);
            self.schedule(delay, Event::Start { node: at });
        }
    }

    /// Every node wants to run it.
    fn pursue_slot(&mut self, at: usize, clock: BootTime) {
        let (now, slot) = (self.now, slot());
        let may_start = self.nodes[at].may_start(now);
        let node = &mut self.nodes[at];
        let Some(daemon) = &mut node.daemon else { return };
        if daemon.asking || daemon.departs.is_some() {
            return;
        }
        let reads_own = daemon.ownership.unconfirmed().any(|own| *own == slot);
        let weak = self.weakness == Some(TenureWeakness::ReadIsEnough) && reads_own;
        if daemon.gives_away {
            daemon.gives_away = false;
            node.runs = false;
            node.table.release(OBJECT);
            daemon.ownership.stopped(&slot);
            if let Some(sent) = daemon.ownership.release(&slot, clock) {
                daemon.asking = true;
                self.send(at, sent);
            }
        } else if (may_start || weak) && !node.runs {
            daemon.ownership.started(slot);
            node.runs = true;
            self.report.starts += 1;
            let name = self.nodes[at].name.clone();
            self.note(format!("{name} starts it"));
        } else if (!node.runs || reads_own)
            && let Some(sent) = daemon.ownership.take(&slot, clock)
        {
            daemon.asking = true;
            self.send(at, sent);
        }
    }

    fn send(&mut self, node: usize, sent: SentRequest) {
        self.numbers += 1;
        let number = self.numbers;
        let daemon = self.nodes[node].daemon.as_ref().map_or(0, |daemon| daemon.number);
        let plan = self.plan;
        let (late, lost) = (self.random.percent(plan.late), self.random.percent(plan.lost));
        let (cut, deaf, calm) = (self.nodes[node].cut, self.nodes[node].deaf, self.is_calm());
        // What was on its way when the link was cut may still arrive.
        let late = !calm && (late || (cut && self.random.percent(30)));
        let arrives = late || calm || !(cut || lost);
        let answered = arrives && !late && !deaf;
        self.in_flight.insert(number, InFlight { node, daemon, sent, answered });
        if arrives {
            // Late is after `PATIENCE`, when the sender has given it up.
            let delay = if late { self.millis(1600, 60_000) } else { self.millis(1, 20) };
            self.schedule(delay, Event::Apply(number));
        }
        if !answered {
            self.schedule(PATIENCE, Event::Answer(number, RequestOutcome::Unknown));
        }
    }

    fn apply(&mut self, number: u64) {
        let Some(flight) = self.in_flight.get(&number) else { return };
        let outcome = ownership_outcome(&flight.sent, &self.store.apply(&ownership_txn(&flight.sent)));
        let (answered, request) = (flight.answered, format!("{:?}", flight.sent.request));
        let name = self.nodes[flight.node].name.clone();
        if !matches!(flight.sent.request, OwnershipRequest::Beat { .. }) {
            self.note(format!("{name}: {request}: {outcome:?}"));
        }
        if answered {
            let delay = self.millis(1, 20);
            self.schedule(delay, Event::Answer(number, outcome));
        }
    }

    fn answer(&mut self, number: u64, outcome: &RequestOutcome) {
        let Some(flight) = self.in_flight.get(&number) else { return };
        let (at, sent, number) = (flight.node, flight.sent.clone(), flight.daemon);
        let now = self.now;
        let clock = self.nodes[at].clock(now);
        let Some(daemon) = self.nodes[at].daemon.as_mut().filter(|daemon| daemon.number == number) else { return };
        let effects = daemon.ownership.answer(&sent, outcome, clock);
        if matches!(sent.request, OwnershipRequest::Take { .. } | OwnershipRequest::Release { .. }) {
            daemon.asking = false;
        }
        let token = daemon.ownership.token(&slot());
        let refused = matches!(outcome, RequestOutcome::Refused(_));
        if matches!(sent.request, OwnershipRequest::Take { .. }) {
            // The slot has no deadline before the next beat is acknowledged.
            daemon.beaten = None;
            if let Some(token) = token
                && self.nodes[at].table.confirm(OBJECT, token_of(token), clock.since_boot()).is_err()
                && let Some(daemon) = &mut self.nodes[at].daemon
            {
                daemon.ownership.forfeit(&slot());
            }
        } else if refused {
            daemon.beaten = None;
        }
        self.nodes[at].follow(effects, now);
    }

    /// Without the store, the promises of all other nodes are as good as a beat.
    fn ask_for_promises(&mut self, at: usize, clock: BootTime) {
        if !self.plan.promises {
            return;
        }
        let configured: BTreeSet<NodeName> = self.nodes.iter().map(|node| node.name.clone()).collect();
        let Some(daemon) = &mut self.nodes[at].daemon else { return };
        // A beat and a little more without a word of the store.
        if clock.since(daemon.heard) < Duration::from_millis(1200) {
            return;
        }
        let Some(question) = daemon.ownership.ask(&configured, clock) else { return };
        for by in (0..self.nodes.len()).filter(|by| *by != at) {
            let delay = self.millis(1, 50);
            self.schedule(delay, Event::Promise { question: question.clone(), by });
        }
    }

    fn promise(&mut self, question: FailsafeQuestion, by: usize) {
        let clock = self.nodes[by].clock(self.now);
        let Some(daemon) = &mut self.nodes[by].daemon else { return };
        let given = daemon.ownership.promise(&question, clock);
        self.nodes[by].keep();
        if given {
            let delay = self.millis(1, 50);
            self.schedule(delay, Event::Promised { question, by });
        }
    }

    fn promised(&mut self, question: &FailsafeQuestion, by: usize) {
        let (now, by) = (self.now, self.nodes[by].name.clone());
        let asker = self.nodes.iter_mut().find(|node| node.name == question.asker);
        let Some(node) = asker else { return };
        let Some(daemon) = &mut node.daemon else { return };
        let effects = daemon.ownership.promised(question, &by);
        node.follow(effects, now);
    }
}
