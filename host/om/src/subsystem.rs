//! `om driver …`, `om node …`, `om demo`: what comes first in place of a selector. Dispatch only.

use std::process::ExitCode;

use super::command::{DriverCommand, OmLine, Subsystem};
use super::driver::{allow, component, deny, inspect, list, warm};
use super::exit::{Failure, Outcome};
use super::session::Session;
use super::{audit, completion, demo, exec, file, man, node};

pub(crate) fn run(line: OmLine, typed: String) -> Outcome {
    let OmLine { everywhere, subsystem } = line;
    match subsystem {
        // These need no agent, and must work where there can be none.
        Subsystem::Completion { shell, at: None, .. } => completion::script(shell),
        Subsystem::Completion { at: Some(at), words, .. } => completion::candidates(&everywhere, at, &words),
        Subsystem::Man { to } => man::run(to.as_deref()),
        Subsystem::Demo(args) => demo::run(&args),
        Subsystem::Mon(_) => Err(Failure::not_supported("om mon, which needs the daemon")),
        Subsystem::Daemon(_) => Err(Failure::not_supported("om daemon")),
        Subsystem::Cluster(_) => Err(Failure::not_supported("om cluster")),
        Subsystem::Sim(_) => Err(Failure::not_supported("om sim")),
        Subsystem::Exec { pg, command } => exec::run(&Session::open(everywhere, typed)?, &pg, &command),
        Subsystem::Driver(command) => driver(&Session::open(everywhere, typed)?, command),
        Subsystem::Node(command) => node::run(&Session::open(everywhere, typed)?, command),
        Subsystem::Config(command) => file::run(&Session::open(everywhere, typed)?, command),
    }
}

fn driver(session: &Session, command: DriverCommand) -> Outcome {
    match command {
        DriverCommand::Ls(output) => list::run(session, output.format),
        DriverCommand::Inspect { driver, effective, output } => {
            inspect::run(session, &driver, effective.as_deref(), output.format)
        }
        DriverCommand::Install { file, force } => component::install(session, &file, force),
        DriverCommand::Remove { driver } => component::remove(session, &driver),
        DriverCommand::Allow { driver, add, yes } => allow::run(session, &driver, &add, yes),
        DriverCommand::Deny { driver, grant } => deny::run(session, &driver, &grant),
        DriverCommand::Audit(args) => audit::run(session, &args),
        DriverCommand::Warm => warm::run(session),
    }?;
    Ok(ExitCode::SUCCESS)
}
