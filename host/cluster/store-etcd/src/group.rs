//! The members of an engine, of which one is asked after the other until one answers.

use std::sync::{Arc, PoisonError, RwLock};

use tonic::transport::Channel;

use crate::mark::MarkGuard;
use crate::member::EtcdMember;
use crate::rpc::etcdserverpb::kv_client::KvClient;
use crate::{CallFault, EngineMark, EtcdFault, EtcdSettings};

#[derive(Debug)]
pub(crate) struct MemberGroup {
    pub(crate) settings: EtcdSettings,
    pub(crate) guard: MarkGuard,
    /// In the order in which they are asked: the last one that answered comes first.
    members: RwLock<Vec<Arc<EtcdMember>>>,
}

/// An answer, and what its header says: cluster and revision.
pub(crate) type HeadedAnswer<T> = (T, (u64, u64));

impl MemberGroup {
    pub(crate) fn new(settings: EtcdSettings) -> Self {
        let members = settings.members.iter().cloned().map(EtcdMember::new).map(Arc::new).collect();
        let guard = MarkGuard::new(settings.mark);
        Self { settings, guard, members: RwLock::new(members) }
    }

    /// The members in the order in which they are asked.
    pub(crate) fn members(&self) -> Vec<Arc<EtcdMember>> {
        self.members.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on these are the members. The connections to those that stay go on.
    pub(crate) fn set_members(&self, addresses: &[String]) {
        self.change(|members| {
            // In the order that experience gave them: one that failed is not asked first again because of a new
            // list.
            members.retain(|member| addresses.contains(&member.address));
            let missing = addresses.iter().filter(|address| members.iter().all(|known| known.address != **address));
            let new: Vec<_> = missing.cloned().map(EtcdMember::new).map(Arc::new).collect();
            members.extend(new);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<EtcdMember>>)) {
        change(&mut self.members.write().unwrap_or_else(PoisonError::into_inner));
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
        // Seldom: as long as the first one answers, no other is asked.
        if self.members().first().is_some_and(|first| !std::ptr::eq(&**first, member)) {
            self.change(|members| {
                if let Some(index) = members.iter().position(|other| std::ptr::eq(&**other, member)) {
                    members[..=index].rotate_right(1);
                }
            });
        }
        Ok(())
    }

    /// Puts a member that failed behind the others.
    pub(crate) fn suspect(&self, member: &EtcdMember) {
        member.suspect();
        self.change(|members| {
            if members.first().is_some_and(|first| std::ptr::eq(&**first, member)) {
                // Only if it is the first: two calls that fail at the same time must not turn the list twice, and
                // make it first again.
                members.rotate_left(1);
            }
        });
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
        for member in self.members() {
            match self.read_from(&member, &ask).await {
                Ok(answer) => return Ok(answer),
                Err(fault) if is_answer(&fault) => return Err(ReadFault::Answer(fault)),
                Err(fault) => {
                    self.suspect(&member);
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
