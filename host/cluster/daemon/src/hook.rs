//! Hooks: commands of node.conf that run when something happens, beside the owner, which never waits for them.
//!
//! Inputs: the events, node.conf, read again when it changes. Output: commands, and an event for each that failed. Each hook is a
//! task that follows the events at its own speed and runs one command after the other, so that a slow one delays no other hook and
//! costs no memory. A hook runs for no event about a hook: it would follow itself. The tasks end with the daemon, which gives them a
//! moment for its last events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use agent::{Agent, HookEvent, HookRule, chain};
use model::select::GlobPattern;
use protocol::daemon::{DaemonEvent, EventKind};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{EventLog, EventReader, clock};

/// How long the daemon's end waits for hooks.
const LAST_MOMENT: Duration = Duration::from_secs(5);

/// A hook that is so late (in seconds) skips what it would run for.
const TOO_LATE: f64 = 600.0;

/// So many hooks run at most.
const MOST: usize = 32;

/// The hooks while the daemon runs.
#[derive(Debug)]
pub(crate) struct HookTasks {
    ending: watch::Sender<bool>,
    supervisor: JoinHandle<()>,
}

/// What a hook does when there is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HookState {
    Waits,
    /// It ends once it has seen the events that are there.
    Drains,
    /// It ends at once, as node.conf does not name it so any more.
    Ends,
}

struct RunningHook {
    rule: HookRule,
    state: watch::Sender<HookState>,
    task: JoinHandle<()>,
}

/// What all hooks use.
#[derive(Clone)]
struct HookContext {
    agent: Agent,
    events: EventLog,
    /// The last event after which node.conf was read.
    read: Arc<watch::Sender<u64>>,
}

impl HookTasks {
    /// Runs the hooks for the events from now on.
    pub(crate) fn start(agent: Agent, events: EventLog) -> HookTasks {
        let (ending, ends) = watch::channel(false);
        let from = events.last();
        let read = Arc::new(watch::Sender::new(from));
        let supervisor = tokio::spawn(supervise(HookContext { agent, events, read }, from, ends));
        HookTasks { ending, supervisor }
    }

    /// Lets the hooks see the last events, and ends them.
    pub(crate) async fn end(self) {
        self.ending.send_replace(true);
        let _ = tokio::time::timeout(LAST_MOMENT, self.supervisor).await;
    }
}

async fn supervise(context: HookContext, from: u64, mut ends: watch::Receiver<bool>) {
    let mut running = BTreeMap::new();
    let mut reader = context.events.follow(Some(from));
    update(&context, from, &mut running).await;
    loop {
        let event = match reader.ready() {
            Some(event) => event,
            // Only when all events were seen: the last of them may be a change of node.conf.
            None if *ends.borrow() => break,
            None => tokio::select! {
                event = reader.next() => match event {
                    Some(event) => event,
                    None => break,
                },
                changed = ends.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => break,
                },
            },
        };
        // What was missed may be a change of node.conf.
        if matches!(event.kind, EventKind::NodeConfig | EventKind::Resync) {
            update(&context, event.id, &mut running).await;
        }
    }
    // All of them before the first is awaited: they drain side by side, as LAST_MOMENT is for all together.
    for hook in running.values() {
        hook.state.send_replace(HookState::Drains);
    }
    for hook in running.into_values() {
        let _ = hook.task.await;
    }
}

/// Ends the hooks that node.conf does not name any more, and begins those that are new, from behind the event `from`.
async fn update(context: &HookContext, from: u64, running: &mut BTreeMap<String, RunningHook>) {
    let agent = context.agent.clone();
    let (mut rules, mut problems) = tokio::task::spawn_blocking(move || agent.hooks()).await.unwrap_or_default();
    if rules.len() > MOST {
        problems.push(format!("node.conf has {} hooks: the first {MOST} are run", rules.len()));
        rules.truncate(MOST);
    }
    problems.extend(rules.iter().flat_map(unknown_kinds));
    for problem in problems {
        context.failed(None, &problem, None);
    }
    running.retain(|_, hook| {
        // By all of the rule and not by its name: a hook whose command was changed is another one.
        let stays = rules.contains(&hook.rule);
        if !stays {
            hook.state.send_replace(HookState::Ends);
        }
        stays
    });
    for rule in rules {
        running.entry(rule.name.clone()).or_insert_with(|| {
            let (state, told) = watch::channel(HookState::Waits);
            let reader = context.events.follow(Some(from));
            let task = tokio::spawn(follow(context.clone(), rule.clone(), reader, told));
            RunningHook { rule, state, task }
        });
    }
    context.read.send_replace(from);
}

/// The patterns of a hook that no event matches.
fn unknown_kinds(rule: &HookRule) -> Vec<String> {
    let is_known = |pattern: &String| {
        let glob = GlobPattern::new(pattern);
        glob.is_ok_and(|glob| EventKind::ALL.iter().any(|kind| glob.matches(kind.as_str())))
    };
    let unknown = rule.events.iter().filter(|pattern| !is_known(pattern));
    unknown.map(|pattern| format!("hook#{}: no event is of the kind {pattern}", rule.name)).collect()
}

/// Runs a hook for each event that it is for, until its state says otherwise.
async fn follow(context: HookContext, rule: HookRule, mut reader: EventReader, mut state: watch::Receiver<HookState>) {
    let kinds: Vec<GlobPattern> = rule.events.iter().filter_map(|pattern| GlobPattern::new(pattern).ok()).collect();
    loop {
        let now = *state.borrow_and_update();
        let event = match (now, reader.ready()) {
            (HookState::Ends, _) | (HookState::Drains, None) => return,
            (_, Some(event)) => event,
            (HookState::Waits, None) => tokio::select! {
                event = reader.next() => match event {
                    Some(event) => event,
                    None => return,
                },
                changed = state.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
            },
        };
        if event.kind == EventKind::NodeConfig && !stays(&context, event.id, &mut state).await {
            return;
        }
        match event.kind {
            // A hook would run for its own failures, again and again.
            EventKind::HookFailed => {}
            EventKind::Resync => context.failed(Some(&rule), "it was too slow, and has missed events", None),
            kind if kinds.iter().any(|pattern| pattern.matches(kind.as_str())) => context.run(&rule, &event).await,
            _ => {}
        }
    }
}

/// Whether a hook is still one of node.conf's after this change: no event that comes later is for a hook of before.
async fn stays(context: &HookContext, change: u64, state: &mut watch::Receiver<HookState>) -> bool {
    let mut read = context.read.subscribe();
    tokio::select! {
        _ = read.wait_for(|read| *read >= change) => {}
        _ = state.wait_for(|state| *state != HookState::Waits) => {}
    }
    *state.borrow() != HookState::Ends
}

impl HookContext {
    async fn run(&self, rule: &HookRule, event: &Arc<DaemonEvent>) {
        if clock::wall() - event.at > TOO_LATE {
            return self.failed(
                Some(rule),
                "it is too late for this event, because earlier ones took so long",
                Some(event),
            );
        }
        let json = serde_json::to_string(&**event).unwrap_or_default();
        let path = event.path.as_ref().map(ToString::to_string);
        let about = HookEvent { kind: event.kind.as_str(), path: path.as_deref(), json: &json };
        if let Err(error) = self.agent.run_hook(rule, about).await {
            self.failed(Some(rule), &chain(&error), Some(event));
        }
    }

    fn failed(&self, rule: Option<&HookRule>, error: &str, event: Option<&Arc<DaemonEvent>>) {
        let (id, kind) = (event.map(|event| event.id), event.map(|event| event.kind.as_str()));
        let data = json!({ "hook": rule.map(|rule| &rule.name), "error": error, "event": id, "kind": kind });
        let path = event.and_then(|event| event.path.as_ref());
        self.events.add(clock::wall(), EventKind::HookFailed, path, data);
    }
}
