//! Orders to the daemon: start, stop and the other actions on a whole object, and what becomes of them.
//!
//! An order is durable once the daemon has acknowledged it: whatever happens to this command afterwards, it is carried out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use client::{ClientError, DaemonClient, EventStream, EventWish};
use model::ObjectPath;
use protocol::FailureKind;
use protocol::daemon::{OrderCommand, OrderDocument, OrderReceipt, OrderRequest, OrderState, OrderStep};
use serde_json::Value;

use crate::backend::{RemoteDaemon, block_on};
use crate::command::{MonArgs, OrderArgs, OutputFormat, SwitchArgs, WaitArgs};
use crate::each::each;
use crate::exit::{self, Failure, Outcome};
use crate::mon;
use crate::object::life::confirm;
use crate::render::order::{outcome, step};
use crate::render::structured::{one_or_all, structured};
use crate::session::Session;
use crate::terminal::{complain, print};
use crate::words::{ObjectQuery, Target};

/// Without an event for so long, the state of an order is asked for all the same.
const LOOK: Duration = Duration::from_secs(5);

/// An order that the daemon has acknowledged may be unknown to it for a moment: until it has read its own store again.
const UNKNOWN: Duration = Duration::from_secs(10);

/// A daemon that is gone is looked for again this often.
const RETRY: Duration = Duration::from_millis(200);

/// What is ordered of each object, and how it is followed.
#[derive(Debug)]
pub(crate) struct OrderWish<'a> {
    pub(crate) verb: OrderCommand,
    pub(crate) force: bool,
    pub(crate) follow: &'a WaitArgs,
    pub(crate) format: OutputFormat,
}

/// An order that only a daemon can carry out.
pub(crate) fn run(session: &Session, target: &Target, verb: OrderCommand, args: &OrderArgs) -> Outcome {
    let action = word(&verb);
    let paths = session.select_instances(target, action)?;
    let Some(daemon) = session.running_daemon()? else {
        return Err(Failure::failed(format!("{action} needs the daemon, and none runs on this node: om daemon start")));
    };
    if verb == OrderCommand::Purge && !args.confirm {
        paths.iter().try_for_each(confirm)?;
    }
    let wish = OrderWish { verb, force: false, follow: &args.follow, format: args.output.format };
    order(session, &daemon, &paths, &wish)
}

pub(crate) fn switch(session: &Session, target: &Target, args: &SwitchArgs) -> Outcome {
    if args.live {
        return Err(Failure::not_supported("switch --live (see instance migrate)"));
    }
    run(session, target, OrderCommand::Switch { to: args.node.clone() }, &args.order)
}

/// An action that is done here cannot be watched: this process is what does it.
pub(crate) fn refuse_watch(follow: &WaitArgs) -> Result<(), Failure> {
    match follow.watch {
        true => Err(Failure::failed("--watch follows an order to the daemon (om daemon start), and this is done here")),
        false => Ok(()),
    }
}

/// Orders the same of each object, and follows the orders as far as the options say.
pub(crate) fn order(session: &Session, daemon: &RemoteDaemon, paths: &[ObjectPath], wish: &OrderWish<'_>) -> Outcome {
    // Followed from before the first order, so that no step is missed.
    let stream = match wish.follow.wait {
        true => Some(daemon.ask(async |client| client.events(&EventWish::default()).await)?),
        false => None,
    };
    let mut receipts: Vec<OrderReceipt> = Vec::new();
    let code = each(paths, |path| {
        let receipt = place(session, daemon, path, wish).map_err(|failure| failure.context(path.to_string()))?;
        receipts.push(receipt);
        Ok(())
    });
    let code = match stream {
        Some(stream) => exit::worse(code, wait(session, daemon, &receipts, stream, wish)?),
        None => {
            show_receipts(session, paths, &receipts, wish);
            code
        }
    };
    if wish.follow.watch && !receipts.is_empty() {
        return watch(session, &receipts);
    }
    Ok(code.into())
}

fn place(
    session: &Session,
    daemon: &RemoteDaemon,
    path: &ObjectPath,
    wish: &OrderWish<'_>,
) -> Result<OrderReceipt, Failure> {
    let request = OrderRequest {
        verb: wish.verb.clone(),
        supersede: wish.follow.supersede,
        force: wish.force,
        // The limit of --time is this command's. The order itself has the daemon's own.
        time: None,
        command: session.typed.clone(),
    };
    let ask = || daemon.ask(async |client| client.order(path, &request).await);
    match ask() {
        // It was created a moment ago: the daemon is told of it before it looks by itself.
        Err(Failure { kind: FailureKind::NoMatch, .. }) if session.backend.exists(path)? => {
            daemon.ask(async |client| client.refresh(Some(path)).await)?;
            ask()
        }
        // Whoever asks again should know that the first order may be under way.
        Err(failure) if failure.error.downcast_ref().is_some_and(ClientError::is_doubtful) => {
            Err(failure.context(format!("the order may have been taken all the same (see om {path} explain)")))
        }
        other => other,
    }
}

fn show_receipts(session: &Session, paths: &[ObjectPath], receipts: &[OrderReceipt], wish: &OrderWish<'_>) {
    let action = word(&wish.verb);
    let values = receipts.iter().map(|receipt| serde_json::to_value(receipt).unwrap_or_default()).collect();
    match structured(wish.format, &one_or_all(paths.len(), values)) {
        Some(text) => print(&text),
        None if session.global.quiet => {}
        None => receipts.iter().for_each(|receipt| {
            let ended = if receipt.ended { "done" } else { "ordered" };
            print(&format!("{}: {action} {ended}, order {}\n", receipt.path, receipt.id));
        }),
    }
}

fn watch(session: &Session, receipts: &[OrderReceipt]) -> Outcome {
    let text = receipts.iter().map(|receipt| receipt.path.to_string()).collect::<Vec<_>>().join(",");
    let target = Target::Selector(ObjectQuery::parse(&text)?);
    mon::run(session, Some(&target), &MonArgs { watch: true, ..MonArgs::default() })
}

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

fn wait(
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
        let text = outcome(order, word(&self.wish.verb));
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

/// The order that an action is, if it is one that the daemon carries out.
pub(crate) fn of_action(action: &str) -> Option<OrderCommand> {
    Some(match action {
        "start" => OrderCommand::Start,
        "stop" => OrderCommand::Stop,
        "restart" => OrderCommand::Restart,
        "provision" => OrderCommand::Provision,
        "unprovision" => OrderCommand::Unprovision,
        _ => return None,
    })
}

/// As the operator typed it.
pub(crate) fn word(verb: &OrderCommand) -> &'static str {
    match verb {
        OrderCommand::Start => "start",
        OrderCommand::Stop => "stop",
        OrderCommand::Restart => "restart",
        OrderCommand::Freeze => "freeze",
        OrderCommand::Thaw => "thaw",
        OrderCommand::Provision => "provision",
        OrderCommand::Unprovision => "unprovision",
        OrderCommand::Purge => "purge",
        OrderCommand::Delete => "delete",
        OrderCommand::Switch { .. } => "switch",
        OrderCommand::Takeover => "takeover",
        OrderCommand::Giveback => "giveback",
        OrderCommand::Abort => "abort",
        OrderCommand::Clear => "clear",
    }
}
