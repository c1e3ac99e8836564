//! `om driver warm`: compiles all drivers now, so that no action has to wait for it.

use crate::exit::Failure;
use crate::session::Session;

pub(crate) fn run(session: &Session) -> Result<(), Failure> {
    // Several threads report at once, and the session cannot be shared with them.
    let quiet = session.global.quiet;
    let report = |line: &str| {
        if !quiet {
            crate::terminal::note(line);
        }
    };
    match session.backend.warm_drivers(&report)? {
        (0, _) => Ok(()),
        (failed, all) => Err(Failure::failed(format!("{failed} of {all} drivers do not compile"))),
    }
}
