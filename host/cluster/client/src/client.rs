//! The functions of the client, one for each route.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use model::{NodeName, ObjectPath};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use protocol::daemon::{
    AccessEntry, AccessQuery, CallerDocument, CertificateDocument, CertificateRequest, CertificateSummary,
    CommandRequest, DaemonUse, EvictRequest, JoinGrant, JoinRequest, NodeChange, NodeOrderRequest, ObjectExplanation,
    OrderDocument, OrderReceipt, OrderRequest, ProcessDocument, SOCKET_NAME, SeatGrant, SeatRequest, StatusDocument,
    StopRequest, TokenDocument, TokenRequest, TokenSummary, VersionDocument,
};
use serde::de::DeserializeOwned;

use crate::ask::{Question, ask, begin};
use crate::events::{EventStream, EventWish, TraceStream, TraceWish};
use crate::server::DaemonServer;
use crate::{ClientError, CommandStream, RemoteAccess};

/// So long may a daemon take to answer, unless it is asked for what takes its time.
const LIMIT: Duration = Duration::from_secs(10);

/// So long may it take to write an order down: one that is given while the daemon starts waits until it is ready.
const ORDER_LIMIT: Duration = Duration::from_secs(60);

/// So long may it take to ask all drivers again.
const LONG_LIMIT: Duration = Duration::from_secs(600);

/// A daemon, as its socket or its address is found. To make one is not to connect.
#[derive(Debug, Clone)]
pub struct DaemonClient {
    server: DaemonServer,
    limit: Duration,
}

impl DaemonClient {
    /// The daemon that listens on this socket.
    pub fn new(socket: impl Into<PathBuf>) -> DaemonClient {
        DaemonClient { server: DaemonServer::Socket(socket.into()), limit: LIMIT }
    }

    /// The daemon of another node, by TLS.
    pub fn remote(access: &RemoteAccess) -> Result<DaemonClient, ClientError> {
        Ok(DaemonClient { server: DaemonServer::remote(access)?, limit: LIMIT })
    }

    /// The daemon whose run directory this is.
    pub fn of_run_directory(run: &Path) -> DaemonClient {
        DaemonClient::new(run.join(SOCKET_NAME))
    }

    /// The same, which has to answer within this time.
    #[must_use]
    pub fn within(self, limit: Duration) -> DaemonClient {
        DaemonClient { limit, ..self }
    }

    /// The daemon that answers, and the versions of the API that it speaks.
    pub async fn version(&self) -> Result<VersionDocument, ClientError> {
        self.document(Question::get("/version")).await
    }

    /// All that the daemon knows.
    pub async fn status(&self) -> Result<StatusDocument, ClientError> {
        self.document(Question::get("/status")).await
    }

    /// Follows what happens.
    pub async fn events(&self, wish: &EventWish) -> Result<EventStream, ClientError> {
        let response = begin(&self.server, self.limit, Question::get(wish.address())).await?;
        Ok(EventStream::new(response.into_body()))
    }

    /// Follows what the daemon decides and does.
    pub async fn trace(&self, wish: &TraceWish) -> Result<TraceStream, ClientError> {
        let response = begin(&self.server, self.limit, Question::get(wish.address())).await?;
        Ok(EventStream::new(response.into_body()))
    }

    /// Orders something about an object.
    pub async fn order(&self, path: &ObjectPath, order: &OrderRequest) -> Result<OrderReceipt, ClientError> {
        let client = self.clone().within(self.limit.max(ORDER_LIMIT));
        client.document(Question::post(of_object(path, "order")).with(order)).await
    }

    /// What became of an order: of the last one about the object, or of the one with this id.
    pub async fn order_state(&self, path: &ObjectPath, id: Option<&str>) -> Result<OrderDocument, ClientError> {
        let id = id.map(|id| format!("?id={}", encoded(id))).unwrap_or_default();
        self.document(Question::get(of_object(path, "order") + &id)).await
    }

    /// Why an object is as it is.
    pub async fn explain(&self, path: &ObjectPath) -> Result<ObjectExplanation, ClientError> {
        self.document(Question::get(of_object(path, "explain"))).await
    }

    /// Reads the configurations again, and asks the drivers: of one object, or of all.
    pub async fn refresh(&self, path: Option<&ObjectPath>) -> Result<(), ClientError> {
        let address = path.map_or("/refresh".to_owned(), |path| of_object(path, "refresh"));
        ask(&self.server, LONG_LIMIT, Question::post(address)).await.map(drop)
    }

    /// What the daemon runs now.
    pub async fn processes(&self) -> Result<Vec<ProcessDocument>, ClientError> {
        self.document(Question::get("/processes")).await
    }

    /// Cancels something that the daemon runs.
    pub async fn kill(&self, id: u64) -> Result<(), ClientError> {
        self.answer(Question::delete(format!("/processes/{id}"))).await.map(drop)
    }

    /// Freezes or thaws the node. False if there was nothing to change.
    pub async fn freeze_node(&self, frozen: bool) -> Result<bool, ClientError> {
        let address = if frozen { "/node/freeze" } else { "/node/thaw" };
        let NodeChange { changed } = self.document(Question::post(address)).await?;
        Ok(changed)
    }

    /// Freezes, thaws or drains a node of the cluster. False if there was nothing to change.
    pub async fn order_node(&self, node: &NodeName, order: &NodeOrderRequest) -> Result<bool, ClientError> {
        let address = format!("/node/{}/order", encoded(node.as_str()));
        let NodeChange { changed } = self.document(Question::post(address).with(order)).await?;
        Ok(changed)
    }

    /// Takes the engine as it is, also if it is another one or older than what the daemon has seen.
    pub async fn accept_engine(&self) -> Result<(), ClientError> {
        self.answer(Question::post("/cluster/accept-engine")).await.map(drop)
    }

    /// Ends the life of a node, if it is as it was seen. False if it had ended.
    pub async fn evict(&self, node: &NodeName, seen: &EvictRequest) -> Result<bool, ClientError> {
        let address = format!("/node/{}/evict", encoded(node.as_str()));
        let NodeChange { changed } = self.document(Question::post(address).with(seen)).await?;
        Ok(changed)
    }

    /// Stops the daemon. The answer comes when what it runs has ended, just before its own end.
    pub async fn stop(&self, stop: StopRequest) -> Result<(), ClientError> {
        self.answer(Question::post("/daemon/stop").with(&stop)).await.map(drop)
    }

    /// Runs a local action, or a look, on a node of the cluster: its selector, action and options.
    pub async fn command(&self, node: &NodeName, words: &[String]) -> Result<CommandStream, ClientError> {
        let wanted = CommandRequest { user: None, words: words.to_vec() };
        let address = format!("/node/{}/command", encoded(node.as_str()));
        let response = begin(&self.server, self.limit, Question::post(address).with(&wanted)).await?;
        Ok(CommandStream::new(response.into_body()))
    }

    /// What the daemon's process uses of the machine.
    pub async fn usage(&self) -> Result<DaemonUse, ClientError> {
        self.document(Question::get("/daemon/usage")).await
    }

    /// Figures for Prometheus.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        Ok(String::from_utf8_lossy(&self.answer(Question::get("/metrics")).await?).into_owned())
    }

    /// The description of the API.
    pub async fn openapi(&self) -> Result<serde_json::Value, ClientError> {
        self.document(Question::get("/openapi.json")).await
    }

    /// Who asks, as the daemon knows this client.
    pub async fn whoami(&self) -> Result<CallerDocument, ClientError> {
        self.document(Question::get("/auth/whoami")).await
    }

    /// Makes a token.
    pub async fn make_token(&self, wanted: &TokenRequest) -> Result<TokenDocument, ClientError> {
        self.document(Question::post("/auth/token").with(wanted)).await
    }

    /// The tokens of the user who asks; for root, of all users.
    pub async fn tokens(&self) -> Result<Vec<TokenSummary>, ClientError> {
        self.document(Question::get("/auth/token")).await
    }

    /// Revokes a token.
    pub async fn revoke_token(&self, id: &str) -> Result<(), ClientError> {
        self.answer(Question::delete(format!("/auth/token/{}", encoded(id)))).await.map(drop)
    }

    /// The certificates that the node's authority has issued.
    pub async fn certificates(&self) -> Result<Vec<CertificateSummary>, ClientError> {
        self.document(Question::get("/certificate")).await
    }

    /// Signs the key of a user.
    pub async fn sign_certificate(&self, request: &CertificateRequest) -> Result<CertificateDocument, ClientError> {
        self.document(Question::post("/certificate").with(request)).await
    }

    /// Makes a new certificate for the daemon.
    pub async fn renew_certificate(&self) -> Result<(), ClientError> {
        self.answer(Question::post("/certificate/renew")).await.map(drop)
    }

    /// Revokes a certificate by its serial number, or all of a user by name.
    pub async fn revoke_certificate(&self, which: &str) -> Result<(), ClientError> {
        self.answer(Question::delete(format!("/certificate/{}", encoded(which)))).await.map(drop)
    }

    /// Who did what, and what was refused.
    pub async fn audit(&self, query: &AccessQuery) -> Result<Vec<AccessEntry>, ClientError> {
        let text = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("&{name}={}", encoded(value))).unwrap_or_default()
        };
        let (user, path) = (text("user", &query.user), text("path", &query.path));
        let address = format!("/audit?lines={}&denied={}{user}{path}", query.lines, query.denied);
        self.document(Question::get(address)).await
    }

    /// Asks to be let into the cluster. The token of the client is that of the cluster.
    pub async fn join_cluster(&self, request: &JoinRequest) -> Result<JoinGrant, ClientError> {
        self.document(Question::post("/cluster/join").with(request)).await
    }

    /// Asks for this node's member of the engine.
    pub async fn seat_node(&self, request: &SeatRequest) -> Result<SeatGrant, ClientError> {
        self.document(Question::post("/cluster/seat").with(request)).await
    }

    async fn answer(&self, question: Question) -> Result<Bytes, ClientError> {
        ask(&self.server, self.limit, question).await
    }

    async fn document<T: DeserializeOwned>(&self, question: Question) -> Result<T, ClientError> {
        let bytes = self.answer(question).await?;
        let unreadable = |error| ClientError::Answer(self.server.to_string(), Box::new(error));
        serde_json::from_slice(&bytes).map_err(unreadable)
    }
}

/// The address of something about an object: its path is one segment.
fn of_object(path: &ObjectPath, what: &str) -> String {
    format!("/object/{}/{what}", encoded(&path.to_string()))
}

pub(crate) fn encoded(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}
