//! A stream of events, read from server-sent events.

use std::marker::PhantomData;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use model::ObjectPath;
use protocol::daemon::{DaemonEvent, EventKind, TraceEntry, TraceKind};
use serde::de::DeserializeOwned;

use crate::ClientError;
use crate::client::encoded;
use crate::received::ReceivedBytes;

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct EventWish {
    /// Those behind this one. None: from now on.
    pub after: Option<u64>,
    /// Those of these kinds. None: of every kind.
    pub kinds: Vec<EventKind>,
    /// Those about these objects. None: about everything.
    pub paths: Vec<ObjectPath>,
}

impl EventWish {
    pub(crate) fn address(&self) -> String {
        let after = self.after.iter().map(|after| format!("after={after}"));
        let kinds = self.kinds.iter().map(|kind| format!("kind={}", kind.as_str()));
        let paths = self.paths.iter().map(|path| format!("path={}", encoded(&path.to_string())));
        format!("/events?{}", after.chain(kinds).chain(paths).collect::<Vec<_>>().join("&"))
    }
}

/// Which parts of what the daemon does are wanted.
#[derive(Debug, Clone, Default)]
pub struct TraceWish {
    /// Entries of these kinds. None: of every kind.
    pub kinds: Vec<TraceKind>,
    /// About the objects that these patterns name. None: about everything.
    pub objects: Vec<String>,
}

impl TraceWish {
    pub(crate) fn address(&self) -> String {
        let kinds = self.kinds.iter().map(|kind| format!("kind={}", kind.as_str()));
        let objects = self.objects.iter().map(|pattern| format!("object={}", encoded(pattern)));
        format!("/trace?{}", kinds.chain(objects).collect::<Vec<_>>().join("&"))
    }
}

/// An open stream of what the daemon decides and does.
pub type TraceStream = EventStream<TraceEntry>;

/// An open stream of events, or of other documents that come as events do.
#[derive(Debug)]
pub struct EventStream<T = DaemonEvent> {
    body: Incoming,
    received: ReceivedBytes,
    document: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> EventStream<T> {
    pub(crate) fn new(body: Incoming) -> EventStream<T> {
        EventStream { body, received: ReceivedBytes::default(), document: PhantomData }
    }

    /// The next document. None when the daemon has ended.
    pub async fn next(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            while let Some(block) = self.block() {
                if let Some(data) = data_of(&block) {
                    let wrong = |error| ClientError::Answer("the daemon".to_owned(), Box::new(error));
                    return serde_json::from_str(&data).map(Some).map_err(wrong);
                }
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => self.received.add(frame.data_ref().map_or(&[], |bytes| bytes)),
                Some(Err(error)) => return Err(ClientError::HungUp(error)),
            }
        }
    }

    /// Takes the next whole block out of what was read: an event, or a comment.
    fn block(&mut self) -> Option<String> {
        let block = self.received.take(b"\n\n")?;
        Some(String::from_utf8_lossy(block).into_owned())
    }
}

/// The data of an event. None for a comment.
fn data_of(block: &str) -> Option<String> {
    let lines: Vec<&str> = block.lines().filter_map(|line| line.strip_prefix("data:")).collect();
    // The blank behind the colon is not a part of the data.
    let lines: Vec<&str> = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    if lines.is_empty() { None } else { Some(lines.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_an_address() {
        let wish =
            EventWish { after: Some(7), kinds: vec![EventKind::OrderEnd], paths: vec!["ns1/svc/web".parse().unwrap()] };
        assert_eq!(wish.address(), "/events?after=7&kind=order.end&path=ns1%2Fsvc%2Fweb");
        assert_eq!(EventWish::default().address(), "/events?");
        let trace = TraceWish { kinds: vec![TraceKind::Step], objects: vec!["ns1/**".to_owned()] };
        assert_eq!(trace.address(), "/trace?kind=step&object=ns1%2F%2A%2A");
    }

    #[test]
    fn only_data_is_read() {
        assert_eq!(data_of(": alive\n\n"), None);
        assert_eq!(data_of("id: 1\nevent: x\ndata: {\"a\":\ndata: 1}\n\n").as_deref(), Some("{\"a\":\n1}"));
    }
}
