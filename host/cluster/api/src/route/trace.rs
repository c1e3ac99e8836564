//! The stream of what the daemon decides and does, as server-sent events, for an operator who watches it at work. Nothing of it is kept,
//! so that a reader follows from now on; one that is too slow learns how much it has missed.

use daemon::TraceReader;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::StatusCode;
use model::select::GlobPattern;
use protocol::RequestFailure;
use protocol::daemon::{TraceEntry, TraceKind};
use tokio::sync::watch;

use super::event::{ALIVE, RECHECK, StreamReader, frame};
use crate::reply::{self, Reply, ReplyFrame};
use crate::route::ApiRequest;
use crate::route::request::invalid;
use crate::server::ended;
use crate::slots::TakenSlot;

/// What a stream sends.
struct TraceFilter {
    kinds: Vec<TraceKind>,
    objects: Vec<GlobPattern>,
}

impl TraceFilter {
    fn of(request: &ApiRequest) -> Result<TraceFilter, RequestFailure> {
        let kinds = request.parameters("kind").map(|word| {
            let kind = TraceKind::ALL.into_iter().find(|kind| kind.as_str() == word);
            let known = || TraceKind::ALL.map(TraceKind::as_str).join(", ");
            kind.ok_or_else(|| invalid(format!("kind={word:?}: expected one of {}", known())))
        });
        let objects = request
            .parameters("object")
            .map(|pattern| GlobPattern::new(pattern).map_err(|error| invalid(format!("object={pattern:?}: {error}"))));
        Ok(TraceFilter { kinds: kinds.collect::<Result<_, _>>()?, objects: objects.collect::<Result<_, _>>()? })
    }

    fn accepts(&self, entry: &TraceEntry) -> bool {
        let kind = entry.matter.kind();
        // Every reader must learn that it has missed entries.
        let Some(path) = &entry.path else { return true };
        let of_kind = self.kinds.is_empty() || self.kinds.contains(&kind);
        let text = path.to_string();
        of_kind && (self.objects.is_empty() || self.objects.iter().any(|pattern| pattern.matches(&text)))
    }
}

/// An open stream.
struct OpenTrace {
    reader: TraceReader,
    filter: TraceFilter,
    ending: watch::Receiver<bool>,
    greeted: bool,
    reading: StreamReader,
    // Given back when the client is gone.
    _slot: TakenSlot,
}

pub(super) fn follow(request: &ApiRequest) -> Reply {
    let filter = TraceFilter::of(request)?;
    let slot = request.slots.take(&request.caller)?;
    let reader = request.daemon.trace().follow();
    let (reading, ending) = (StreamReader::of(request), request.ending.clone());
    let open = OpenTrace { reader, filter, ending, greeted: false, reading, _slot: slot };
    let frames = stream::unfold(open, |mut open| async { open.next().await.map(|frame| (frame, open)) });
    Ok(reply::with(StatusCode::OK, "text/event-stream", StreamBody::new(frames).boxed_unsync()))
}

impl OpenTrace {
    async fn next(&mut self) -> Option<ReplyFrame> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(frame(": following\n\n".to_owned()));
        }
        loop {
            let entry = tokio::select! {
                entry = self.reader.next() => entry?,
                () = ended(&mut self.ending) => return None,
                () = tokio::time::sleep(ALIVE) => {
                    let known = self.reading.is_known(std::time::Duration::ZERO).await;
                    return known.then(|| frame(": alive\n\n".to_owned()));
                }
            };
            // Before the entry is sent, as what the user may see may have changed since the last.
            if !self.reading.is_known(RECHECK).await {
                return None;
            }
            if self.filter.accepts(&entry) && self.reading.sees_object(entry.path.as_ref()) {
                return Some(frame(text(&entry)));
            }
        }
    }
}

fn text(entry: &TraceEntry) -> String {
    // A document is one line: JSON escapes the ends of lines.
    let data = serde_json::to_string(entry).unwrap_or_default();
    format!("event: {}\ndata: {data}\n\n", entry.matter.kind().as_str())
}
