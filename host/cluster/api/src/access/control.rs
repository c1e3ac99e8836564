//! From a connection and the headers of a request to who asks: the user, or why it is not believed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use certificate::IssuedLeaf;
use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, StatusCode};
use model::{NodeName, RoleGrants};
use peer::PeerEndpoint;
use protocol::{FailureKind, RequestFailure};

use crate::access::caller::ROOT;
use crate::access::token_desk::TokenDesk;
use crate::access::{
    AccessPlaces, AccessSource, AccessTrail, Caller, CallerCredential, CertificateDesk, ClientLink, RateLimiter,
};
use crate::reply::ReplyRefusal;

/// How tokens begin by which nodes join a cluster. Those of users are three segments of base64.
const JOIN_TOKEN: &str = "H1.";

/// The users, their proofs and their limits.
pub(crate) struct AccessControl {
    pub(crate) source: Arc<dyn AccessSource>,
    pub(crate) places: AccessPlaces,
    pub(crate) trail: AccessTrail,
    pub(super) node: NodeName,
    /// The other daemons of the cluster.
    peers: Option<PeerEndpoint>,
    /// The user of this process.
    owner: u32,
    pub(super) limiter: Mutex<RateLimiter>,
    /// None until the first token: then it is opened, or tried again.
    pub(super) tokens: Mutex<Option<TokenDesk>>,
    desk: Mutex<CertificateDesk>,
}

impl std::fmt::Debug for AccessControl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessControl").field("node", &self.node).finish_non_exhaustive()
    }
}

impl AccessControl {
    pub(crate) fn new(
        source: Arc<dyn AccessSource>,
        places: AccessPlaces,
        (node, peers): (NodeName, Option<PeerEndpoint>),
        owner: u32,
    ) -> AccessControl {
        let settings = source.listener().unwrap_or_default();
        AccessControl {
            trail: AccessTrail::new(places.trail()),
            limiter: Mutex::new(RateLimiter::new(settings.rate, settings.burst)),
            tokens: Mutex::new(None),
            desk: Mutex::new(CertificateDesk::new(places.certificates(), node.clone())),
            source,
            places,
            node,
            peers,
            owner,
        }
    }

    /// Who asks.
    pub(crate) async fn identify(
        self: &Arc<Self>,
        link: &Arc<ClientLink>,
        headers: &HeaderMap,
    ) -> Result<Caller, ReplyRefusal> {
        if let ClientLink::Peer { certificate, .. } = &**link {
            return self.of_peer(certificate, link);
        }
        let bearer = bearer(headers).map_err(unknown)?.map(str::to_owned);
        // What the kernel says of a socket needs no file to be read, so no other thread.
        if bearer.is_none() && matches!(**link, ClientLink::Unix { .. }) {
            return self.prove(link, None);
        }
        let (control, link) = (Arc::clone(self), Arc::clone(link));
        // Users are read from files.
        let known = tokio::task::spawn_blocking(move || control.prove(&link, bearer.as_deref())).await;
        known.unwrap_or_else(|_| Err(unknown("the proof of who asks could not be checked".to_owned())))
    }

    fn prove(&self, link: &ClientLink, bearer: Option<&str>) -> Result<Caller, ReplyRefusal> {
        if let Some(token) = bearer {
            return self.of_token(token, link);
        }
        match link {
            ClientLink::Unix { uid, .. } if *uid == 0 || *uid == self.owner => Ok(Caller {
                user: ROOT.to_owned(),
                grants: RoleGrants::root(),
                limit: None,
                credential: CallerCredential::Process,
                address: None,
            }),
            ClientLink::Unix { uid, .. } => Err(self.stranger(*uid)),
            ClientLink::Tls { certificate: Some(serial), .. } => self.of_certificate(serial, link),
            ClientLink::Peer { certificate, .. } => self.of_peer(certificate, link),
            ClientLink::Tls { certificate: None, .. } => Err(unknown(
                "nothing says who you are: present a client certificate, or a token (om daemon auth on the node makes one)"
                    .to_owned(),
            )),
        }
    }

    fn stranger(&self, uid: u32) -> ReplyRefusal {
        let owner = self.owner;
        let allowed = if owner == 0 { "only root may".to_owned() } else { format!("only root and uid {owner} may") };
        let message = format!("uid {uid} may not ask this daemon without a token: {allowed}");
        ReplyRefusal::of(RequestFailure { kind: FailureKind::Denied, message })
    }

    fn of_token(&self, token: &str, link: &ClientLink) -> Result<Caller, ReplyRefusal> {
        // Not verified here: it is a row of the store that only the route of a join reads, and `AccessRule::check`
        // keeps its bearer from all others.
        if token.starts_with(JOIN_TOKEN) {
            return Ok(Caller {
                user: "joiner".to_owned(),
                grants: RoleGrants::of_words([]),
                limit: None,
                credential: CallerCredential::Join { token: token.to_owned() },
                address: link.address(),
            });
        }
        // A block, so that the lock is not held while the user's files are read.
        let claims = {
            let mut tokens = self.tokens();
            let desk = self.token_desk(&mut tokens)?;
            let claims = desk.key.read(token, now()).map_err(|error| unknown(error.to_string()))?;
            if desk.register.is_revoked(&claims.jti) {
                return Err(unknown(format!("the token {} was revoked", claims.jti)));
            }
            claims
        };
        let grants = self.grants(&claims.sub)?;
        let words = claims.grant.iter().map(String::as_str);
        Ok(Caller {
            user: claims.sub.clone(),
            grants,
            limit: (!claims.grant.is_empty()).then(|| RoleGrants::of_words(words)),
            credential: CallerCredential::Token { id: claims.jti, ends_at: claims.exp },
            address: link.address(),
        })
    }

    /// The handshake has verified the certificate. Whose it is, and whether it still counts, the register knows.
    fn of_certificate(&self, serial: &str, link: &ClientLink) -> Result<Caller, ReplyRefusal> {
        let found = self.desk().find(serial).map_err(|error| broken(error.to_string()))?;
        let leaf = found.ok_or_else(|| unknown(format!("no certificate {serial} is known: see om daemon cert ls")))?;
        let IssuedLeaf { name, ends_at, .. } = leaf;
        if !leaf.is_user {
            return Err(unknown(format!("the certificate is of the node {name}, and of no user")));
        }
        if leaf.revoked {
            return Err(unknown(format!("the certificate {serial} of user {name} was revoked")));
        }
        // A connection may outlive the certificate that it was opened with.
        if ends_at <= now() {
            return Err(unknown(format!("the certificate of user {name} has expired")));
        }
        let credential = CallerCredential::Certificate { serial: serial.to_owned(), ends_at };
        Ok(Caller { grants: self.user_grants(&name)?, user: name, limit: None, credential, address: link.address() })
    }

    /// Another daemon of the cluster, which has no grants at all. A connection may outlive what was pinned when it was made.
    fn of_peer(&self, certificate: &[u8], link: &ClientLink) -> Result<Caller, ReplyRefusal> {
        let peers = self.peers.as_ref();
        let node = peers.and_then(|peers| peers.book().owner(certificate));
        let node = node.ok_or_else(|| unknown("the daemon that asks is of no node of this cluster".to_owned()))?;
        let (user, grants) = (format!("node {node}"), RoleGrants::default());
        Ok(Caller { user, grants, limit: None, credential: CallerCredential::Peer(node), address: link.address() })
    }

    /// What a user is granted here.
    pub(crate) fn grants(&self, user: &str) -> Result<RoleGrants, ReplyRefusal> {
        if user == ROOT { Ok(RoleGrants::root()) } else { self.user_grants(user) }
    }

    /// The grants of a user that a `usr` object names.
    fn user_grants(&self, user: &str) -> Result<RoleGrants, ReplyRefusal> {
        if user == ROOT {
            // A `usr` object of this name would let its user act under the name of root.
            return Err(unknown("no usr object is root: root asks over the unix socket, or by a token".to_owned()));
        }
        match self.source.user(user).map_err(broken)? {
            Some(words) => Ok(RoleGrants::of_words(words.iter().map(String::as_str))),
            None => Err(unknown(format!(
                "user {user} does not exist: om usr/{user} create --kw grant=guest:NAMESPACE makes it"
            ))),
        }
    }

    /// The authority of the certificates.
    pub(crate) fn desk(&self) -> MutexGuard<'_, CertificateDesk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The token of a request, if it has one.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, String> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) => Ok(Some(token.trim())),
        None => Err("the header Authorization is not understood: expected Bearer TOKEN".to_owned()),
    }
}

/// The refusal of a request whose user is not known.
pub(super) fn unknown(message: String) -> ReplyRefusal {
    ReplyRefusal {
        status: StatusCode::UNAUTHORIZED,
        retry_after: None,
        is_told: true,
        failure: failure(FailureKind::Denied, message),
    }
}

/// Whether the user may ask cannot be found out.
pub(super) fn broken(message: String) -> ReplyRefusal {
    ReplyRefusal::of(failure(FailureKind::Failed, message))
}

pub(super) fn failure(kind: FailureKind, message: impl Into<String>) -> RequestFailure {
    RequestFailure { kind, message: message.into() }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
