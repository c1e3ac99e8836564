//! Orders to the daemon: start, stop and the other actions on a whole object, and what becomes of them.
//!
//! An order is durable once the daemon has acknowledged it: whatever happens to this command afterwards, it is carried out.

mod wait;

use client::{ClientError, EventWish};
use model::ObjectPath;
use protocol::FailureKind;
use protocol::daemon::{OrderCommand, OrderReceipt, OrderRequest};

use crate::backend::RemoteDaemon;
use crate::command::{MonArgs, OrderArgs, OutputFormat, SwitchArgs, WaitArgs};
use crate::each::each;
use crate::exit::{self, Failure, Outcome};
use crate::mon;
use crate::object::life::confirm;
use crate::render::structured::{one_or_all, structured};
use crate::session::Session;
use crate::terminal::print;
use crate::words::{ObjectQuery, Target};
use wait::wait;

/// What is ordered of each object, and how it is followed.
#[derive(Debug)]
pub(crate) struct OrderWish<'a> {
    pub(crate) verb: OrderCommand,
    /// The verb as the operator typed it.
    pub(crate) word: &'static str,
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
    let wish = OrderWish { verb, word: action, force: false, follow: &args.follow, format: args.output.format };
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
    let action = wish.word;
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
