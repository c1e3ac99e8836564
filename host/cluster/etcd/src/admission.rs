//! Letting a node in: what a node of the cluster answers to one that joins. Nothing is changed before all was checked.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::NodeName;
use protocol::daemon::{AuthorityGrant, JoinGrant, JoinRequest, SeatGrant, SeatRequest};
use protocol::{FailureKind, RequestFailure};
use replica::{SharedState, everything};
use store::{KeyQuery, Store, StoreError, TxnRequest};
use store_etcd::EtcdStore;

use crate::member::{self, MemberFault, chain};
use crate::token::{digest_of, judge_token, now};
use crate::{ClusterPlace, JoinToken, Roster, RosterFault, RosterNode, TokenFault, change_roster, read_roster};

/// Lets nodes in.
#[derive(Debug)]
pub struct AdmissionDesk<'a> {
    pub store: &'a EtcdStore,
    pub place: &'a ClusterPlace,
    /// The version of this agent.
    pub agent: &'a str,
}

/// Why a node is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionRefusal {
    #[error(transparent)]
    Token(#[from] TokenFault),
    #[error("{0:?} is not the name of a node: {1}")]
    Name(String, String),
    #[error("{0:?} is not an address")]
    Address(String),
    #[error(
        "{0} is in the cluster already: om cluster remove {0} there, if it is gone, or another name for this machine"
    )]
    Known(String),
    #[error("{address} is the address of {other}")]
    Taken { address: IpAddr, other: String },
    #[error("the agent is {theirs}, that of the cluster is {ours}: install the same version")]
    Version { theirs: String, ours: String },
    #[error(
        "{} on both sides, with different configurations: rename or delete them here or in the cluster",
        words(.0)
    )]
    Objects(Vec<String>),
    #[error("{0} was not let in before: om cluster join begins with that")]
    Unannounced(String),
    #[error("the keys of the cluster cannot be read on this node: {0}")]
    Keys(String),
    #[error("{0}")]
    Witness(&'static str),
    #[error(transparent)]
    Roster(#[from] RosterFault),
    #[error(transparent)]
    Member(#[from] MemberFault),
}

fn words(objects: &[String]) -> String {
    let be = if objects.len() == 1 { "is" } else { "are" };
    format!("{} {be}", objects.join(", "))
}

impl From<StoreError> for AdmissionRefusal {
    fn from(error: StoreError) -> Self {
        AdmissionRefusal::Roster(error.into())
    }
}

impl From<AdmissionRefusal> for RequestFailure {
    fn from(refusal: AdmissionRefusal) -> RequestFailure {
        let kind = match refusal {
            AdmissionRefusal::Token(_) => FailureKind::Denied,
            AdmissionRefusal::Name(..) | AdmissionRefusal::Address(_) => FailureKind::Invalid,
            _ => FailureKind::Failed,
        };
        RequestFailure { kind, message: chain(&refusal) }
    }
}

impl AdmissionDesk<'_> {
    /// Lets a node in, and gives it what it needs. To ask again is harmless.
    pub async fn admit(&self, token: &str, request: &JoinRequest) -> Result<JoinGrant, AdmissionRefusal> {
        let token: JoinToken = token.parse()?;
        // The token comes first: the refusals below name nodes, versions and objects of the cluster, which are
        // only for a joiner that was invited.
        let used = self.judge(&token, &request.node, &request.key).await?;
        let name: NodeName = request
            .node
            .parse()
            .map_err(|error: model::InvalidNodeName| AdmissionRefusal::Name(request.node.clone(), error.to_string()))?;
        let address = request.address.parse().map_err(|_| AdmissionRefusal::Address(request.address.clone()))?;
        if request.agent != self.agent {
            let (theirs, ours) = (request.agent.clone(), self.agent.to_owned());
            return Err(AdmissionRefusal::Version { theirs, ours });
        }
        self.check_objects(&request.objects).await?;
        let (api, engine_authority) = self.authorities().await?;
        // Only its digest is kept in the store, which every node can read: by the key itself another node could go
        // on with this join.
        let key = digest_of(request.key.as_bytes());
        let joiner = RosterNode {
            name,
            address,
            api_port: request.api_port,
            key: Some(key),
            joined: false,
            witness: request.witness,
        };
        // The use of the token is written in the transaction that enters the node, and compares the row that was
        // judged. So of two joiners with the last use of a token one is refused, and a join that fails uses
        // nothing up.
        let along = |request: TxnRequest| match &used {
            Some((key, revision, row)) => request.if_unchanged(key.clone(), *revision).put(key.clone(), row.clone()),
            None => request,
        };
        // A probe passes all the checks of a join but writes nothing and hands out no key: the joiner checks
        // itself by the answer, and only then asks for good.
        if request.probe {
            let mut roster = read_roster(self.store).await?.ok_or(RosterFault::None)?;
            enter(&mut roster, &joiner)?;
            let keyless = || AuthorityGrant { certificate: String::new(), key: String::new() };
            return self.grant(roster, keyless(), engine_authority.map(|_| keyless())).await;
        }
        // Asked again after a lost answer, the joiner is known by its key: `used` is None, `enter` changes
        // nothing, and change_roster writes nothing.
        let roster = change_roster(self.store, along, |roster| enter(roster, &joiner)).await?;
        self.grant(roster, api, engine_authority).await
    }

    async fn grant(
        &self,
        roster: Roster,
        api: AuthorityGrant,
        engine_authority: Option<AuthorityGrant>,
    ) -> Result<JoinGrant, AdmissionRefusal> {
        Ok(JoinGrant {
            nodes: roster.nodes.iter().map(|node| node.name.to_string()).collect(),
            engine: self.engine(&roster).await?,
            engine_authority: engine_authority.filter(|_| roster.is_managed()),
            cluster: roster.name,
            id: roster.id,
            api,
            now: now(),
        })
    }

    /// Gives a node that was let in its member of the engine.
    pub async fn seat(&self, token: &str, request: &SeatRequest) -> Result<SeatGrant, AdmissionRefusal> {
        let token: JoinToken = token.parse()?;
        // This would be the first use of the token by the node, so `admit` has not let it in by this one.
        if self.judge(&token, &request.node, &request.key).await?.is_some() {
            return Err(AdmissionRefusal::Unannounced(request.node.clone()));
        }
        let roster = read_roster(self.store).await?.ok_or(RosterFault::None)?;
        let key = Some(digest_of(request.key.as_bytes()));
        if roster.node(&request.node).is_none_or(|node| node.key != key) {
            return Err(AdmissionRefusal::Unannounced(request.node.clone()));
        }
        Ok(member::add(self.store, &roster, request).await?)
    }

    async fn judge(
        &self,
        token: &JoinToken,
        node: &str,
        key: &str,
    ) -> Result<Option<(Vec<u8>, u64, Vec<u8>)>, AdmissionRefusal> {
        judge_token(self.store, token, node, key).await.map_err(|fault| match fault {
            Ok(refused) => AdmissionRefusal::Token(refused),
            Err(fault) => AdmissionRefusal::Roster(fault),
        })
    }

    async fn engine(&self, roster: &Roster) -> Result<Vec<String>, AdmissionRefusal> {
        if !roster.is_managed() {
            return Ok(roster.external.clone());
        }
        Ok(member::voter_addresses(&self.store.peers().await?))
    }

    /// Objects of one path must be the same: the cluster cannot know which of the two should be in force.
    async fn check_objects(&self, brought: &BTreeMap<String, String>) -> Result<(), AdmissionRefusal> {
        let listing = self.store.list(&KeyQuery::current(everything())).await?;
        // One listing, so that all objects are compared at one revision.
        let state =
            SharedState::of(&listing).map_err(|error| AdmissionRefusal::Roster(RosterFault::Row(error.to_string())))?;
        let differs = |path: &&String, checksum: &String| {
            let known = state.objects.iter().find(|(known, _)| known.to_string() == **path);
            let row = known.and_then(|(_, object)| object.row.as_ref()).map(|row| &row.value);
            // An object that is being purged clashes with none.
            row.is_some_and(|row| !row.tombstone && row.checksum != *checksum)
        };
        let clashes = brought.iter().filter(|(path, checksum)| differs(path, checksum));
        let clashes: Vec<String> = clashes.map(|(path, _)| path.clone()).collect();
        if clashes.is_empty() { Ok(()) } else { Err(AdmissionRefusal::Objects(clashes)) }
    }

    async fn authorities(&self) -> Result<(AuthorityGrant, Option<AuthorityGrant>), AdmissionRefusal> {
        let places = [self.place.api_certificates(), self.place.engine_certificates()];
        let read = tokio::task::spawn_blocking(move || {
            places.map(|place| {
                let keys = place.authority_files().map_err(|error| error.to_string())?;
                Ok::<_, String>(keys.map(|(certificate, key)| AuthorityGrant { certificate, key }))
            })
        });
        let [api, engine] = read.await.map_err(|error| AdmissionRefusal::Keys(error.to_string()))?;
        let api = api.map_err(AdmissionRefusal::Keys)?;
        let api = api.ok_or_else(|| AdmissionRefusal::Keys("the authority of the API is missing".to_owned()))?;
        Ok((api, engine.map_err(AdmissionRefusal::Keys)?))
    }
}

/// Enters a node into the roster, unless another one has its name or its address.
fn enter(roster: &mut Roster, joiner: &RosterNode) -> Result<(), AdmissionRefusal> {
    // Another machine of that name, or this one without the key that it had: its former life may still own slots,
    // so only an operator may say that it is gone.
    if roster.node(joiner.name.as_str()).is_some_and(|known| known.key != joiner.key) {
        return Err(AdmissionRefusal::Known(joiner.name.to_string()));
    }
    let taken = roster.nodes.iter().find(|node| node.address == joiner.address && node.name != joiner.name);
    // Ports tell two agents on one machine apart.
    if let Some(other) = taken.filter(|node| node.api_port == joiner.api_port) {
        return Err(AdmissionRefusal::Taken { address: joiner.address, other: other.name.to_string() });
    }
    if roster.node(joiner.name.as_str()).is_none() {
        check_witness(roster, joiner)?;
        roster.nodes.push(joiner.clone());
    }
    Ok(())
}

/// A witness makes a majority of two nodes survive the loss of one. Others have no use for it.
fn check_witness(roster: &Roster, joiner: &RosterNode) -> Result<(), AdmissionRefusal> {
    let reason = match () {
        () if !joiner.witness => return Ok(()),
        () if !roster.is_managed() => "the engine is not managed: a witness would have no member of it",
        () if roster.nodes.iter().any(|node| node.witness) => {
            "the cluster has a witness already: om cluster remove takes it out"
        }
        () if roster.service_nodes().count() > 2 => {
            "three nodes need no witness: a majority of them survives the loss of one"
        }
        () => return Ok(()),
    };
    Err(AdmissionRefusal::Witness(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, address: &str, key: &str) -> RosterNode {
        let (name, address) = (name.parse().unwrap(), address.parse().unwrap());
        RosterNode { name, address, api_port: 1215, key: Some(key.to_owned()), joined: false, witness: false }
    }

    #[test]
    fn a_node_is_entered_once_and_no_other_one_takes_its_name_or_address() {
        let mut roster = Roster::new("blue".to_owned(), "1".to_owned(), 3, Vec::new(), node("n1", "10.0.0.1", "a"));
        enter(&mut roster, &node("n2", "10.0.0.2", "b")).unwrap();
        enter(&mut roster, &node("n2", "10.0.0.2", "b")).unwrap();
        assert_eq!(roster.nodes.len(), 2);
        let refused = enter(&mut roster, &node("n2", "10.0.0.2", "c")).unwrap_err().to_string();
        assert!(refused.starts_with("n2 is in the cluster already"), "{refused}");
        let refused = enter(&mut roster, &node("n3", "10.0.0.1", "c")).unwrap_err().to_string();
        assert_eq!(refused, "10.0.0.1 is the address of n1");
    }

    #[test]
    fn two_nodes_get_one_witness_and_three_get_none() {
        let witness = |name: &str, address: &str| RosterNode { witness: true, ..node(name, address, name) };
        let mut roster = Roster::new("blue".to_owned(), "1".to_owned(), 3, Vec::new(), node("n1", "10.0.0.1", "a"));
        enter(&mut roster, &node("n2", "10.0.0.2", "b")).unwrap();
        let mut three = roster.clone();
        enter(&mut three, &node("n3", "10.0.0.3", "c")).unwrap();
        let refused = enter(&mut three, &witness("pi", "10.0.0.9")).unwrap_err().to_string();
        assert!(refused.starts_with("three nodes need no witness"), "{refused}");
        enter(&mut roster, &witness("pi", "10.0.0.9")).unwrap();
        enter(&mut roster, &witness("pi", "10.0.0.9")).unwrap();
        let refused = enter(&mut roster, &witness("po", "10.0.0.8")).unwrap_err().to_string();
        assert!(refused.starts_with("the cluster has a witness already"), "{refused}");
        assert_eq!(roster.service_nodes().map(|node| node.name.to_string()).collect::<Vec<_>>(), ["n1", "n2"]);
        enter(&mut roster, &node("n3", "10.0.0.3", "c")).unwrap();
    }
}
