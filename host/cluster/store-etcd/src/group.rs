//! The members of an engine, of which one is asked after the other until one answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use tonic::transport::Channel;

use crate::mark::MarkGuard;
use crate::member::EtcdMember;
use crate::rpc::etcdserverpb::kv_client::KvClient;
use crate::{CallFault, EngineMark, EtcdFault, EtcdSettings};

#[derive(Debug)]
pub(crate) struct MemberGroup {
    pub(crate) settings: EtcdSettings,
    pub(crate) guard: MarkGuard,
    members: Vec<EtcdMember>,
    /// The member that is asked first: the last one that answered.
    preferred: AtomicUsize,
}

/// An answer, and what its header says: cluster and revision.
pub(crate) type HeadedAnswer<T> = (T, (u64, u64));

impl MemberGroup {
    pub(crate) fn new(settings: EtcdSettings) -> Self {
        let members = settings.members.iter().cloned().map(EtcdMember::new).collect();
        let guard = MarkGuard::new(settings.mark);
        Self { settings, guard, members, preferred: AtomicUsize::new(0) }
    }

    pub(crate) fn members(&self) -> &[EtcdMember] {
        &self.members
    }

    /// The members in the order in which they are asked.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &EtcdMember> {
        let first = self.preferred.load(Ordering::Relaxed);
        (0..self.members.len()).map(move |index| &self.members[(first + index) % self.members.len()])
    }

    /// Makes sure that a member is the engine that was seen before and has a majority behind it.
    pub(crate) async fn prove(&self, member: &EtcdMember) -> Result<(), CallFault> {
        if !member.is_proven() {
            let report = member.examine(&self.settings).await?;
            self.guard.prove(report.mark)?;
            member.set_proven();
        }
        Ok(())
    }

    /// Judges an answer, and remembers who gave it.
    pub(crate) fn accept(
        &self,
        member: &EtcdMember,
        (cluster, revision): (u64, u64),
        since: EngineMark,
    ) -> Result<(), CallFault> {
        self.guard.check(cluster, revision, since)?;
        if let Some(index) = self.members.iter().position(|other| std::ptr::eq(other, member)) {
            self.preferred.store(index, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Puts a member that failed behind the others.
    pub(crate) fn suspect(&self, member: &EtcdMember) {
        member.suspect();
        let Some(index) = self.members.iter().position(|other| std::ptr::eq(other, member)) else { return };
        let next = (index + 1) % self.members.len();
        let _ = self.preferred.compare_exchange(index, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Asks for something that changes nothing, so that any number of members may be asked. An error for which `is_answer`
    /// holds is an answer of the engine.
    pub(crate) async fn read<T, F>(
        &self,
        ask: impl Fn(KvClient<Channel>) -> F,
        is_answer: impl Fn(&CallFault) -> bool,
    ) -> Result<T, ReadFault>
    where
        F: Future<Output = Result<HeadedAnswer<T>, CallFault>>,
    {
        let mut faults = Vec::new();
        for member in self.in_order() {
            match self.read_from(member, &ask).await {
                Ok(answer) => return Ok(answer),
                Err(fault) if is_answer(&fault) => return Err(ReadFault::Answer(fault)),
                Err(fault) => {
                    self.suspect(member);
                    faults.push((member.address.clone(), fault));
                }
            }
        }
        Err(ReadFault::Engine(EtcdFault(faults)))
    }

    async fn read_from<T, F>(&self, member: &EtcdMember, ask: impl Fn(KvClient<Channel>) -> F) -> Result<T, CallFault>
    where
        F: Future<Output = Result<HeadedAnswer<T>, CallFault>>,
    {
        self.prove(member).await?;
        let since = self.guard.now();
        let (answer, header) = ask(member.kv(&self.settings).await?).await?;
        self.accept(member, header, since)?;
        Ok(answer)
    }
}

/// Why a read failed.
pub(crate) enum ReadFault {
    /// The engine says so.
    Answer(CallFault),
    /// No member answered.
    Engine(EtcdFault),
}
