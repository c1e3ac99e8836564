//! `om <SELECTOR> <ACTION>`: which family of commands an action belongs to.

use agent::stores::Put;
use clap::CommandFactory;
use driver::Console;
use model::config::nearest;
use plan::Action as Verb;

use super::command::{
    Action, ConfigCommand, ContainerCommand, InstanceCommand, ObjectLine, PlanCommand, PrintCommand, ResourceCommand,
};
use super::config_file::ConfigFile;
use super::exit::{self, Failure, Outcome, worse};
use super::life::{self, Aim, Scope};
use super::session::{Session, complain, warn};
use super::status::{self, View};
use super::sync::copying;
use super::{config, console, create, delete, doc, edit, engine, flags, keys, list, logs};

/// Does what the line asks of the objects that the selector names.
pub(crate) fn run(selector: &str, line: ObjectLine, typed: String) -> Outcome {
    let session = Session::open(line.everywhere, typed)?;
    // It has no effect on what is read of it, so that nobody would notice.
    if let Err(Failure { error, .. }) = ConfigFile::of_node(&session).warn_of_errors() {
        warn(&format!("{error:#}"));
    }
    let outcome = action(&session, selector, line.action);
    session.tell_time();
    outcome
}

fn action(session: &Session, selector: &str, action: Action) -> Outcome {
    let act = |verb, life| life::run(session, selector, verb, life, Scope::Object, Aim::default());
    match &action {
        Action::Ls(args) => list::run(session, selector, args, list::Of::Objects),
        Action::Create(args) => create::run(session, selector, args),
        Action::Delete(args) => delete::run(session, selector, args),
        Action::Start(life) => act(Verb::Start, life),
        Action::Stop(life) => act(Verb::Stop, life),
        Action::Restart(life) => act(Verb::Restart, life),
        Action::Shutdown(life) => act(Verb::Shutdown, life),
        Action::Startstandby(life) => act(Verb::StartStandby, life),
        Action::Provision(life) => act(Verb::Provision, life),
        Action::Unprovision(life) => act(Verb::Unprovision, life),
        Action::Migrate(args) => life::migrate(session, selector, args, Scope::Object),
        // Tasks and copies are no change of state that anybody could orchestrate.
        Action::Run(life) => life::run(session, selector, Verb::Run, life, Scope::Instance, Aim::default()),
        Action::Sync(args) => life::run(
            session,
            selector,
            Verb::Sync,
            &args.life,
            Scope::Instance,
            Aim::copies(copying(&args.verb, args.target.as_deref())?),
        ),
        Action::Update(life) => {
            life::run(session, selector, Verb::Sync, life, Scope::Instance, Aim::copies(copying("update", None)?))
        }
        Action::Freeze(args) => flags::freeze(session, selector, args),
        Action::Thaw(args) => flags::thaw(session, selector, args),
        Action::Enable(args) => flags::enable(session, selector, args),
        Action::Disable(args) => flags::disable(session, selector, args),
        Action::Clear(args) => flags::clear(session, selector, args),
        Action::Status(args) => status::run(session, selector, args, View::Tree),
        Action::Print(command) => print(session, selector, command),
        Action::Instance(command) => instance(session, selector, command),
        Action::Config(command) => configuration(session, selector, command),
        Action::Plan(command) => plan(session, selector, command),
        Action::Set(args) => config::set(&config::files(session, selector)?, args),
        Action::Unset(args) => config::unset(&config::files(session, selector)?, args),
        Action::Get(args) => config::get(&config::files(session, selector)?, args),
        Action::Eval(args) => config::eval(&config::files(session, selector)?, args),
        Action::Edit(args) => edit::run(session, &config::one(session, selector)?, args),
        Action::Validate(args) => config::validate(&config::files(session, selector)?, args),
        Action::Logs(args) => logs::run(session, selector, args),
        Action::Enter(args) => console::run(session, selector, args, Console::Enter),
        Action::Exec(args) => console::run(session, selector, &args.inside, Console::Exec(args.command.clone())),
        Action::Container(command) => container(session, selector, command),
        Action::Resource(ResourceCommand::Ls(args)) => status::run(session, selector, args, View::Resources),
        Action::Keys(args) => keys::list(session, selector, args),
        Action::Add(args) => keys::put(session, selector, args, Put::Add),
        Action::Change(args) => keys::put(session, selector, args, Put::Change),
        Action::Remove(args) => keys::remove(session, selector, args),
        Action::Rename(args) => keys::rename(session, selector, args),
        Action::Decode(args) => keys::decode(session, selector, args),
        Action::Other(words) if engine::is_client(first(words)) => engine::run(session, selector, words),
        Action::Other(words) => Err(not_built(words)),
    }
}

fn container(session: &Session, selector: &str, command: &ContainerCommand) -> Outcome {
    match command {
        ContainerCommand::Enter(args) => console::run(session, selector, args, Console::Enter),
        ContainerCommand::Exec(args) => {
            console::run(session, selector, &args.inside, Console::Exec(args.command.clone()))
        }
        ContainerCommand::Logs(args) => {
            console::run(session, selector, &args.inside, Console::Logs { follow: args.follow })
        }
    }
}

fn print(session: &Session, selector: &str, command: &PrintCommand) -> Outcome {
    match command {
        PrintCommand::Status(args) => status::run(session, selector, args, View::Tree),
        PrintCommand::Config(output) => config::show(&config::files(session, selector)?, output),
        PrintCommand::Devs(args) => status::run(session, selector, args, View::Devices),
        PrintCommand::Resinfo(args) => status::run(session, selector, args, View::Resources),
        PrintCommand::Other(words) => Err(Failure::not_supported(&format!("print {}", first(words)))),
    }
}

fn instance(session: &Session, selector: &str, command: &InstanceCommand) -> Outcome {
    let act = |verb, life| life::run(session, selector, verb, life, Scope::Instance, Aim::default());
    match command {
        InstanceCommand::Ls(args) => list::run(session, selector, args, list::Of::Instances),
        InstanceCommand::Start(life) => act(Verb::Start, life),
        InstanceCommand::Stop(life) => act(Verb::Stop, life),
        InstanceCommand::Restart(life) => act(Verb::Restart, life),
        InstanceCommand::Shutdown(life) => act(Verb::Shutdown, life),
        InstanceCommand::Startstandby(life) => act(Verb::StartStandby, life),
        InstanceCommand::Provision(life) => act(Verb::Provision, life),
        InstanceCommand::Unprovision(life) => act(Verb::Unprovision, life),
        InstanceCommand::Migrate(args) => life::migrate(session, selector, args, Scope::Instance),
        InstanceCommand::Run(life) => act(Verb::Run, life),
        InstanceCommand::Sync(args) => life::run(
            session,
            selector,
            Verb::Sync,
            &args.life,
            Scope::Instance,
            Aim::copies(copying(&args.verb, args.target.as_deref())?),
        ),
        InstanceCommand::Freeze(args) => flags::freeze(session, selector, &args.here()),
        InstanceCommand::Thaw(args) => flags::thaw(session, selector, &args.here()),
        InstanceCommand::Clear(args) => flags::clear(session, selector, &args.here()),
        InstanceCommand::Status(args) => status::run(session, selector, args, View::Instance),
        InstanceCommand::Delete(args) => delete::run(session, selector, args),
        InstanceCommand::Other(words) => Err(Failure::not_supported(&format!("instance {}", first(words)))),
    }
}

fn plan(session: &Session, selector: &str, command: &PlanCommand) -> Outcome {
    let (verb, life) = match command {
        PlanCommand::Migrate(args) => return life::migrate(session, selector, args, Scope::Plan),
        PlanCommand::Start(life) => (Verb::Start, life),
        PlanCommand::Stop(life) => (Verb::Stop, life),
        PlanCommand::Restart(life) => (Verb::Restart, life),
        PlanCommand::Shutdown(life) => (Verb::Shutdown, life),
        PlanCommand::Startstandby(life) => (Verb::StartStandby, life),
        PlanCommand::Provision(life) => (Verb::Provision, life),
        PlanCommand::Unprovision(life) => (Verb::Unprovision, life),
        PlanCommand::Run(life) => (Verb::Run, life),
    };
    life::run(session, selector, verb, life, Scope::Plan, Aim::default())
}

fn configuration(session: &Session, selector: &str, command: &ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Show(output) => config::show(&config::files(session, selector)?, output),
        ConfigCommand::Set(args) => config::set(&config::files(session, selector)?, args),
        ConfigCommand::Unset(args) => config::unset(&config::files(session, selector)?, args),
        ConfigCommand::Get(args) => config::get(&config::files(session, selector)?, args),
        ConfigCommand::Eval(args) => config::eval(&config::files(session, selector)?, args),
        ConfigCommand::Edit(args) => edit::run(session, &config::one(session, selector)?, args),
        ConfigCommand::Validate(args) => config::validate(&config::files(session, selector)?, args),
        ConfigCommand::Doc(args) => doc::run(session, args),
    }
}

/// What OpenSVC does with objects, and this version does not yet. Some take a second word: `pg freeze`, or `pg_freeze` of old.
const NOT_BUILT: [&str; 29] = [
    "abort",
    "boot",
    "collector",
    "compliance",
    "deploy",
    "dns",
    "frozen",
    "giveback",
    "install",
    "monitor",
    "move",
    "pg",
    "postsync",
    "presync",
    "prstatus",
    "pull",
    "purge",
    "push",
    "resource_monitor",
    "resync",
    "scale",
    "set_provisioned",
    "set_unprovisioned",
    "snooze",
    "support",
    "switch",
    "takeover",
    "toc",
    "unsnooze",
];

/// An action that is still to come, or one that is mistyped.
fn not_built(words: &[String]) -> Failure {
    let typed = first(words);
    let family = typed.split('_').next().unwrap_or_default();
    if NOT_BUILT.contains(&typed) || NOT_BUILT.contains(&family) {
        return Failure::not_supported(typed);
    }
    let known = ObjectLine::command();
    let names = known.get_subcommands().flat_map(|action| action.get_name_and_visible_aliases());
    let hint = match nearest(typed, names) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "see om SELECTOR --help".to_owned(),
    };
    Failure::new(exit::FAILED, format!("unknown action {typed:?}: {hint}"))
}

fn first(words: &[String]) -> &str {
    words.first().map_or("", String::as_str)
}

/// Does the same to each, and goes on past those that fail. The exit code is that of the first failure.
pub(crate) fn each<T>(all: impl IntoIterator<Item = T>, mut act: impl FnMut(T) -> Result<(), Failure>) -> u8 {
    let mut worst = 0;
    for one in all {
        if let Err(Failure { code, error }) = act(one) {
            complain(&format!("{error:#}"));
            worst = worse(worst, code);
        }
    }
    worst
}
