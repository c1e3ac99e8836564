//! Between the daemons and the store. A request is applied at once, late or never, and its answer arrives or does not: all that
//! the sender knows is that it gave up.

use std::time::Duration;

use model::NodeName;

use super::{Event, World};
use crate::daemon::PendingKey;
use crate::store::{StoreAnswer, StoreRequest};

/// A request under way.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub(crate) number: u64,
    pub(crate) sender: NodeName,
    pub(crate) life: u64,
    pub(crate) key: PendingKey,
    pub(crate) request: StoreRequest,
    pub(crate) at: Duration,
    answered: bool,
}

/// After so long a sender gives up.
const PATIENCE: Duration = Duration::from_secs(2);

/// What becomes of a request.
#[derive(Clone, Copy)]
enum Fate {
    Normal,
    Lost,
    AnswerLost,
    Late,
}

impl World {
    pub(crate) fn send(&mut self, name: &NodeName, key: PendingKey, request: StoreRequest) {
        self.numbers += 1;
        let number = self.numbers;
        let (at, life) = (self.now, self.life(name));
        let Some(node) = self.nodes.get_mut(name) else { return };
        let (cut, Some(daemon)) = (node.cut, node.daemon.as_mut()) else { return };
        if daemon.pending.contains_key(&key) {
            return;
        }
        daemon.pending.insert(key.clone(), number);
        let fate = self.fate(cut);
        let delay = match fate {
            // After `PATIENCE`, when the sender has given it up.
            Fate::Late => Duration::from_millis(self.random.between(2500, 40_000)),
            _ => Duration::from_micros(self.random.between(500, 10_000)),
        };
        let answered = matches!(fate, Fate::Normal);
        self.in_flight.insert(number, InFlight { number, sender: name.clone(), life, key, request, at, answered });
        if !matches!(fate, Fate::Lost) {
            self.schedule(delay, Event::Apply { number });
        }
        if !answered {
            self.schedule(PATIENCE, Event::GiveUp { number });
        }
    }

    fn fate(&mut self, cut: bool) -> Fate {
        if self.healed {
            return Fate::Normal;
        }
        let faults = self.scenario.faults.clone();
        if cut {
            // What was on its way when the cut came may still arrive, or arrive much later.
            return if self.random.percent(20) { Fate::Late } else { Fate::Lost };
        }
        if self.random.percent(faults.lost_requests) {
            Fate::Lost
        } else if self.random.percent(faults.lost_answers) {
            Fate::AnswerLost
        } else if self.random.percent(faults.late_requests) {
            Fate::Late
        } else {
            Fate::Normal
        }
    }

    pub(super) fn apply(&mut self, number: u64) {
        let Some(sent) = self.in_flight.get(&number) else { return };
        let (answered, request) = (sent.answered, sent.request.clone());
        let answer = self.commit(&request);
        if answered {
            let delay = Duration::from_micros(self.random.between(500, 10_000));
            self.schedule(delay, Event::Answer { number, answer });
        }
    }

    pub(super) fn answer(&mut self, number: u64, answer: &StoreAnswer) {
        let Some(sent) = self.in_flight.remove(&number) else { return };
        if self.is_life(&sent.sender, sent.life) && !self.nodes[&sent.sender].cut {
            self.answered(&sent, answer);
        } else {
            self.give_up(&sent);
        }
    }

    /// The sender gives up. The request stays where it is, and may be applied at any later time.
    pub(super) fn give_up_request(&mut self, number: u64) {
        if let Some(sent) = self.in_flight.get(&number).cloned() {
            self.give_up(&sent);
        }
    }

    /// Applies a request, and tells those who watch.
    pub(crate) fn commit(&mut self, request: &StoreRequest) -> StoreAnswer {
        let answer = self.store.apply(request);
        if let StoreAnswer::Applied(revision) = answer {
            self.shared = None;
            // Each node looks at the beats in each round of its own (`look_at_peers`): one that woke all nodes
            // would hide a wake that a decision lacks.
            if matches!(request, StoreRequest::Beat { .. }) {
                return answer;
            }
            match (self.trace.is_verbose(), request.path()) {
                (true, _) => self.note(format_args!("r{revision} {request:?}")),
                (false, Some(path)) => self.note(format_args!("r{revision} {path}")),
                (false, None) => self.note(format_args!("r{revision}")),
            }
            if let Some(path) = request.path() {
                self.checks.committed(&self.store, path, request);
            }
            self.tell_all();
        }
        answer
    }

    pub(crate) fn tell_all(&mut self) {
        let names: Vec<NodeName> = self.nodes.keys().cloned().collect();
        names.iter().for_each(|name| self.refresh_soon(name));
    }
}
