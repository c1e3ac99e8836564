//! `om node …`: the configuration of this node, and its freeze.

use std::process::ExitCode;

use clap::CommandFactory;
use protocol::ConfigTarget;

use crate::command::{NodeCommand, OmLine};
use crate::config::target::ConfigFile;
use crate::config::{self, edit, show};
use crate::exit::Outcome;
use crate::object::{holdings, unbuilt};
use crate::session::Session;

pub(crate) fn run(session: &Session, command: NodeCommand) -> Outcome {
    let file = ConfigFile::of(session, ConfigTarget::Node);
    // A list of one, so that the commands on configurations of objects serve the node too.
    let files = std::slice::from_ref(&file);
    match command {
        NodeCommand::Print { what, orphans, output } if what == "holdings" => {
            holdings::of_node(session, orphans, &output)
        }
        NodeCommand::Print { output, .. } => show::run(files, false, &output),
        NodeCommand::Set(args) => config::set(files, &args),
        NodeCommand::Unset(args) => config::unset(files, &args),
        NodeCommand::Get(args) => config::get(files, &args),
        NodeCommand::Eval(args) => config::eval(files, &args),
        NodeCommand::Edit(args) => edit::run(session, &file, &args),
        NodeCommand::Validate(args) => config::validate(files, &args),
        NodeCommand::Config(command) => config::run(session, files, "node", &command),
        NodeCommand::Freeze => freeze(session, true),
        NodeCommand::Thaw => freeze(session, false),
        NodeCommand::Other(words) => Err(unbuilt::second_word(OmLine::command(), "node", &words)),
    }
}

/// The flag of the node is the daemon's: without one there are no automatic actions to prevent.
fn freeze(session: &Session, frozen: bool) -> Outcome {
    let changed = session.daemon().ask(async |client| client.freeze_node(frozen).await)?;
    session.note(match (changed, frozen) {
        (true, true) => "the node is frozen",
        (true, false) => "the node is thawed",
        (false, true) => "the node is frozen already",
        (false, false) => "the node is not frozen",
    });
    Ok(ExitCode::SUCCESS)
}
