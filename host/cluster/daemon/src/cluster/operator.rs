//! What only a person can know: that the services of a node are stopped, and that an engine is the right one.

use model::NodeName;
use orchestrate::StoreRevision;
use ownership::RequestOutcome;
use protocol::FailureKind;
use protocol::daemon::EvictRequest;

use crate::owner::Owner;
use crate::{Asked, RequestError};

/// The operators who wait until a life has ended. There may be several at once, also about one node.
#[derive(Default)]
pub(super) struct EvictAskers(Vec<(NodeName, Asked<bool>)>);

impl EvictAskers {
    fn add(&mut self, node: NodeName, answer: Asked<bool>) {
        self.0.push((node, answer));
    }

    /// The one who has waited longest for an answer about a node.
    fn take(&mut self, node: &NodeName) -> Option<Asked<bool>> {
        let at = self.0.iter().position(|(asked, _)| asked == node)?;
        Some(self.0.remove(at).1)
    }
}

impl Owner {
    /// Ends the life of a node, if it is as the operator saw it.
    pub(crate) fn evict_by_hand(&mut self, node: &NodeName, seen: EvictRequest, answer: Asked<bool>) {
        let now = crate::clock::now();
        let refuse = |kind, text: String| RequestError::new(kind, text);
        let refusal = if *node == self.me {
            Some(refuse(FailureKind::Invalid, format!("{node} is this node: om daemon stop --drain ends its services")))
        } else if !self.shared.nodes.contains_key(node) {
            Some(refuse(FailureKind::NoMatch, format!("{node} has begun no life in this cluster")))
        } else {
            self.engine_refusal()
        };
        if let Some(refusal) = refusal {
            let _ = answer.send(Err(refusal));
            return;
        }
        let pair = (StoreRevision(seen.life), StoreRevision(seen.beat));
        let sent = self.member.as_mut().and_then(|member| match seen.fenced {
            true => member.ownership.evict_fenced(node, pair, now),
            false => member.ownership.evict_by_hand(node, pair, now),
        });
        // `send_owned` keeps before it sends.
        let Some((sent, _keep)) = sent else {
            let text = "this node has no life in the cluster now: try it again, or on another node (om mon)";
            let _ = answer.send(Err(refuse(FailureKind::Failed, text.to_owned())));
            return;
        };
        // Before it is sent: where the memory cannot be kept, it is answered at once.
        if let Some(member) = &mut self.member {
            member.evicting.add(node.clone(), answer);
        }
        self.send_owned(sent);
    }

    /// Tells the operator what became of it.
    pub(super) fn evict_answered(&mut self, node: &NodeName, outcome: &RequestOutcome) {
        let Some(member) = &mut self.member else { return };
        let Some(answer) = member.evicting.take(node) else { return };
        let _ = answer.send(match outcome {
            RequestOutcome::Applied(_) => Ok(true),
            RequestOutcome::Refused(_) => {
                let text = format!("{node} has come back meanwhile, or its life has ended: om mon shows how it is");
                Err(RequestError::new(FailureKind::Failed, text))
            }
            RequestOutcome::Unknown => {
                let text = "the engine did not answer: om mon shows whether the life has ended";
                Err(RequestError::new(FailureKind::Failed, text))
            }
        });
    }

    /// Takes the engine of `cluster.conf` as it is.
    pub(crate) fn accept_engine(&mut self, answer: Asked<()>) {
        let Some(engine) = self.member.as_ref().and_then(|member| member.engine.clone()) else {
            let text = "this node is alone: it has no engine that others share";
            let _ = answer.send(Err(RequestError::new(FailureKind::NotHere, text)));
            return;
        };
        let agent = self.agent.clone();
        tokio::spawn(async move {
            let read = tokio::task::spawn_blocking(move || agent.cluster());
            if let Ok(Ok(cluster)) = read.await
                && let Some(address) = cluster.engine
            {
                // The engine that is to be accepted may be at other addresses.
                engine.set_members(&address.members);
            }
            engine.accept_engine();
            let _ = answer.send(Ok(()));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[test]
    fn each_of_several_operators_gets_the_answer_about_the_node_that_was_asked_for() {
        let (n2, n3): (NodeName, NodeName) = ("n2".parse().unwrap(), "n3".parse().unwrap());
        let mut askers = EvictAskers::default();
        let mut wait = |node: &NodeName| {
            let (answer, answered) = oneshot::channel();
            askers.add(node.clone(), answer);
            answered
        };
        let (mut first, mut other, mut second) = (wait(&n2), wait(&n3), wait(&n2));
        for (node, said) in [(&n2, true), (&n3, true), (&n2, false)] {
            askers.take(node).unwrap().send(Ok(said)).unwrap();
        }
        assert_eq!(first.try_recv().unwrap(), Ok(true));
        assert_eq!(other.try_recv().unwrap(), Ok(true));
        assert_eq!(second.try_recv().unwrap(), Ok(false));
        assert!(askers.take(&n2).is_none());
    }
}
