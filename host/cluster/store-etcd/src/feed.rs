//! A watch, on a connection of its own, so that a slow reader holds up nobody else.
//!
//! The position of a watch is the last event that came, never the revision of a header: the first of several catch-up answers
//! already bears the newest revision. When the feed hears nothing for a while it asks for progress, and any answer will do; two
//! silences in a row, the end of the stream, or a message that cancels the watch while the stream stays open, end the feed.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream;
use store::{KeyEvent, KeyRange, RevisionChange, StoreError, StoreFuture, WatchFeed};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Streaming};

use crate::member::EtcdMember;
use crate::pace::within;
use crate::rpc::etcdserverpb::watch_client::WatchClient;
use crate::rpc::etcdserverpb::watch_request::RequestUnion;
use crate::rpc::etcdserverpb::{WatchCreateRequest, WatchProgressRequest, WatchRequest, WatchResponse};
use crate::{CallFault, EtcdFault, EtcdStore, wire};

/// The largest answer that is read. Larger ones come in fragments.
const MAX_ANSWER_BYTES: usize = 64 << 20;

#[derive(Debug)]
pub(crate) struct EtcdFeed {
    member: String,
    /// The revision that the reader asked for first.
    from: u64,
    requests: mpsc::Sender<WatchRequest>,
    answers: Streaming<WatchResponse>,
    silence: FeedSilence,
    /// Events of an answer of which more fragments follow.
    fragments: Vec<(u64, KeyEvent)>,
    ready: VecDeque<RevisionChange>,
    last: u64,
    /// The connection, which ends with the feed.
    _channel: Channel,
}

/// How long nothing was heard.
#[derive(Debug)]
struct FeedSilence {
    limit: Duration,
    until: Instant,
    asked: bool,
}

impl FeedSilence {
    fn begin(limit: Duration) -> Self {
        Self { limit, until: Instant::now() + limit, asked: false }
    }
}

impl EtcdFeed {
    pub(crate) async fn open(store: &EtcdStore, range: &KeyRange, from: u64) -> Result<EtcdFeed, StoreError> {
        let mut faults = Vec::new();
        for member in store.group.members() {
            match open_at(store, &member, range, from).await {
                Ok((feed, reached)) => {
                    if reached + 1 < from {
                        // etcd makes a watch of a revision that it has not reached, and is silent until it comes,
                        // as after a restore (3.4.23).
                        check_future(store, from).await?;
                    }
                    return Ok(feed);
                }
                Err(fault) => {
                    store.group.suspect(&member);
                    faults.push((member.address.clone(), fault));
                }
            }
        }
        Err(StoreError::Unreadable(EtcdFault(faults).into_fault()))
    }

    /// The next answer. None: nothing was heard, and progress was asked for.
    async fn answer(&mut self) -> Result<Option<WatchResponse>, CallFault> {
        match timeout_at(self.silence.until, self.answers.message()).await {
            Ok(Ok(Some(answer))) => {
                self.silence = FeedSilence::begin(self.silence.limit);
                Ok(Some(answer))
            }
            Ok(Ok(None)) => Err(CallFault::Senseless("the stream of the watch ended")),
            Ok(Err(status)) => Err(CallFault::of(&status)),
            Err(_) if self.silence.asked => Err(CallFault::Silent(2 * self.silence.limit)),
            Err(_) => {
                self.silence = FeedSilence { asked: true, ..FeedSilence::begin(self.silence.limit) };
                let progress = RequestUnion::ProgressRequest(WatchProgressRequest {});
                // If nobody takes the request, nobody will answer it either.
                let _ = self.requests.try_send(WatchRequest { request_union: Some(progress) });
                Ok(None)
            }
        }
    }

    fn digest(&mut self, answer: WatchResponse) -> Result<(), StoreError> {
        // The stream stays open, so without this the feed would wait for ever (Patroni 4.0.7 did).
        if answer.canceled {
            return Err(self.canceled(&answer));
        }
        for event in answer.events {
            let event = wire::event(event).map_err(|fault| self.lost(fault))?;
            self.fragments.push(event);
        }
        // A revision may be cut in two by the fragments, and the reader gets it whole.
        if !answer.fragment {
            self.gather()?;
        }
        Ok(())
    }

    /// Makes changes of the events, which are whole now.
    fn gather(&mut self) -> Result<(), StoreError> {
        let events = std::mem::take(&mut self.fragments);
        for part in events.chunk_by(|a, b| a.0 == b.0) {
            let revision = part[0].0;
            // A member that was restored goes through revisions again, with other events.
            if revision <= self.last {
                return Err(self.lost(CallFault::Senseless("the watch went back")));
            }
            self.last = revision;
            self.ready
                .push_back(RevisionChange { revision, events: part.iter().map(|(_, event)| event.clone()).collect() });
        }
        Ok(())
    }

    fn canceled(&self, answer: &WatchResponse) -> StoreError {
        if answer.compact_revision > 0 {
            // The reader had all before what came last.
            return StoreError::Compacted { asked: self.from.max(self.last + 1) };
        }
        self.lost(CallFault::Refusal { code: tonic::Code::Cancelled, message: answer.cancel_reason.clone() })
    }

    fn lost(&self, fault: CallFault) -> StoreError {
        StoreError::WatchLost(EtcdFault::one(&self.member, fault).into_fault())
    }
}

impl WatchFeed for EtcdFeed {
    fn next(&mut self) -> StoreFuture<'_, RevisionChange> {
        Box::pin(async move {
            loop {
                if let Some(change) = self.ready.pop_front() {
                    return Ok(change);
                }
                let answer = self.answer().await.map_err(|fault| self.lost(fault))?;
                if let Some(answer) = answer {
                    self.digest(answer)?;
                }
            }
        })
    }
}

/// Opens a watch at a member, and says which revision the member had reached.
async fn open_at(
    store: &EtcdStore,
    member: &EtcdMember,
    range: &KeyRange,
    from: u64,
) -> Result<(EtcdFeed, u64), CallFault> {
    let group = &store.group;
    group.prove(member).await?;
    // Not the shared one: what a slow reader has not taken fills the window of the connection, and would hold up
    // every other call on it.
    let channel = member.new_channel(&group.settings).await?;
    let limit = group.settings.limits.answer;
    let (requests, mut queue) = mpsc::channel(4);
    let (key, range_end) = wire::bounds(range);
    let create = WatchCreateRequest { key, range_end, start_revision: wire::signed(from), fragment: true };
    let first = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
    let _ = requests.try_send(first);
    let mut request = Request::new(stream::poll_fn(move |context| queue.poll_recv(context)));
    // So that the watch ends when its member loses the leader, instead of falling silent.
    request.metadata_mut().insert("hasleader", MetadataValue::from_static("true"));
    let mut client = WatchClient::new(channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES);
    let mut answers = within(limit, client.watch(request)).await?;
    let created = match tokio::time::timeout(limit, answers.message()).await {
        Ok(Ok(Some(created))) => created,
        Ok(Ok(None)) => return Err(CallFault::Senseless("the stream of the watch ended")),
        Ok(Err(status)) => return Err(CallFault::of(&status)),
        Err(_) => return Err(CallFault::Silent(limit)),
    };
    let (cluster, reached) = wire::header(created.header.as_ref())?;
    // A member may be a little behind, so its revision says nothing; its cluster does.
    let since = group.guard.now();
    group.guard.check(cluster, since.revision, since)?;
    let feed = EtcdFeed {
        member: member.address.clone(),
        from,
        requests,
        answers,
        silence: FeedSilence::begin(group.settings.limits.silence),
        fragments: Vec::new(),
        ready: VecDeque::new(),
        last: from.saturating_sub(1),
        _channel: channel,
    };
    Ok((feed, reached))
}

/// The member has not reached where the watch begins: it may be behind the others, or all of them may be.
async fn check_future(store: &EtcdStore, from: u64) -> Result<(), StoreError> {
    let current = store.revision().await?;
    if current + 1 < from { Err(StoreError::Future { asked: from, current }) } else { Ok(()) }
}
