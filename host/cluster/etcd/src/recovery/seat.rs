//! A new member of an engine that answers, for a node that is one of the cluster already.

use protocol::daemon::{SeatGrant, SeatRequest};
use store_etcd::EtcdStore;

use crate::member::{self, MemberFault, ProgressNotes};
use crate::{RosterFault, plan, read_roster};

/// Checks that the others have a majority without the member that is reached there.
pub async fn may_seat_again(store: &EtcdStore, node: &str, peer: &str) -> Result<(), MemberFault> {
    let seen = member::look(store, &mut ProgressNotes::new()).await?;
    let own = seen.iter().find(|member| member.peer.peer_addresses.iter().any(|address| address == peer));
    let Some(own) = own.map(|own| own.peer.id) else { return Ok(()) };
    let reason = plan::may_remove(&member::views(&seen), own);
    reason.map_err(|reason| MemberFault::Majority { node: node.to_owned(), reason })
}

/// Gives a node of the cluster another member, in place of one whose data are lost, or says what it has to wait for. To ask again is
/// harmless.
pub async fn seat_again(store: &EtcdStore, request: &SeatRequest) -> Result<SeatGrant, MemberFault> {
    let roster = read_roster(store).await?.ok_or(RosterFault::None)?;
    if roster.node(&request.node).is_none() {
        return Err(MemberFault::Stranger(request.node.clone()));
    }
    member::add(store, &roster, request).await
}
