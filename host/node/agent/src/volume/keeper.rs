//! The facility that the capability `volume` asks.

use capability::CapabilityError;
use capability::volume::{VolumeAction, VolumeAnswer, VolumeCall, VolumeChange, VolumeFacility, VolumeReport};
use driver::CancelSignal;
use tokio::task::JoinError;

use super::{act, content, look, make};
use crate::agent::{Agent, WeakAgent};

/// Acts on the volumes of this node for other objects. The agent owns what owns it.
pub(crate) struct VolumeKeeper(WeakAgent);

impl VolumeKeeper {
    pub(crate) fn of(agent: &Agent) -> VolumeKeeper {
        VolumeKeeper(agent.weak())
    }

    fn agent(&self) -> Result<Agent, CapabilityError> {
        self.0.upgrade().ok_or_else(|| CapabilityError::Other("the agent is ending".to_owned()))
    }
}

impl VolumeFacility for VolumeKeeper {
    fn look(&self, call: VolumeCall) -> VolumeAnswer<'_, Option<VolumeReport>> {
        Box::pin(async move {
            let agent = self.agent()?;
            aside(&CancelSignal::default(), |_| async move { look::look(&agent, &call).await }).await
        })
    }

    fn make(&self, call: VolumeCall, request: Vec<(String, String)>) -> VolumeAnswer<'_, bool> {
        Box::pin(async move {
            let agent = self.agent()?;
            let cancel = call.cancel.clone();
            aside(&cancel, |_| async move { make::make(&agent, &call, &request).await }).await
        })
    }

    fn act(&self, call: VolumeCall, action: VolumeAction) -> VolumeAnswer<'_, VolumeChange> {
        Box::pin(async move {
            let agent = self.agent()?;
            let outer = call.cancel.clone();
            aside(&outer, |cancel| async move { act::act(&agent, &call, action, cancel).await }).await
        })
    }

    fn install(&self, call: VolumeCall) -> VolumeAnswer<'_, Vec<String>> {
        Box::pin(async move {
            let agent = self.agent()?;
            aside(&CancelSignal::default(), |_| async move { content::install(&agent, &call).await }).await
        })
    }
}

/// Does the work in a task of its own: what it does on the processor is not the time of the driver that waits for it. The work is
/// given up when the driver's action is, or when it is not waited for any more.
async fn aside<T, F, Fut>(outer: &CancelSignal, work: F) -> Result<T, CapabilityError>
where
    T: Send + 'static,
    F: FnOnce(CancelSignal) -> Fut,
    Fut: Future<Output = Result<T, CapabilityError>> + Send + 'static,
{
    /// Gives the work up when it is dropped.
    struct GiveUp(CancelSignal);
    impl Drop for GiveUp {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    let inner = CancelSignal::default();
    let task = tokio::spawn(work(inner.clone()));
    let _given_up = GiveUp(inner.clone());
    tokio::pin!(task);
    let ended = tokio::select! {
        // Work that is done counts as done, also if the action is given up at the same moment.
        biased;
        ended = &mut task => ended,
        () = outer.cancelled() => {
            // Waited for all the same: the work rolls back what it began, and its caller must
            // not act on the volume meanwhile.
            inner.cancel();
            task.await
        }
    };
    ended.unwrap_or_else(|error: JoinError| Err(CapabilityError::Other(format!("the agent failed: {error}"))))
}
