//! `enter`, `exec`, `container logs`: what an operator wants to see of the inside of a resource.

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use anyhow::Context;
use driver::{Console, Terminal};
use model::Rid;

use crate::command::InsideArgs;
use crate::exit::{Failure, Outcome};
use crate::object::life::block_on;
use crate::session::Session;
use crate::words::Target;

/// The exit status of what ran inside is the command's own.
pub(crate) fn run(session: &Session, target: &Target, args: &InsideArgs, asked: Console) -> Outcome {
    let path = target.path()?;
    let rid: Option<Rid> = args.rid.as_deref().map(str::parse).transpose().context("--rid: expected a resource")?;
    let terminal = Terminal {
        input: copy(std::io::stdin().as_fd())?,
        output: copy(std::io::stdout().as_fd())?,
        errors: copy(std::io::stderr().as_fd())?,
    };
    let ended = block_on(session.agent.console(&path, rid.as_ref(), &asked, &terminal))?;
    match ended.map_err(anyhow::Error::from)? {
        code @ 0..=255 => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        _ => Ok(ExitCode::FAILURE),
    }
}

fn copy(fd: std::os::fd::BorrowedFd<'_>) -> Result<OwnedFd, Failure> {
    Ok(fd.try_clone_to_owned().context("cannot use the terminal")?)
}
