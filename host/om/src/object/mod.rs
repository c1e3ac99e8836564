//! `om <SELECTOR> <ACTION>`: which family of commands an action belongs to.

mod console;
mod create;
mod delete;
pub(crate) mod engine;
mod explain;
mod flags;
pub(crate) mod holdings;
mod keys;
pub(crate) mod life;
mod list;
mod logs;
pub(crate) mod nodes;
mod order;
mod schedule;
mod snooze;
mod status;
mod sync;
pub(crate) mod unbuilt;

use clap::CommandFactory;
use protocol::daemon::OrderCommand;
use protocol::{ConfigTarget, ConsoleOrder, FailureKind};

use crate::command::{
    ActionArgs, ConfigCommand, ContainerCommand, InstanceCommand, LifeCommand, ObjectCommand, ObjectLine, PrintCommand,
    ResourceCommand, SyncArgs,
};
use crate::config::target::ConfigFile;
use crate::config::{self, doc, edit, show};
use crate::exit::{Failure, Outcome};
use crate::mon;
use crate::session::Session;
use crate::terminal::warn;
use crate::words::Target;
use life::{ActionScope, ActionTarget};
use status::StatusView;

/// A command line as it was typed.
#[derive(Debug)]
pub(crate) struct TypedLine {
    /// Without secrets, for logs.
    pub(crate) typed: String,
    /// The action and its options, in the form that is parsed.
    pub(crate) words: Vec<String>,
    /// Whether the daemon runs it for a user of another node.
    pub(crate) is_forwarded: bool,
}

/// The refusal of a command that another node may not ask for.
pub(crate) fn not_forwarded() -> Failure {
    let text = "this may not be done for another node: only local actions and looks at objects are";
    Failure::message(FailureKind::Denied, text)
}

/// Does what the line asks, to the objects that the target names.
pub(crate) fn run(target: &Target, line: ObjectLine, words: &TypedLine) -> Outcome {
    let ObjectLine { global, command } = line;
    let command = command.into_inner();
    let wish = nodes::wish(&command);
    let is_local = wish.as_ref().is_some_and(|wish| !wish.nodes.is_any());
    // The daemon has checked what the user may do on this node, and no more: from here the command must reach no other one.
    if words.is_forwarded && (!is_local || global.server.is_some()) {
        return Err(not_forwarded());
    }
    let mut session = Session::open(global, words.typed.clone())?;
    session.is_forwarded = words.is_forwarded;
    // An error in node.conf has no effect on objects, so that nothing else would report it.
    // That of another node is its own affair.
    if session.backend.daemon_places().is_ok()
        && let Err(Failure { error, .. }) = ConfigFile::of(&session, ConfigTarget::Node).warn_of_errors()
    {
        warn(&format!("{error:#}"));
    }
    let outcome = match wish.filter(|wish| wish.nodes.is_any()) {
        Some(wish) => nodes::run(&session, target, &words.words, &wish),
        None => action(&session, target, &command),
    };
    session.print_time();
    // The process is about to exit: the kernel takes the memory of the sandbox back faster than the agent gives it.
    std::mem::forget(session);
    outcome
}

fn action(session: &Session, target: &Target, command: &ObjectCommand) -> Outcome {
    match command {
        ObjectCommand::Ls(args) => list::run(session, target, args, list::ListKind::Objects),
        ObjectCommand::Create(args) => create::run(session, target, args),
        ObjectCommand::Delete(args) => delete::run(session, target, args),
        ObjectCommand::Life(command) => life(session, target, command, ActionScope::Object),
        ObjectCommand::Sync(args) => copy(session, target, args),
        ObjectCommand::Update(args) => copy_to(session, target, args, "update", None),
        ObjectCommand::Freeze(args) => flags::freeze(session, target, args),
        ObjectCommand::Thaw(args) => flags::thaw(session, target, args),
        ObjectCommand::Enable(args) => flags::enable(session, target, args),
        ObjectCommand::Disable(args) => flags::disable(session, target, args),
        ObjectCommand::Snooze(args) => snooze::snooze(session, target, args),
        ObjectCommand::Unsnooze => snooze::unsnooze(session, target),
        ObjectCommand::Clear(args) => flags::clear(session, target, args),
        ObjectCommand::Abort(args) => order::run(session, target, OrderCommand::Abort, args),
        ObjectCommand::Purge(args) => order::run(session, target, OrderCommand::Purge, args),
        ObjectCommand::Switch(args) => order::switch(session, target, args),
        ObjectCommand::Takeover(args) => order::run(session, target, OrderCommand::Takeover, args),
        ObjectCommand::Giveback(args) => order::run(session, target, OrderCommand::Giveback, args),
        ObjectCommand::Explain(output) => explain::run(session, target, output),
        ObjectCommand::Monitor(args) => mon::run(session, Some(target), args),
        ObjectCommand::Status(args) => status::run(session, target, args, StatusView::Tree),
        ObjectCommand::Print(command) => print(session, target, command),
        ObjectCommand::Instance(command) => instance(session, target, command),
        ObjectCommand::Config(command) => configuration(session, target, command),
        ObjectCommand::Plan(command) => life(session, target, command, ActionScope::Plan),
        ObjectCommand::Set(args) => config::set(&config::files(session, target)?, args),
        ObjectCommand::Unset(args) => config::unset(&config::files(session, target)?, args),
        ObjectCommand::Get(args) => config::get(&config::files(session, target)?, args),
        ObjectCommand::Eval(args) => config::eval(&config::files(session, target)?, args),
        ObjectCommand::Edit(args) => edit::run(session, &config::one(session, target)?, args),
        ObjectCommand::Validate(args) => config::validate(&config::files(session, target)?, args),
        ObjectCommand::Logs(args) => logs::run(session, target, args),
        ObjectCommand::Enter(args) => console::run(session, target, args, ConsoleOrder::Enter),
        ObjectCommand::Exec(args) => {
            console::run(session, target, &args.inside, ConsoleOrder::Exec { argv: args.command.clone() })
        }
        ObjectCommand::Container(command) => container(session, target, command),
        ObjectCommand::Resource(ResourceCommand::Ls(args)) => status::run(session, target, args, StatusView::Resources),
        ObjectCommand::Keys(args) => keys::list(session, target, args),
        ObjectCommand::Add(args) => keys::add(session, target, args),
        ObjectCommand::Change(args) => keys::change(session, target, args),
        ObjectCommand::Remove(args) => keys::remove(session, target, args),
        ObjectCommand::Rename(args) => keys::rename(session, target, args),
        ObjectCommand::Decode(args) => keys::decode(session, target, args),
        // clap does not parse the words of an unknown action, so a client gets its options as they were typed.
        ObjectCommand::Other(words) if engine::is_client(first(words)) => engine::run(session, target, words),
        ObjectCommand::Other(words) => Err(unbuilt::failure(target, words)),
    }
}

/// An action that has a plan: of an object, of this node's instance alone, or only its plan.
fn life(session: &Session, target: &Target, command: &LifeCommand, scope: ActionScope) -> Outcome {
    let (action, args) = match command.action() {
        Ok(action) => action,
        Err(args) => return life::migrate(session, target, args, scope),
    };
    // Tasks do not change the state of the object, so there is nothing to orchestrate.
    let scope = if action == "run" && scope == ActionScope::Object { ActionScope::Instance } else { scope };
    life::run(session, target, action, args, scope, ActionTarget::default())
}

fn copy(session: &Session, target: &Target, args: &SyncArgs) -> Outcome {
    copy_to(session, target, &args.action, &args.verb, args.target.as_deref())
}

/// Copies do not change the state of the object either: they are this instance's business.
fn copy_to(session: &Session, target: &Target, args: &ActionArgs, verb: &str, place: Option<&str>) -> Outcome {
    let aim = ActionTarget { copy: sync::copying(verb, place), destination: None };
    life::run(session, target, "sync", args, ActionScope::Instance, aim)
}

fn container(session: &Session, target: &Target, command: &ContainerCommand) -> Outcome {
    match command {
        ContainerCommand::Enter(args) => console::run(session, target, args, ConsoleOrder::Enter),
        ContainerCommand::Exec(args) => {
            console::run(session, target, &args.inside, ConsoleOrder::Exec { argv: args.command.clone() })
        }
        ContainerCommand::Logs(args) => {
            console::run(session, target, &args.inside, ConsoleOrder::Logs { follow: args.follow })
        }
    }
}

fn print(session: &Session, target: &Target, command: &PrintCommand) -> Outcome {
    match command {
        PrintCommand::Status(args) => status::run(session, target, args, StatusView::Tree),
        PrintCommand::Config(args) => show::run(&config::files(session, target)?, (&**args).into(), &args.output),
        PrintCommand::Devs(args) => status::run(session, target, args, StatusView::Devices),
        PrintCommand::Holdings(output) => holdings::run(session, target, output),
        PrintCommand::Resinfo(args) => status::run(session, target, args, StatusView::Resources),
        PrintCommand::Schedule(output) => schedule::run(session, target, output),
        PrintCommand::Other(words) => Err(unbuilt::second_word(ObjectLine::command(), "print", words)),
    }
}

fn instance(session: &Session, target: &Target, command: &InstanceCommand) -> Outcome {
    match command {
        InstanceCommand::Ls(args) => list::run(session, target, args, list::ListKind::Instances),
        InstanceCommand::Life(command) => life(session, target, command, ActionScope::Instance),
        InstanceCommand::Sync(args) => copy(session, target, args),
        InstanceCommand::Freeze(args) => flags::freeze(session, target, &args.here()),
        InstanceCommand::Thaw(args) => flags::thaw(session, target, &args.here()),
        InstanceCommand::Clear(args) => flags::clear(session, target, &args.here()),
        InstanceCommand::Status(args) => status::run(session, target, args, StatusView::Instance),
        InstanceCommand::Delete(args) => delete::run(session, target, args),
        InstanceCommand::Other(words) => Err(unbuilt::second_word(ObjectLine::command(), "instance", words)),
    }
}

fn configuration(session: &Session, target: &Target, command: &ConfigCommand) -> Outcome {
    match command {
        // The manual is the same for all objects, so the selector is not even looked up.
        ConfigCommand::Doc(args) => doc::run(session, args),
        command => config::run(session, &config::files(session, target)?, &target.to_string(), command),
    }
}

fn first(words: &[String]) -> &str {
    words.first().map_or("", String::as_str)
}
