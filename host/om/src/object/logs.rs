//! `logs`: the log of past actions on objects.

use std::ops::ControlFlow;
use std::process::ExitCode;

use protocol::LogQuery;

use crate::command::LogsArgs;
use crate::exit::Outcome;
use crate::session::Session;
use crate::terminal::{is_closed, print};
use crate::words::Target;

pub(crate) fn run(session: &Session, target: &Target, args: &LogsArgs) -> Outcome {
    let query = LogQuery {
        objects: session.select_some(target)?,
        sid: args.sid.clone(),
        rid: args.rid.clone(),
        lines: args.lines,
        follow: args.follow,
    };
    session.backend.logs(&query, &mut |entry| {
        print(entry);
        // `om … logs --follow | head` must exit when head does.
        match is_closed() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
