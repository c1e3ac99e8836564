//! `om <SUBSYSTEM> …`: which module runs `om driver …`, `om node …`, `om demo` and the others.

use std::process::ExitCode;

use hostler_demo::{DemoError, DemoOrder, DemoRung};

use crate::command::{self, DemoArgs, DriverCommand, OmLine, Subsystem};
use protocol::FailureKind;

use crate::config::check;
use crate::driver::{allow, audit, component, deny, inspect, list, scaffold, warm};
use crate::exit::{Failure, Outcome};
use crate::session::Session;
use crate::{cluster, completion, daemon, man, mon, node, pool, process_group};

pub(crate) fn run(line: OmLine, typed: String) -> Outcome {
    let OmLine { global, subsystem } = line;
    match subsystem.into_inner() {
        // These need no agent, and must work where none can be opened.
        Subsystem::Completion { shell, at: None, .. } => completion::script(shell),
        Subsystem::Completion { at: Some(at), words, shell } => completion::candidates(&global, shell, at, &words),
        Subsystem::Man { to } => man::run(to.as_deref()),
        Subsystem::Demo(args) => demo(&args),
        Subsystem::Cluster(command) => cluster::run(&Session::open(global, typed)?, command.into_inner()),
        // Named although it is not built: `om sim` must not select a service called sim.
        Subsystem::Sim(_) => Err(Failure::not_supported("om sim")),
        Subsystem::Mon(args) => mon::run(&Session::open(global, typed)?, None, &args),
        Subsystem::Daemon(command) => daemon::run(&Session::open(global, typed)?, command.into_inner()),
        Subsystem::Events(args) => daemon::events::run(&Session::open(global, typed)?, &args),
        Subsystem::Exec { pg, command } => process_group::run(&Session::open(global, typed)?, &pg, &command),
        Subsystem::Driver(command) => driver(&Session::open(global, typed)?, command.into_inner()),
        Subsystem::Node(command) => node::run(&Session::open(global, typed)?, command.into_inner()),
        Subsystem::Pool(command) => pool::run(&Session::open(global, typed)?, command.into_inner()),
        Subsystem::Config(command) => check::run(&Session::open(global, typed)?, command.into_inner()),
    }
}

fn driver(session: &Session, command: DriverCommand) -> Outcome {
    match command {
        DriverCommand::Ls(output) => list::run(session, output.format),
        DriverCommand::Inspect { driver, effective, output } => {
            inspect::run(session, &driver, effective.as_deref(), output.format)
        }
        DriverCommand::Install { file, force } => component::install(session, &file, force),
        DriverCommand::Remove { driver, force } => component::remove(session, &driver, force),
        DriverCommand::Allow { driver, add, yes } => allow::run(session, &driver, &add, yes),
        DriverCommand::Deny { driver, grant } => deny::run(session, &driver, &grant),
        DriverCommand::Audit(args) => audit::run(session, &args),
        DriverCommand::Warm => warm::run(session),
        DriverCommand::New { driver, sdk, to } => scaffold::run(session, &driver, &sdk, to.as_deref()),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn demo(args: &DemoArgs) -> Outcome {
    // Converted, because the demo's crate does without clap.
    let rung = args.rung.map(|rung| match rung {
        command::DemoRung::Root => DemoRung::Root,
        command::DemoRung::User => DemoRung::User,
        command::DemoRung::Plain => DemoRung::Plain,
    });
    let order = DemoOrder {
        shell: args.shell,
        rung,
        inside: args.inside.clone(),
        serve: args.serve.clone(),
        fetch: args.fetch.clone(),
    };
    hostler_demo::run(&order).map_err(|error| match error {
        DemoError::NotAllowed => Failure::message(FailureKind::NotSupported, error.to_string()),
        DemoError::Failed(error) => error.into(),
    })
}
