//! Recovers an earlier action whose process died, before the next action begins.

use driver::LogSeverity;
use exec::journal::{JournalError, JournalledAction};
use exec::{ExecutionRefusal, RecoveryReport};

use super::ActError;
use crate::instance::InstanceFacilities;

/// Recovers an earlier action that held the lock. An operator can stop a service even if that fails, unless another process
/// still uses the journal.
pub(super) async fn finish_earlier(
    facilities: InstanceFacilities<'_>,
    session: &exec::ExecutionContext,
    action: plan::Action,
) -> Result<(), ActError> {
    match exec::recover(&facilities, session).await {
        Ok(_) => Ok(()),
        // The holder may be an action that still runs: the client must try again, with a stop too. The stop itself may use the
        // other journal, where nothing would keep the two from acting on the same resources at once.
        Err(error @ JournalError::Held(_)) => Err(ActError::Refused(ExecutionRefusal(error))),
        Err(error) if matches!(action, plan::Action::Stop | plan::Action::Shutdown) => {
            let text = format!("the interrupted earlier action was not recovered: {}", crate::chain(&error));
            session.log.line(None, LogSeverity::Warn, &text);
            Ok(())
        }
        Err(error) => Err(ActError::Recovery(error)),
    }
}

/// Recovers an earlier action that ran without the lock, and returns how far it had got. Such an action may still be running, so a failure
/// stops nothing.
pub(super) async fn finish_beside(
    facilities: InstanceFacilities<'_>,
    session: &exec::ExecutionContext,
) -> Option<JournalledAction> {
    match exec::recover(&facilities, session).await {
        Ok(Some(RecoveryReport::Finished { story, .. })) => return Some(story),
        Ok(_) | Err(JournalError::Held(_)) => {}
        Err(error) => {
            let text = format!("an interrupted action without the lock was not recovered: {}", crate::chain(&error));
            session.log.line(None, LogSeverity::Warn, &text);
        }
    }
    None
}
