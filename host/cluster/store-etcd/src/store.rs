//! The engine as a store.

use std::sync::Arc;

use store::{
    FaultKind, KeyListing, KeyQuery, KeyRange, Store, StoreError, StoreFault, StoreFuture, StoreHealth, StoreStatus,
    TxnOutcome, TxnRequest, WatchFeed,
};
use tokio::sync::watch;

use crate::feed::EtcdFeed;
use crate::group::{MemberGroup, ReadFault};
use crate::member::EtcdMember;
use crate::pace::within;
use crate::rpc::etcdserverpb::{AlarmType, CompactionRequest, RangeRequest, RangeResponse, TxnRequest as WireTxn};
use crate::{CallFault, EngineMark, EtcdFault, EtcdSettings, wire};

/// The most entries that are asked for at once.
const PAGE_ENTRIES: usize = 256;

/// How often a list of the present begins again because it was compacted while it was read.
const LIST_TRIES: usize = 3;

/// An engine of one or more members of etcd.
#[derive(Debug)]
pub struct EtcdStore {
    pub(crate) group: Arc<MemberGroup>,
}

impl EtcdStore {
    /// An engine that is reached by these settings. Connections are made when they are needed, and again when they are lost.
    pub fn new(settings: EtcdSettings) -> Self {
        Self { group: Arc::new(MemberGroup::new(settings)) }
    }

    /// The highest mark seen, which another life of this process must begin with.
    pub fn mark(&self) -> EngineMark {
        self.group.guard.now()
    }

    /// Tells of every new mark.
    pub fn marks(&self) -> watch::Receiver<EngineMark> {
        self.group.guard.subscribe()
    }

    /// Takes the engine as it is from now on, also if it is another one or older than what was seen. Only a person can know that
    /// this is right.
    pub fn accept_engine(&self) {
        self.group.guard.reset(EngineMark::default());
        self.group.members().iter().for_each(|member| member.suspect());
    }

    /// From now on these are the members that are asked. What is under way goes on.
    pub fn set_members(&self, addresses: &[String]) {
        self.group.set_members(addresses);
    }

    async fn list_once(&self, query: &KeyQuery) -> Result<KeyListing, StoreError> {
        let mut listing = KeyListing { revision: query.at.unwrap_or(0), entries: Vec::new(), more: false };
        let mut rest = query.range.clone();
        let mut at = query.at;
        loop {
            let left = query.limit.map_or(usize::MAX, |limit| limit - listing.entries.len());
            let (page, revision) = self.page(&rest, at, left.min(PAGE_ENTRIES)).await?;
            // All pages are of the revision of the first one.
            let of = *at.get_or_insert(revision);
            listing.revision = of;
            for pair in page.kvs {
                listing.entries.push(wire::entry(pair).map_err(|fault| unreadable(&self.group, fault))?);
            }
            listing.more = page.more;
            match listing.entries.last() {
                // Cut short by the page and not by the caller's limit.
                Some(last) if page.more && left > PAGE_ENTRIES => rest = query.range.after(&last.key),
                _ => return Ok(listing),
            }
        }
    }

    /// A page of a list, and the revision of the engine. A page of no entries only asks for the revision.
    async fn page(&self, range: &KeyRange, at: Option<u64>, limit: usize) -> Result<(RangeResponse, u64), StoreError> {
        // etcd takes a limit of 0 for none, and would answer with everything.
        let count_only = limit == 0 || range.is_empty();
        let range = if count_only { KeyRange::key(&b"\0"[..]) } else { range.clone() };
        let request = RangeRequest {
            limit: wire::signed(limit as u64),
            revision: wire::signed(at.unwrap_or(0)),
            count_only,
            ..wire::range(&range)
        };
        let wait = self.group.settings.limits.answer;
        let ask = |mut kv: crate::rpc::etcdserverpb::kv_client::KvClient<tonic::transport::Channel>| {
            let request = request.clone();
            async move {
                let answer = within(wait, kv.range(request)).await?;
                let header = wire::header(answer.header.as_ref())?;
                Ok(((answer, header.1), header))
            }
        };
        // A revision that was seen is not in the future: the member that says so is behind.
        let seen = self.mark().revision;
        let is_future = |fault: &CallFault| fault.is_future() && at.is_none_or(|at| at > seen);
        let answer = self.group.read(ask, |fault| fault.is_compacted() || is_future(fault)).await;
        match (answer, at) {
            (Ok(answer), _) => Ok(answer),
            (Err(ReadFault::Answer(fault)), Some(asked)) if fault.is_compacted() => {
                Err(StoreError::Compacted { asked })
            }
            (Err(ReadFault::Answer(_)), Some(asked)) => {
                Err(StoreError::Future { asked, current: Box::pin(self.revision()).await? })
            }
            (Err(ReadFault::Answer(fault)), None) => Err(unreadable(&self.group, fault)),
            (Err(ReadFault::Engine(fault)), _) => Err(StoreError::Unreadable(fault.into_fault())),
        }
    }

    /// The revision of the engine.
    pub(crate) async fn revision(&self) -> Result<u64, StoreError> {
        Ok(self.page(&KeyRange::all(), None, 0).await?.1)
    }

    /// Sends a transaction to the first member that is proven, and to no other one once it may have left.
    async fn send(&self, request: &TxnRequest, wire: WireTxn) -> Result<TxnOutcome, StoreError> {
        let mut faults = Vec::new();
        for member in self.group.members() {
            match self.send_to(&member, request, &wire).await {
                Ok(outcome) => return Ok(outcome),
                Err((fault, sent)) => {
                    self.group.suspect(&member);
                    if sent {
                        let fault = EtcdFault::one(&member.address, fault);
                        return Err(StoreError::MaybeApplied(fault.into_fault()));
                    }
                    faults.push((member.address.clone(), fault));
                }
            }
        }
        Err(StoreError::NotApplied(EtcdFault(faults).into_fault()))
    }

    /// The second part of the error: whether the member may have received it.
    async fn send_to(
        &self,
        member: &EtcdMember,
        request: &TxnRequest,
        wire: &WireTxn,
    ) -> Result<TxnOutcome, (CallFault, bool)> {
        let unsent = |fault| (fault, false);
        self.group.prove(member).await.map_err(unsent)?;
        let since = self.mark();
        let mut kv = member.kv(&self.group.settings).await.map_err(unsent)?;
        let answer = within(self.group.settings.limits.answer, kv.txn(wire.clone())).await.map_err(|fault| {
            let sent = !fault.is_unsent();
            (fault, sent)
        })?;
        // From here on it may have been applied, whatever is wrong with the answer.
        let sent = |fault| (fault, true);
        let header = wire::header(answer.header.as_ref()).map_err(sent)?;
        self.group.accept(member, header, since).map_err(sent)?;
        wire::outcome(request, answer).map_err(sent)
    }

    async fn forget(&self, revision: u64) -> Result<(), StoreError> {
        let current = self.revision().await?;
        if revision > current {
            return Err(StoreError::Future { asked: revision, current });
        }
        let mut faults = Vec::new();
        for member in self.group.members() {
            let fault = match self.forget_at(&member, revision).await {
                Ok(()) => return Ok(()),
                Err(fault) if fault.is_compacted() => return Err(StoreError::Compacted { asked: revision }),
                Err(fault) => fault,
            };
            self.group.suspect(&member);
            if !fault.is_unsent() {
                return Err(StoreError::MaybeApplied(EtcdFault::one(&member.address, fault).into_fault()));
            }
            faults.push((member.address.clone(), fault));
        }
        Err(StoreError::NotApplied(EtcdFault(faults).into_fault()))
    }

    async fn forget_at(&self, member: &EtcdMember, revision: u64) -> Result<(), CallFault> {
        // A member that is not proven has not been sent anything.
        self.group.prove(member).await.map_err(|fault| CallFault::NotSent(fault.to_string()))?;
        let since = self.mark();
        let request = CompactionRequest { revision: wire::signed(revision) };
        let answer =
            within(self.group.settings.limits.answer, member.kv(&self.group.settings).await?.compact(request)).await?;
        self.group.accept(member, wire::header(answer.header.as_ref())?, since)
    }

    async fn describe(&self) -> Result<StoreStatus, StoreError> {
        let (report, alarms) = self.first_report().await?;
        let raised = |alarm| alarms.iter().any(|member| member.alarm() == alarm);
        let health = if raised(AlarmType::Corrupt) {
            StoreHealth::ReadsOnly(StoreFault::new(FaultKind::Damaged))
        } else if raised(AlarmType::Nospace) {
            StoreHealth::ReadsOnly(StoreFault::new(FaultKind::Full))
        } else {
            StoreHealth::Serving
        };
        let engine = format!("etcd {}", report.version);
        Ok(StoreStatus { engine, revision: report.mark.revision, bytes: report.bytes, health })
    }
}

impl Store for EtcdStore {
    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, KeyListing> {
        Box::pin(async move {
            for _ in 1..LIST_TRIES {
                match self.list_once(query).await {
                    // It asked for the present: what was compacted is the revision of its own first page.
                    Err(StoreError::Compacted { .. }) if query.at.is_none() => {}
                    listing => return listing,
                }
            }
            self.list_once(query).await
        })
    }

    fn txn(&self, request: TxnRequest) -> StoreFuture<'_, TxnOutcome> {
        Box::pin(async move {
            let wire = wire::txn(&request)?;
            self.send(&request, wire).await
        })
    }

    fn watch(&self, range: KeyRange, from: u64) -> StoreFuture<'_, Box<dyn WatchFeed>> {
        Box::pin(async move { Ok(Box::new(EtcdFeed::open(self, &range, from).await?) as Box<dyn WatchFeed>) })
    }

    fn compact(&self, revision: u64) -> StoreFuture<'_, ()> {
        Box::pin(self.forget(revision))
    }

    fn status(&self) -> StoreFuture<'_, StoreStatus> {
        Box::pin(self.describe())
    }
}

fn unreadable(group: &MemberGroup, fault: CallFault) -> StoreError {
    let member = group.members().first().map_or_else(String::new, |member| member.address.clone());
    StoreError::Unreadable(EtcdFault::one(&member, fault).into_fault())
}
