//! `--wait`: what becomes of orders, from their acknowledgement to their end.
//!
//! Events only say when to look. What is shown is the state of the order itself, so that nothing depends on an event that was
//! missed, and a daemon that is started again in between is waited for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use client::{ClientError, DaemonClient, EventStream, EventWish};
use model::ObjectPath;
use protocol::FailureKind;
use protocol::daemon::{OrderCommand, OrderDocument, OrderReceipt, OrderState, OrderStep};
use serde_json::Value;

use super::OrderWish;
use crate::backend::{RemoteDaemon, block_on};
use crate::exit::{self, Failure};
use crate::render::order::{outcome, step};
use crate::render::structured::{one_or_all, structured};
use crate::session::Session;
use crate::terminal::{complain, print};

/// Without an event for so long, the state of an order is asked for all the same.
const LOOK: Duration = Duration::from_secs(5);

/// An order that the daemon has acknowledged may be unknown to it for a moment: until it has read its own store again.
const UNKNOWN: Duration = Duration::from_secs(10);

/// A daemon that is gone is looked for again this often.
const RETRY: Duration = Duration::from_millis(200);

/// An order that has not ended.
#[derive(Debug, Clone)]
struct OpenOrder {
    id: String,
    /// How many of its steps were shown.
    shown: usize,
    /// Since when the daemon has not known it.
    unknown: Option<Instant>,
}

/// The orders that are waited for.
struct OrderWatch<'a> {
    session: &'a Session,
    client: &'a DaemonClient,
    wish: &'a OrderWish<'a>,
    /// Those that have not ended.
    open: BTreeMap<ObjectPath, OpenOrder>,
    ended: Vec<Value>,
    code: u8,
}

pub(super) fn wait(
    session: &Session,
    daemon: &RemoteDaemon,
    receipts: &[OrderReceipt],
    stream: EventStream,
    wish: &OrderWish<'_>,
) -> Result<u8, Failure> {
    let open = |receipt: &OrderReceipt| OpenOrder { id: receipt.id.clone(), shown: 0, unknown: None };
    let open = receipts.iter().map(|receipt| (receipt.path.clone(), open(receipt))).collect();
    let mut watch = OrderWatch { session, client: &daemon.client, wish, open, ended: Vec::new(), code: 0 };
    block_on(async {
        let following = watch.follow(stream);
        match wish.follow.time {
            Some(limit) => tokio::time::timeout(limit, following).await.unwrap_or(Ok(())),
            None => following.await,
        }
    })??;
    for (path, OpenOrder { id, .. }) in &watch.open {
        let seconds = wish.follow.time.unwrap_or_default().as_secs_f64();
        complain(&format!("{path}: not finished after {seconds} s: order {id} goes on (om {path} abort gives it up)"));
        watch.code = exit::worse(watch.code, exit::TIMED_OUT);
    }
    structured(wish.format, &one_or_all(receipts.len(), watch.ended)).iter().for_each(|text| print(text));
    Ok(watch.code)
}

impl OrderWatch<'_> {
    async fn follow(&mut self, mut stream: EventStream) -> Result<(), Failure> {
        loop {
            // Looked at before the first event: an order that has ended by then makes none any more.
            let all: Vec<ObjectPath> = self.open.keys().cloned().collect();
            for path in all {
                self.look(&path).await?;
            }
            if self.open.is_empty() {
                return Ok(());
            }
            self.news(&mut stream).await;
        }
    }

    /// Waits until the state of an order may have changed.
    async fn news(&self, stream: &mut EventStream) {
        let concerns = async {
            loop {
                match stream.next().await {
                    Ok(Some(event)) if event.path.as_ref().is_none_or(|path| self.open.contains_key(path)) => {
                        return true;
                    }
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => return false,
                }
            }
        };
        let unknown = self.open.values().any(|open| open.unknown.is_some());
        // No event says that a daemon has read its store, and knows the order again.
        let pause = if unknown { RETRY } else { LOOK };
        if tokio::time::timeout(pause, concerns).await != Ok(false) {
            return;
        }
        // The daemon is being started again. The order is durable, so the next one goes on with it.
        tokio::time::sleep(RETRY).await;
        if let Ok(again) = self.client.events(&EventWish::default()).await {
            *stream = again;
        }
    }

    /// Shows what has happened with the order about an object.
    async fn look(&mut self, path: &ObjectPath) -> Result<(), Failure> {
        let Some(open) = self.open.get_mut(path) else { return Ok(()) };
        let order = match self.client.order_state(path, Some(&open.id)).await {
            Ok(order) => order,
            // The daemon is gone for now: `news` finds the next one.
            Err(error) if error.is_absence() => return Ok(()),
            Err(ClientError::Refused(failure)) if failure.kind == FailureKind::NoMatch => {
                if open.unknown.get_or_insert_with(Instant::now).elapsed() < UNKNOWN {
                    return Ok(());
                }
                match removes(&self.wish.verb) {
                    // The object is gone, and with it what was known of it: that was the order.
                    true => removed(path, open.id.clone()),
                    false => return Err(Failure::from(ClientError::Refused(failure))),
                }
            }
            Err(error) => return Err(Failure::from(error).context(path.to_string())),
        };
        open.unknown = None;
        let shown = std::mem::replace(&mut open.shown, order.steps.len());
        order.steps.iter().skip(shown).for_each(|one| self.say(&order, one));
        if order.state.is_end() {
            self.open.remove(path);
            self.end(&order);
        }
        Ok(())
    }

    fn say(&self, order: &OrderDocument, one: &OrderStep) {
        if !self.session.global.quiet && !self.wish.format.is_structured() {
            print(&step(&order.path, one));
        }
    }

    fn end(&mut self, order: &OrderDocument) {
        self.code = exit::worse(self.code, exit::of_order(order.state));
        if self.wish.format.is_structured() {
            self.ended.push(serde_json::to_value(order).unwrap_or_default());
            return;
        }
        let text = outcome(order, self.wish.word);
        match order.state {
            OrderState::Done => self.session.note(&text),
            _ => complain(&text),
        }
    }
}

fn removes(verb: &OrderCommand) -> bool {
    matches!(verb, OrderCommand::Purge | OrderCommand::Delete)
}

fn removed(path: &ObjectPath, id: String) -> OrderDocument {
    let (path, target, state) = (path.clone(), String::new(), OrderState::Done);
    OrderDocument { id, path, target, state, reasons: Vec::new(), steps: Vec::new() }
}
