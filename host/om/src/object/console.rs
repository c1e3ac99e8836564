//! `enter`, `exec`, `container logs`: the inside of a resource, on the operator's terminal.

use std::process::ExitCode;

use anyhow::Context;
use model::Rid;
use protocol::ConsoleOrder;

use crate::command::InsideArgs;
use crate::exit::Outcome;
use crate::session::Session;
use crate::words::Target;

/// The exit status of what ran inside becomes the command's own.
pub(crate) fn run(session: &Session, target: &Target, args: &InsideArgs, order: ConsoleOrder) -> Outcome {
    let path = target.path()?;
    let rid: Option<Rid> = args.rid.as_deref().map(str::parse).transpose().context("--rid: expected a resource")?;
    let status = session.backend.console(&path, rid.as_ref(), &order)?;
    // The kernel has room for 8 bits: a negative status, or one above 255, is only a failure.
    Ok(u8::try_from(status).map_or(ExitCode::FAILURE, ExitCode::from))
}
