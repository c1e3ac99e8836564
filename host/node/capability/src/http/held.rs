//! Records which containers a resource has: from the request that makes one until the one that removes it, with the process that a
//! start has made. So it is known that a container runs even if its engine does not answer, and whatever the keywords say by now.

use std::path::Path;

use grant::op::FetchUnix;
use guard::{ContainerEffect, EngineLookup, first_process, whole_id};
use holding::{ContainerHolding, Holding, HoldingRecord};
use hyper::Method;
use kernel::process::{counts_alike, group_directory, look as look_at};
use tokio::time::{Duration, Instant};

use super::guarded::ask;
use super::message::HttpResponse;
use crate::holdings::{HoldingNote, HoldingPresence, ResourceLedger, look, other_holder_of_container};
use crate::{CallContext, CapabilityError};

/// How long the engine may take to say which process a container has.
const QUESTION: Duration = Duration::from_secs(10);

/// What is recorded of a request, before it is sent.
pub(super) struct EffectRecord {
    holding: ContainerHolding,
    note: Option<HoldingNote>,
    effect: ContainerEffect,
}

impl EffectRecord {
    /// Records what the request is about to do. An error means that it must not be sent.
    pub(super) fn begin(
        context: &CallContext,
        socket: &Path,
        effect: ContainerEffect,
    ) -> Result<EffectRecord, CapabilityError> {
        let (name, id) = match &effect {
            ContainerEffect::Made(name) => (name.clone(), None),
            ContainerEffect::Started(name, id) | ContainerEffect::Stopped(name, id) => (name.clone(), Some(id.clone())),
            ContainerEffect::Removed(id) => (String::new(), Some(id.clone())),
        };
        let engine = socket.display().to_string();
        let holding = ContainerHolding { engine, name, id, process: None, group: None };
        let makes = matches!(effect, ContainerEffect::Made(_) | ContainerEffect::Started(..));
        let note = makes.then(|| context.ledger().intend(holding.clone())).transpose()?;
        Ok(EffectRecord { holding, note, effect })
    }

    /// Records what has come of it. Without an answer that is not known, and what was intended stays so.
    pub(super) async fn end(self, context: &CallContext, answer: &Result<HttpResponse, CapabilityError>, target: &str) {
        match answer {
            Ok(answer) => self.answered(&context.ledger(), answer, target).await,
            // It was not sent.
            Err(CapabilityError::Denied(_) | CapabilityError::NotFound(_) | CapabilityError::Os { .. }) => {
                self.note.into_iter().for_each(HoldingNote::nothing);
            }
            Err(_) => {}
        }
    }

    async fn answered(self, ledger: &ResourceLedger, answer: &HttpResponse, target: &str) {
        let is_done = (200..300).contains(&answer.status) || answer.status == 304;
        let EffectRecord { holding, note, effect } = self;
        match (effect, note) {
            (ContainerEffect::Removed(id), _) if is_done || answer.status == 404 => {
                ledger.released(|held| is(held, &id))
            }
            (ContainerEffect::Made(_), Some(note)) if is_done => {
                forget_what_is_gone(ledger, &holding.engine).await;
                note.held(ContainerHolding { id: whole_id(&answer.body), ..holding });
            }
            (ContainerEffect::Started(_, id), Some(note)) => {
                let earlier = records(ledger, &id);
                // Asked after a refusal too: an engine may have started what it says that it could not.
                match process_of(&holding, &id, target).await {
                    Ok(None) if !is_done => return note.nothing(),
                    Ok(seen) => note.held(running(holding, seen)),
                    // It may run.
                    Err(_) => return,
                }
                // The last of these is the note itself, which says more than the others.
                ledger.ledger.forget(&earlier[..earlier.len().saturating_sub(1)]);
            }
            (ContainerEffect::Stopped(_, id), _) => {
                let earlier = records(ledger, &id);
                // If an operator starts it again, it is in the same group.
                let group = earlier.iter().rev().find_map(|record| match &record.holding {
                    Holding::Container(container) => container.group.clone(),
                    _ => None,
                });
                // What was never recorded is not recorded now: another resource's container may be stopped on its behalf.
                if let (false, Ok(None)) = (earlier.is_empty(), process_of(&holding, &id, target).await)
                    && ledger.take_on(ContainerHolding { group, ..holding }).is_ok()
                {
                    ledger.ledger.forget(&earlier);
                }
            }
            (_, Some(note)) => note.nothing(),
            (_, None) => {}
        }
    }
}

/// Refuses to act on a container that another object holds: only a lie of the engine leads there.
pub(super) fn refuse_of_others(
    context: &CallContext,
    op: &FetchUnix,
    effect: Option<&ContainerEffect>,
) -> Result<(), CapabilityError> {
    let id = match effect {
        Some(ContainerEffect::Started(_, id) | ContainerEffect::Stopped(_, id) | ContainerEffect::Removed(id)) => id,
        Some(ContainerEffect::Made(_)) | None => return Ok(()),
    };
    let owner = other_holder_of_container(context, id);
    owner.map_or(Ok(()), |owner| Err(context.refuse(op, format!("the engine calls {id} what {owner} holds"))))
}

/// The answer to the making of a container, unless the engine says the id of one that another object holds.
pub(super) fn own_container(
    context: &CallContext,
    made: bool,
    answer: HttpResponse,
) -> Result<HttpResponse, CapabilityError> {
    let id = whole_id(&answer.body).filter(|_| made);
    match id.and_then(|id| Some((other_holder_of_container(context, &id)?, id))) {
        Some((owner, id)) => Err(CapabilityError::Other(format!(
            "the engine says that it made {id}, which {owner} holds: it is not believed"
        ))),
        None => Ok(answer),
    }
}

/// The records of this resource of containers of this engine that do not run any more. A new one takes their place. Those of another
/// engine, which the keywords no longer name, stay there until they are removed.
async fn forget_what_is_gone(ledger: &ResourceLedger, engine: &str) {
    // The note of the one that is being made has no id yet.
    let is_of = |record: &HoldingRecord| match &record.holding {
        Holding::Container(container) => container.id.is_some() && container.engine == engine,
        _ => false,
    };
    let containers: Vec<HoldingRecord> = ledger.records().into_iter().filter(is_of).collect();
    let seen = look("", &containers, Vec::new).await;
    let gone = containers.into_iter().zip(seen).filter(|(_, seen)| *seen == HoldingPresence::Gone);
    ledger.ledger.forget(&gone.map(|(record, _)| record).collect::<Vec<_>>());
}

fn running(holding: ContainerHolding, seen: Option<ContainerProcess>) -> ContainerHolding {
    match seen {
        Some((process, group)) => ContainerHolding { process: Some(process), group, ..holding },
        None => holding,
    }
}

fn records(ledger: &ResourceLedger, id: &str) -> Vec<HoldingRecord> {
    ledger.records().into_iter().filter(|record| is(&record.holding, id)).collect()
}

fn is(held: &Holding, id: &str) -> bool {
    matches!(held, Holding::Container(container) if container.id.as_deref() == Some(id))
}

/// The first process of a container and when it started, and the control group of the container.
type ContainerProcess = ((u32, u64), Option<String>);

async fn process_of(
    holding: &ContainerHolding,
    id: &str,
    target: &str,
) -> Result<Option<ContainerProcess>, CapabilityError> {
    let socket = Path::new(&holding.engine);
    let path = EngineLookup::Container(id.to_owned()).path(target);
    let answer = ask(socket, Method::GET, &path, Instant::now() + QUESTION).await?;
    // Only if both count processes alike: the number of another namespace may be any process's here.
    let process = first_process(&answer.body).filter(|_| counts_alike(socket));
    let process = process.and_then(|pid| Some((pid, look_at(pid)?.started)));
    Ok(process.map(|(pid, started)| {
        ((pid, started), group_directory(pid, id).map(|directory| directory.display().to_string()))
    }))
}
