//! The events of container engines: the end, the removal or another health of a container is noticed at once.
//!
//! Input: the objects that have containers, again after each change of their configurations and each action on them. Output: notices.
//! Each engine has a task that ends with the last object that uses it. An engine that is away is tried again, less and less often,
//! and at once after an action, which may have started it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent::Agent;
use agent::engine::{AnswerError, EngineEvents};
use model::ObjectPath;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::Notice;
use crate::owner::Message;

/// How long an engine that is away is left alone, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Follows the engines of objects.
#[derive(Debug, Clone)]
pub(crate) struct EngineWatch {
    objects: UnboundedSender<ObjectPath>,
}

/// An engine that is followed.
struct FollowedEngine {
    /// The objects that have containers there.
    users: BTreeSet<ObjectPath>,
    retry: Arc<Notify>,
    task: JoinHandle<()>,
}

impl EngineWatch {
    /// Follows no engine yet.
    pub(crate) fn start(agent: Agent, mail: UnboundedSender<Message>) -> EngineWatch {
        let (objects, asked) = unbounded_channel();
        tokio::spawn(follow_objects(agent, mail, asked));
        EngineWatch { objects }
    }

    /// Follows the engines that the object names now.
    pub(crate) fn look(&self, object: &ObjectPath) {
        let _ = self.objects.send(object.clone());
    }
}

async fn follow_objects(agent: Agent, mail: UnboundedSender<Message>, mut objects: UnboundedReceiver<ObjectPath>) {
    let mut engines: BTreeMap<PathBuf, FollowedEngine> = BTreeMap::new();
    while let Some(object) = objects.recv().await {
        // An object that cannot be read keeps what it has.
        let Ok(sockets) = agent.engines(&object).await else { continue };
        engines.retain(|socket, engine| {
            if !sockets.contains(socket) {
                engine.users.remove(&object);
            }
            let is_used = !engine.users.is_empty();
            if !is_used {
                engine.task.abort();
            }
            is_used
        });
        for socket in sockets {
            let engine = engines.entry(socket.clone()).or_insert_with(|| {
                let retry = Arc::new(Notify::new());
                let task = tokio::spawn(follow(agent.clone(), socket, mail.clone(), Arc::clone(&retry)));
                FollowedEngine { users: BTreeSet::new(), retry, task }
            });
            engine.users.insert(object.clone());
            engine.retry.notify_one();
        }
    }
    engines.values().for_each(|engine| engine.task.abort());
}

async fn follow(agent: Agent, socket: PathBuf, mail: UnboundedSender<Message>, retry: Arc<Notify>) {
    let mut pause = PAUSES.0;
    while !mail.is_closed() {
        if let Ok(events) = open(&agent, &socket).await {
            pause = PAUSES.0;
            // What happened before was not reported, nor will be what happens while the engine is away.
            let _ = mail.send(Message::Noticed(Notice::Containers));
            let _ = report(events, &mail).await;
            let _ = mail.send(Message::Noticed(Notice::Containers));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSES.1),
            () = retry.notified() => {}
        }
    }
}

async fn open(agent: &Agent, socket: &Path) -> Result<EngineEvents, AnswerError> {
    EngineEvents::open(socket, &agent.node().name).await
}

/// Reports what happens, until the engine hangs up.
async fn report(mut events: EngineEvents, mail: &UnboundedSender<Message>) -> Result<(), AnswerError> {
    loop {
        let event = events.next().await?;
        if mail.send(Message::Noticed(Notice::Container(event.object))).is_err() {
            return Ok(());
        }
    }
}
