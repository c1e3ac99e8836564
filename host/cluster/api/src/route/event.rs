//! The stream of events, as server-sent events: one each, with its number, its kind and its document.
//!
//! A stream is a position in the daemon's log. It reads on only when the client has taken what it was sent, so a client that
//! stops reading costs one connection, and learns by `resync` that it has missed events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use daemon::EventReader;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::StatusCode;
use hyper::body::Frame;
use hyper::header::HeaderMap;
use model::ObjectPath;
use protocol::daemon::{DaemonEvent, EventKind};
use protocol::{FailureKind, RequestFailure};
use tokio::sync::watch;

use crate::access::{AccessControl, Caller, ClientLink};
use crate::reply::{self, Reply, ReplyFrame};
use crate::route::ApiRequest;
use crate::route::request::invalid;
use crate::server::ended;
use crate::slots::{NoFreeSlot, SharedSlots, TakenSlot};

/// So many streams at once. They leave room for those who only ask something.
const STREAMS: usize = 128;

/// Without an event for so long, a line is sent that says nothing, so that each side notices if the other is gone.
pub(super) const ALIVE: Duration = Duration::from_secs(15);

/// So many of them for one user, but for root on this node.
const STREAMS_OF_USER: usize = 32;

/// A stream ends when its user may not ask any more: that is looked at this often while events come, and else with each line that
/// says nothing.
pub(super) const RECHECK: Duration = Duration::from_secs(5);

/// The streams that may be open at once.
#[derive(Debug, Clone)]
pub(crate) struct EventSlots(SharedSlots);

impl EventSlots {
    pub(crate) fn new() -> EventSlots {
        EventSlots(SharedSlots::new(STREAMS, STREAMS_OF_USER))
    }

    pub(super) fn take(&self, caller: &Caller) -> Result<TakenSlot, RequestFailure> {
        let user = (!caller.is_local_root()).then(|| caller.user.clone());
        self.0.take(user).map_err(|taken| {
            let (limit, whose) = match taken {
                NoFreeSlot::All(limit) => (limit, String::new()),
                NoFreeSlot::OfClient(limit) => (limit, format!(" of user {caller}")),
            };
            let message = format!("{limit} streams of events{whose} are open already: close one, or try again later");
            RequestFailure { kind: FailureKind::Busy, message }
        })
    }
}

/// The events that a stream sends.
#[derive(Debug)]
struct EventFilter {
    kinds: Vec<EventKind>,
    paths: Vec<ObjectPath>,
}

impl EventFilter {
    fn of(request: &ApiRequest) -> Result<EventFilter, RequestFailure> {
        let kinds = request.parameters("kind").map(|word| {
            let kind = EventKind::ALL.iter().copied().find(|kind| kind.as_str() == word);
            kind.ok_or_else(|| invalid(format!("{word:?} is not a kind of event")))
        });
        let paths = request.parameters("path").map(|text| {
            text.parse().map_err(|error| invalid(format!("{text:?} is not the path of an object: {error}")))
        });
        Ok(EventFilter { kinds: kinds.collect::<Result<_, _>>()?, paths: paths.collect::<Result<_, _>>()? })
    }

    fn accepts(&self, event: &DaemonEvent) -> bool {
        // Every reader must learn that it has missed events.
        let kind = self.kinds.is_empty() || self.kinds.contains(&event.kind);
        let path = self.paths.is_empty() || event.path.as_ref().is_some_and(|path| self.paths.contains(path));
        event.kind == EventKind::Resync || (kind && path)
    }
}

/// An open stream.
struct EventStream {
    reader: EventReader,
    filter: EventFilter,
    ending: watch::Receiver<bool>,
    greeted: bool,
    reading: StreamReader,
    // Given back when the client is gone.
    _slot: TakenSlot,
}

/// Who reads a stream.
pub(super) struct StreamReader {
    caller: Caller,
    access: Arc<AccessControl>,
    link: Arc<ClientLink>,
    headers: HeaderMap,
    checked: Instant,
}

impl StreamReader {
    pub(super) fn of(request: &ApiRequest) -> StreamReader {
        StreamReader {
            caller: request.caller.clone(),
            access: Arc::clone(&request.access),
            link: Arc::clone(&request.link),
            headers: request.headers.clone(),
            checked: Instant::now(),
        }
    }

    /// Whether the user may know what happens to an object.
    pub(super) fn sees_object(&self, path: Option<&ObjectPath>) -> bool {
        path.is_none_or(|path| self.caller.sees(path))
    }

    /// Whether the user may know of an event.
    fn sees(&self, event: &DaemonEvent) -> bool {
        match event.kind {
            // Every reader must learn that it has missed events.
            EventKind::Resync => true,
            EventKind::AuditDenied => self.caller.is_root(),
            _ => self.sees_object(event.path.as_ref()),
        }
    }

    /// Whether the user may still ask. What the user may see is what it is now.
    pub(super) async fn is_known(&mut self, every: Duration) -> bool {
        if self.caller.is_local_root() || self.checked.elapsed() < every {
            return true;
        }
        self.checked = Instant::now();
        match self.access.identify(&self.link, &self.headers).await {
            Ok(caller) => {
                self.caller = caller;
                true
            }
            Err(_) => false,
        }
    }
}

pub(super) fn follow(request: &ApiRequest) -> Reply {
    let filter = EventFilter::of(request)?;
    let after = position(&request.headers, request.parameter("after"))?;
    let slot = request.slots.take(&request.caller)?;
    let reader = request.daemon.events().follow(after);
    let reading = StreamReader::of(request);
    let ending = request.ending.clone();
    let open = EventStream { reader, filter, ending, greeted: false, reading, _slot: slot };
    let frames = stream::unfold(open, |mut open| async { open.next().await.map(|frame| (frame, open)) });
    Ok(reply::with(StatusCode::OK, "text/event-stream", StreamBody::new(frames).boxed_unsync()))
}

/// The event behind which the stream begins.
fn position(headers: &HeaderMap, parameter: Option<&str>) -> Result<Option<u64>, RequestFailure> {
    // A client that connects again repeats its address, and names in the header what it has read by now.
    let header = headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default());
    let number = |text: &str| text.parse().map_err(|_| invalid(format!("{text:?} is not the number of an event")));
    header.or(parameter).map(number).transpose()
}

impl EventStream {
    async fn next(&mut self) -> Option<ReplyFrame> {
        if !std::mem::replace(&mut self.greeted, true) {
            // The client knows by this that it follows from now on, before anything happens.
            return Some(frame(": following\n\n".to_owned()));
        }
        loop {
            let event = tokio::select! {
                event = self.reader.next() => event,
                () = ended(&mut self.ending) => None,
                () = tokio::time::sleep(ALIVE) => {
                    let known = self.reading.is_known(Duration::ZERO).await;
                    return known.then(|| frame(": alive\n\n".to_owned()));
                }
            };
            // Before the event is sent, as what the user may see may have changed since the last.
            if !self.reading.is_known(RECHECK).await {
                return None;
            }
            match event {
                Some(event) if self.accepts(&event) => return Some(frame(text(&event))),
                Some(_) => {}
                None => return self.rest(),
            }
        }
    }

    /// What was not sent yet when the daemon ended. Clients wait for the end of an order, or of the daemon, among it.
    fn rest(&mut self) -> Option<ReplyFrame> {
        while let Some(event) = self.reader.ready() {
            if self.accepts(&event) {
                return Some(frame(text(&event)));
            }
        }
        None
    }

    fn accepts(&self, event: &DaemonEvent) -> bool {
        self.filter.accepts(event) && self.reading.sees(event)
    }
}

pub(super) fn frame(text: String) -> ReplyFrame {
    Ok(Frame::data(Bytes::from(text)))
}

fn text(event: &DaemonEvent) -> String {
    // A document is one line: JSON escapes the ends of lines.
    let data = serde_json::to_string(event).unwrap_or_default();
    format!("id: {}\nevent: {}\ndata: {data}\n\n", event.id, event.kind.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_that_of_the_header_or_of_the_parameter() {
        let headers = HeaderMap::from_iter([("last-event-id".parse().unwrap(), "7".parse().unwrap())]);
        assert_eq!(position(&headers, Some("3")), Ok(Some(7)));
        assert_eq!(position(&HeaderMap::new(), Some("3")), Ok(Some(3)));
        assert_eq!(position(&HeaderMap::new(), None), Ok(None));
        assert_eq!(position(&HeaderMap::new(), Some("x")).unwrap_err().message, "\"x\" is not the number of an event");
    }
}
