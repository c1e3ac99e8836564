//! Whether the programs that an action has started survive it: a start is confirmed by a look a moment later, once for all of them.

use std::time::Duration;

use capability::process::{ProgramExit, WatchedProgram};
use driver::{CancelSignal, LogSeverity, LogSink};
use exec::EarlyExit;
use futures_util::future::join_all;
use model::Rid;
use model::object::Resource;
use model::status::State;

use super::{ActionSession, Instance};

/// How long a program must have run at the end of a start for which a user waits.
const CONFIRMED: Duration = Duration::from_secs(1);

impl Instance<'_> {
    /// Those of the started resources that are down again because their program has exited. If a user waits for the outcome, this waits
    /// until each program has run for a second. Otherwise the daemon notices the exit by itself.
    pub(super) async fn exited_early(
        &self,
        session: &ActionSession,
        started: &[Rid],
        cancel: &CancelSignal,
        log: &dyn LogSink,
    ) -> Vec<EarlyExit> {
        let programs = self.agent.started();
        let started =
            started.iter().filter_map(|rid| Some((self.object.resource(rid)?, programs.of(&self.object.path, rid)?)));
        let watched = started.map(async |(resource, program)| {
            let left =
                if session.confirms { CONFIRMED.saturating_sub(program.since.elapsed()) } else { Duration::ZERO };
            let exit = tokio::select! {
                exit = program.exit_within(left) => exit,
                () = cancel.cancelled() => None,
            };
            Some((resource, exit?, program))
        });
        let mut early = Vec::new();
        for (resource, exit, program) in join_all(watched).await.into_iter().flatten() {
            early.extend(self.judged(session, resource, (exit, program), log).await);
        }
        early
    }

    /// What the exit of its first process means for a resource: others of it may do its work.
    async fn judged(
        &self,
        session: &ActionSession,
        resource: &Resource,
        (exit, program): (ProgramExit, WatchedProgram),
        log: &dyn LogSink,
    ) -> Option<EarlyExit> {
        let rid = &resource.rid;
        let exposures = self.exposures_for(session, resource, false).await;
        session.recent.forget(rid);
        let seen = self.look_at_one(session, resource, &exposures).await;
        let text = format!("its process {} exited with {} soon after its start", program.pid, exit.status);
        match seen.state {
            State::Down | State::StdbyDown => {
                exit.last_lines.iter().for_each(|line| log.line(Some(rid), LogSeverity::Error, &format!("| {line}")));
                Some(EarlyExit { rid: rid.clone(), text: format!("{text}{}", exit.last_words()) })
            }
            _ => {
                log.line(Some(rid), LogSeverity::Warn, &format!("{text}, and others of it are left"));
                None
            }
        }
    }
}
