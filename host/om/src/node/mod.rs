//! `om node …`: the configuration of this node, and what is ordered of nodes.

mod drain;
mod fence;

pub(crate) use drain::{drain_here, left, thaw_here};

use clap::CommandFactory;
use protocol::ConfigTarget;
use protocol::daemon::NodeOrder;

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
        NodeCommand::Print { what, orphans, output, .. } if what == "holdings" => {
            holdings::of_node(session, orphans, &output)
        }
        NodeCommand::Print { output, secrets, .. } => {
            show::run(files, show::ShownConfig { secrets, ..Default::default() }, &output)
        }
        NodeCommand::Set(args) => config::set(files, &args),
        NodeCommand::Unset(args) => config::unset(files, &args),
        NodeCommand::Get(args) => config::get(files, &args),
        NodeCommand::Eval(args) => config::eval(files, &args),
        NodeCommand::Edit(args) => edit::run(session, &file, &args),
        NodeCommand::Validate(args) => config::validate(files, &args),
        NodeCommand::Config(command) => config::run(session, files, "node", &command),
        NodeCommand::Freeze(args) => drain::order(session, &args, NodeOrder::Freeze),
        NodeCommand::Thaw(args) => drain::order(session, &args, NodeOrder::Thaw),
        NodeCommand::Drain(args) => drain::drain(session, &args),
        NodeCommand::Fence(args) => fence::fence(session, &args),
        NodeCommand::Other(words) => Err(unbuilt::second_word(OmLine::command(), "node", &words)),
    }
}
