//! Looking after the engine: what its members say, who they are, alarms, room on the disk.

use std::time::Duration;

use futures_util::future::BoxFuture;
use store::StoreError;
use tonic::transport::Channel;

use crate::member::EtcdMember;
use crate::pace::within;
use crate::rpc::etcdserverpb::alarm_request::AlarmAction;
use crate::rpc::etcdserverpb::cluster_client::ClusterClient;
use crate::rpc::etcdserverpb::maintenance_client::MaintenanceClient;
use crate::rpc::etcdserverpb::{
    AlarmMember, AlarmRequest, AlarmType, DefragmentRequest, Member, MemberAddRequest, MemberListRequest,
    MemberPromoteRequest, MemberRemoveRequest, MoveLeaderRequest,
};
use crate::{CallFault, EtcdFault, EtcdStore, MemberReport};

/// A member as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdPeer {
    pub id: u64,
    /// Empty until the member has started.
    pub name: String,
    /// Where the other members reach it.
    pub peer_addresses: Vec<String>,
    /// Where clients reach it.
    pub client_addresses: Vec<String>,
    /// It follows, and does not vote.
    pub is_learner: bool,
}

impl From<Member> for EtcdPeer {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            name: member.name,
            peer_addresses: member.peer_urls,
            client_addresses: member.client_urls,
            is_learner: member.is_learner,
        }
    }
}

impl EtcdStore {
    /// What each member says of itself. It is asked also if it would be refused as an engine that falls behind.
    pub async fn examine_members(&self) -> Vec<(String, Result<MemberReport, CallFault>)> {
        let mut reports = Vec::new();
        for member in self.group.members() {
            reports.push((member.address.clone(), member.examine(&self.group.settings).await));
        }
        reports
    }

    /// What the member at an address says of itself, without a proof that it has a majority behind it: a learner answers this, too.
    pub async fn report_at(&self, address: &str) -> Result<MemberReport, CallFault> {
        EtcdMember::new(address.to_owned()).describe(&self.group.settings).await
    }

    /// The alarms that are raised, in etcd's words.
    pub async fn alarms(&self) -> Result<Vec<String>, StoreError> {
        let (_, alarms) = self.first_report().await?;
        Ok(alarms.iter().map(|alarm| alarm.alarm().as_str_name().to_lowercase()).collect())
    }

    /// The members that the engine has agreed on.
    pub async fn peers(&self) -> Result<Vec<EtcdPeer>, StoreError> {
        let mut faults = Vec::new();
        for member in self.group.members() {
            match self.peers_at(&member).await {
                Ok(members) => return Ok(members.into_iter().map(EtcdPeer::from).collect()),
                Err(fault) => {
                    self.group.suspect(&member);
                    faults.push((member.address.clone(), fault));
                }
            }
        }
        Err(StoreError::Unreadable(EtcdFault(faults).into_fault()))
    }

    async fn peers_at(&self, member: &EtcdMember) -> Result<Vec<Member>, CallFault> {
        self.group.prove(member).await?;
        let mut cluster = ClusterClient::new(member.channel(&self.group.settings).await?);
        // A field of 3.5: 3.4 does not know it, and answers by what the member itself has applied. Hence the proof
        // before.
        let request = MemberListRequest { linearizable: true };
        Ok(within(self.group.settings.limits.answer, cluster.member_list(request)).await?.members)
    }

    /// Adds a member that follows and does not vote, to be reached by the others at this address.
    pub async fn add_learner(&self, peer_address: &str) -> Result<Vec<EtcdPeer>, StoreError> {
        let request = MemberAddRequest { peer_urls: vec![peer_address.to_owned()], is_learner: true };
        self.change_members(move |mut cluster, limit| {
            let request = request.clone();
            Box::pin(async move { Ok(within(limit, cluster.member_add(request)).await?.members) })
        })
        .await
    }

    /// Lets a learner vote. etcd refuses one that is not in step.
    pub async fn promote(&self, id: u64) -> Result<Vec<EtcdPeer>, StoreError> {
        self.change_members(move |mut cluster, limit| {
            let request = MemberPromoteRequest { id };
            Box::pin(async move { Ok(within(limit, cluster.member_promote(request)).await?.members) })
        })
        .await
    }

    pub async fn remove_member(&self, id: u64) -> Result<Vec<EtcdPeer>, StoreError> {
        self.change_members(move |mut cluster, limit| {
            let request = MemberRemoveRequest { id };
            Box::pin(async move { Ok(within(limit, cluster.member_remove(request)).await?.members) })
        })
        .await
    }

    /// Gives back the room that compaction made: each member defragments its file, the leader last, and the alarms are disarmed.
    /// A member answers nothing while it does so, for some 8 ms a MB.
    pub async fn reclaim_space(&self) -> Result<(), StoreError> {
        let mut members = Vec::new();
        for member in self.group.members() {
            let report = member.examine(&self.group.settings).await.map_err(|fault| {
                // Without a member that is down its file stays full, and the alarm comes back.
                StoreError::NotApplied(EtcdFault::one(&member.address, fault).into_fault())
            })?;
            members.push((report.is_leader(), member));
        }
        // The leader last: no write is taken while it is at it (3.4.23: 1.4 s for 185 MB).
        members.sort_by_key(|(is_leader, _)| *is_leader);
        for (_, member) in &members {
            let mut maintenance = self.maintenance(member).await.map_err(|fault| failed(member, fault))?;
            let limit = self.group.settings.limits.change;
            within(limit, maintenance.defragment(DefragmentRequest {})).await.map_err(|fault| failed(member, fault))?;
        }
        self.disarm().await
    }

    /// Makes another member the leader. Only the leader does that.
    pub async fn move_leader(&self, target: u64) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        for member in self.group.members() {
            match self.move_leader_from(&member, target).await {
                Ok(()) => return Ok(()),
                Err(fault) => faults.push((member.address.clone(), fault)),
            }
        }
        Err(StoreError::MaybeApplied(EtcdFault(faults).into_fault()))
    }

    async fn move_leader_from(&self, member: &EtcdMember, target: u64) -> Result<(), CallFault> {
        let mut maintenance = self.maintenance(member).await?;
        let request = MoveLeaderRequest { target_id: target };
        within(self.group.settings.limits.answer, maintenance.move_leader(request)).await.map(|_| ())
    }

    async fn disarm(&self) -> Result<(), StoreError> {
        let (_, alarms) = self.first_report().await?;
        // CORRUPT stays on: which member holds the wrong data, only a person can find out.
        for alarm in alarms.into_iter().filter(|alarm| alarm.alarm() == AlarmType::Nospace) {
            let member = &self.group.members().into_iter().next().ok_or_else(no_member)?;
            let AlarmMember { member_id, alarm } = alarm;
            let request = AlarmRequest { action: AlarmAction::Deactivate.into(), member_id, alarm };
            let mut maintenance = self.maintenance(member).await.map_err(|fault| failed(member, fault))?;
            within(self.group.settings.limits.answer, maintenance.alarm(request))
                .await
                .map_err(|fault| failed(member, fault))?;
        }
        Ok(())
    }

    /// What the first member that answers says of itself, and the alarms of all members.
    pub(crate) async fn first_report(&self) -> Result<(MemberReport, Vec<AlarmMember>), StoreError> {
        let mut faults = Vec::new();
        for member in self.group.members() {
            match self.report_of(&member).await {
                Ok(report) => return Ok(report),
                Err(fault) => {
                    self.group.suspect(&member);
                    faults.push((member.address.clone(), fault));
                }
            }
        }
        Err(StoreError::Unreadable(EtcdFault(faults).into_fault()))
    }

    async fn report_of(&self, member: &EtcdMember) -> Result<(MemberReport, Vec<AlarmMember>), CallFault> {
        // Before the request: answers may overtake each other, and a mark that another one has raised meanwhile is
        // no fault of this one.
        let since = self.mark();
        let report = member.examine(&self.group.settings).await?;
        self.group.guard.prove(report.mark)?;
        let request = AlarmRequest { action: AlarmAction::Get.into(), ..AlarmRequest::default() };
        let answer = within(self.group.settings.limits.answer, self.maintenance(member).await?.alarm(request)).await?;
        self.group.accept(member, (report.mark.cluster, report.mark.revision), since)?;
        Ok((report, answer.alarms))
    }

    async fn maintenance(&self, member: &EtcdMember) -> Result<MaintenanceClient<Channel>, CallFault> {
        Ok(MaintenanceClient::new(member.channel(&self.group.settings).await?))
    }

    /// Asks one member after the other until one has an answer. A change that failed may have been made: list the members.
    async fn change_members(&self, ask: impl MemberChange) -> Result<Vec<EtcdPeer>, StoreError> {
        let mut faults = Vec::new();
        for member in self.group.members() {
            match self.change_members_at(&member, &ask).await {
                Ok(members) => return Ok(members.into_iter().map(EtcdPeer::from).collect()),
                Err((fault, sent)) => {
                    faults.push((member.address.clone(), fault));
                    if sent {
                        return Err(StoreError::MaybeApplied(EtcdFault(faults).into_fault()));
                    }
                }
            }
        }
        Err(StoreError::NotApplied(EtcdFault(faults).into_fault()))
    }

    async fn change_members_at(
        &self,
        member: &EtcdMember,
        ask: &impl MemberChange,
    ) -> Result<Vec<Member>, (CallFault, bool)> {
        // Before anything is sent: what a member does that is cut off from the others may be done much later.
        self.group.prove(member).await.map_err(|fault| (fault, false))?;
        let channel = member.channel(&self.group.settings).await.map_err(|fault| (fault, false))?;
        ask(ClusterClient::new(channel), self.group.settings.limits.change).await.map_err(|fault| {
            let sent = !fault.is_unsent();
            (fault, sent)
        })
    }
}

/// A change of the members, as it is asked of one of them.
trait MemberChange:
    Fn(ClusterClient<Channel>, Duration) -> BoxFuture<'static, Result<Vec<Member>, CallFault>> + Sync
{
}
impl<T: Fn(ClusterClient<Channel>, Duration) -> BoxFuture<'static, Result<Vec<Member>, CallFault>> + Sync> MemberChange
    for T
{
}

fn failed(member: &EtcdMember, fault: CallFault) -> StoreError {
    StoreError::MaybeApplied(EtcdFault::one(&member.address, fault).into_fault())
}

fn no_member() -> StoreError {
    StoreError::NotApplied(EtcdFault(Vec::new()).into_fault())
}
