//! Recovers an action whose process died before the next one begins.

use driver::Level;

use super::ActError;
use crate::instance::InstanceFacilities;

/// Finishes the story of an action that was killed. What cannot be read must not keep anybody from stopping a service.
pub(super) async fn finish_earlier(
    facilities: InstanceFacilities<'_>,
    session: &exec::Session,
    action: plan::Action,
) -> Result<(), ActError> {
    match exec::recover(&facilities, session).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(action, plan::Action::Stop | plan::Action::Shutdown) => {
            let text = format!("what an earlier action left behind is not dealt with: {}", crate::chain(&error));
            session.log.line(None, Level::Warn, &text);
            Ok(())
        }
        Err(error) => Err(ActError::Recovery(error)),
    }
}

/// The same for one that went on beside another. It may still be under way.
pub(super) async fn finish_beside(facilities: InstanceFacilities<'_>, session: &exec::Session) {
    if let Err(error) = exec::recover(&facilities, session).await {
        let text =
            format!("what an action without the lock has left behind is not dealt with: {}", crate::chain(&error));
        session.log.line(None, Level::Warn, &text);
    }
}
