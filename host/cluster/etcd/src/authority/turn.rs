//! A daemon's part of it: its files and its member are as the store wants them, it says so, and the leader's goes on when all have.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use certificate::{CertificateAuthority, CertificateError, CertificateFacts, CertificatePlace};
use model::NodeName;
use store_etcd::EtcdStore;

use super::row::{self, NodeTrust, RotationRow};
use super::{AuthorityFault, PkiState, RotationPhase, fingerprint, fingerprints, warnings_of};
use crate::member::{self, ProgressNotes};
use crate::token::now;
use crate::upkeep::renew_leaf;
use crate::{ClusterPlace, EngineProcess, LocalSeat, Roster};

/// A daemon that looks after the certificates of its node.
pub(crate) struct AuthorityTurn<'a> {
    pub(crate) place: &'a ClusterPlace,
    pub(crate) seat: &'a LocalSeat,
    pub(crate) store: &'a EtcdStore,
    pub(crate) me: &'a NodeName,
    pub(crate) roster: &'a Roster,
    /// The revision of the list of revoked certificates that was written to the file last.
    pub(crate) written: &'a mut Option<u64>,
}

/// What came of a turn.
#[derive(Debug, Default)]
pub(crate) struct AuthorityNews {
    pub(crate) said: Vec<String>,
    pub(crate) warnings: Vec<String>,
    /// Whether an authority takes the place of another.
    pub(crate) rotates: bool,
}

impl AuthorityTurn<'_> {
    pub(crate) async fn run(&mut self) -> Result<AuthorityNews, AuthorityFault> {
        let state = row::read_pki(self.store).await?;
        let mut news = AuthorityNews { rotates: state.rotation.is_some(), ..AuthorityNews::default() };
        let rotation = state.rotation.as_ref().map(|(row, _)| row);
        self.follow_files(&state).await?;
        if let Some(row) = rotation {
            self.restart_in_turn(row, &state, &mut news).await?;
        }
        self.say(&state).await?;
        if let Some((row, revision)) = &state.rotation {
            self.lead(row, *revision, &state, &mut news).await?;
        }
        news.warnings = warnings_of(&state, self.roster, now());
        Ok(news)
    }

    /// The files are those of the phase, and the list of revoked certificates is that of the store.
    async fn follow_files(&mut self, state: &PkiState) -> Result<(), AuthorityFault> {
        let (place, seat) = (self.place.engine_certificates(), self.seat.clone());
        let rotation = state.rotation.as_ref().map(|(row, _)| row.clone());
        let revision = state.revoked.1;
        let list = (*self.written != Some(revision)).then(|| state.revoked_serials());
        let work = move || {
            if let Some(row) = &rotation {
                follow_phase(&place, &seat, row)?;
            }
            if let Some(serials) = list {
                write_list(&place, &serials)?;
            }
            Ok::<_, AuthorityFault>(())
        };
        if let Ok(done) = tokio::task::spawn_blocking(work).await {
            done?;
            *self.written = Some(revision);
        }
        Ok(())
    }

    /// The member of this node starts again with the authorities of the phase, while all other voters answer.
    async fn restart_in_turn(
        &self,
        row: &RotationRow,
        state: &PkiState,
        news: &mut AuthorityNews,
    ) -> Result<(), AuthorityFault> {
        let Some(engine) = &self.seat.engine else { return Ok(()) };
        let Ok(Some(process)) = EngineProcess::find(self.place) else { return Ok(()) };
        let trusts: BTreeSet<&str> = process.trusts.iter().map(String::as_str).collect();
        if trusts == row.wanted() || !row.is_turn_of(self.me.as_str(), &state.said(self.roster)) {
            return Ok(());
        }
        let seen = member::look(self.store, &mut ProgressNotes::new()).await?;
        if seen.iter().any(|member| !member.peer.is_learner && !member.view.answers) {
            return Ok(());
        }
        // A command that changes this node's part in the cluster comes first.
        let Ok(Some(_turn)) = self.place.turn() else { return Ok(()) };
        if self.place.is_recovering() {
            return Ok(());
        }
        let stopped = EngineProcess::stop(self.place).await;
        let started = EngineProcess::ensure(self.place, self.seat, engine).await;
        let name = &engine.name;
        news.said.push(match stopped.and(started) {
            Ok(process) => format!("{name} was started again with other authorities: process {}", process.pid),
            Err(error) => format!("{name} was not started again with other authorities: {}", member::chain(&error)),
        });
        Ok(())
    }

    async fn say(&self, state: &PkiState) -> Result<(), AuthorityFault> {
        let place = self.place.clone();
        let has_member = self.seat.engine.is_some();
        let read = tokio::task::spawn_blocking(move || trust_of(&place, has_member)).await;
        let Ok(Some(trust)) = read.unwrap_or(Ok(None)) else { return Ok(()) };
        if state.nodes.get(self.me.as_str()) != Some(&trust) {
            row::say(self.store, self.me, &trust).await?;
        }
        Ok(())
    }

    /// What only the daemon beside the leader does.
    async fn lead(
        &self,
        row: &RotationRow,
        revision: u64,
        state: &PkiState,
        news: &mut AuthorityNews,
    ) -> Result<(), AuthorityFault> {
        if !row.waits_for(&state.said(self.roster)).is_empty() {
            return Ok(());
        }
        let Some(own) = self.seat.client_address() else { return Ok(()) };
        if self.store.report_at(&own).await.is_ok_and(|report| report.is_leader()) {
            row::advance(self.store, row, revision).await?;
            news.said.push(match row.phase.next() {
                Some(phase) => format!("the authority of the engine is being replaced: {}", phase.word()),
                None => "the authority of the engine was replaced".to_owned(),
            });
        }
        Ok(())
    }
}

fn follow_phase(place: &CertificatePlace, seat: &LocalSeat, row: &RotationRow) -> Result<(), AuthorityFault> {
    let issuing = fingerprints(place)?.into_iter().next().unwrap_or_default();
    if issuing != row.new && place.next().map_err(CertificateError::from)?.is_none() {
        place.keep_next(&row::open_next(place, row)?).map_err(CertificateError::from)?;
    }
    if row.phase != RotationPhase::Trust && issuing != row.new {
        place.adopt_next().map_err(CertificateError::from)?;
    }
    if row.phase == RotationPhase::Retire {
        place.retire_former().map_err(CertificateError::from)?;
    }
    if row.phase != RotationPhase::Trust {
        renew_leaf(place, seat, false)?;
    }
    Ok(())
}

/// What this node has. None: it has no certificate.
fn trust_of(place: &ClusterPlace, has_member: bool) -> Result<Option<NodeTrust>, CertificateError> {
    let files = place.engine_certificates();
    let Some((leaf, _)) = files.node()? else { return Ok(None) };
    let leaf = CertificateFacts::of_pem(&leaf.certificate)?;
    let trusted = files.trusted()?;
    let issuer = trusted.iter().find(|pem| CertificateFacts::of_pem(pem).is_ok_and(|it| it.subject == leaf.issuer));
    let authority = trusted.first().map(|pem| CertificateFacts::of_pem(pem)).transpose()?;
    let process = EngineProcess::find(place).ok().flatten();
    Ok(Some(NodeTrust {
        version: 1,
        trusts: trusted.iter().map(|pem| fingerprint(pem)).collect(),
        member: has_member.then(|| process.map_or_else(Vec::new, |process| process.trusts)),
        issuer: issuer.map_or_else(String::new, |pem| fingerprint(pem)),
        serial: leaf.serial,
        ends_at: seconds(leaf.ends_at),
        authority_ends_at: authority.map_or(0, |authority| seconds(authority.ends_at)),
    }))
}

/// Makes the list of revoked certificates, if there is none: a member that is to read one refuses everything without it.
pub(crate) fn write_first_list(place: &CertificatePlace) -> Result<(), CertificateError> {
    if place.revocation_file().exists() { Ok(()) } else { write_list(place, &[]) }
}

fn write_list(place: &CertificatePlace, serials: &[String]) -> Result<(), CertificateError> {
    let at = SystemTime::now();
    let list = CertificateAuthority::open(place, "hostler engine", at)?.revocation_list(serials, at)?;
    Ok(place.write_revocations(&list)?)
}

pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
