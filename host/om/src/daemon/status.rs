//! `daemon status`: a tree for people, and all that the daemon knows for programs.

use std::process::ExitCode;

use protocol::daemon::StatusDocument;

use crate::command::OutputFormat;
use crate::exit::Outcome;
use crate::render::daemon::tree;
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::print;

pub(super) fn run(session: &Session, format: OutputFormat) -> Outcome {
    let status: StatusDocument = session.daemon().ask(async |client| client.status().await)?;
    let text = structured(format, &serde_json::to_value(&status).unwrap_or_default());
    print(&text.unwrap_or_else(|| tree(&status)));
    Ok(ExitCode::SUCCESS)
}
