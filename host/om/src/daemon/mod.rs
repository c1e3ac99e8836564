//! `om daemon …`, `om events`: the daemon of this node, from the outside. It is run by [`crate::backend::run_daemon`].

mod audit;
mod auth;
mod cert;
pub(crate) mod events;
mod filter;
mod heartbeat;
mod log;
mod process;
mod processes;
mod start;
mod status;
mod stop;
mod template;
mod trace;

pub(crate) use stop::stop_for_a_moment;

use clap::CommandFactory;

use crate::command::{DaemonCommand, OmLine};
use crate::exit::Outcome;
use crate::object::unbuilt;
use crate::session::Session;

/// Starts the daemon again.
pub(crate) fn start_again(session: &Session) -> Outcome {
    start::start(session, None)
}

pub(crate) fn run(session: &Session, command: DaemonCommand) -> Outcome {
    match command {
        DaemonCommand::Start(args) => start::start(session, args.time),
        DaemonCommand::Run(args) => start::run(session, args.detached),
        DaemonCommand::Stop(args) => stop::stop(session, &args),
        DaemonCommand::Restart(args) => stop::restart(session, &args),
        DaemonCommand::Status(output) => status::run(session, output.format),
        DaemonCommand::Ps(output) => processes::list(session, output.format),
        DaemonCommand::Kill { ids } => processes::kill(session, &ids),
        DaemonCommand::Events(args) => events::run(session, &args),
        DaemonCommand::Trace(args) => trace::run(session, &args),
        DaemonCommand::Auth(args) => auth::run(session, &args),
        DaemonCommand::Whoami(output) => auth::whoami(session, output.format),
        DaemonCommand::Cert(command) => cert::run(session, command.into_inner()),
        DaemonCommand::Hb(command) => heartbeat::run(session, command.into_inner()),
        DaemonCommand::Audit(args) => audit::run(session, &args),
        DaemonCommand::Log(args) => log::run(session, &args),
        DaemonCommand::Other(words) => Err(unbuilt::second_word(OmLine::command(), "daemon", &words)),
    }
}
