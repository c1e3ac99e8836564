//! One member of an engine: the connection to it, and whether it is proven.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::pace::within;
use crate::report::MemberReport;
use crate::rpc::etcdserverpb::kv_client::KvClient;
use crate::rpc::etcdserverpb::maintenance_client::MaintenanceClient;
use crate::rpc::etcdserverpb::{RangeRequest, StatusRequest};
use crate::{CallFault, EngineMark, EtcdSettings, EtcdTls, wire};

/// The largest answer that is read: what 128 compares find, or a page of a list, each entry being of the largest size.
const MAX_ANSWER_BYTES: usize = 512 << 20;

#[derive(Debug)]
pub(crate) struct EtcdMember {
    pub(crate) address: String,
    link: Mutex<MemberLink>,
}

#[derive(Debug, Default)]
struct MemberLink {
    channel: Option<Channel>,
    /// It has answered a linearizable read, is the engine that was seen before, and has not failed since.
    proven: bool,
}

impl EtcdMember {
    pub(crate) fn new(address: String) -> Self {
        Self { address, link: Mutex::default() }
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.link().proven
    }

    pub(crate) fn set_proven(&self) {
        self.link().proven = true;
    }

    /// What it does next is not counted on until it is proven again, on another connection.
    pub(crate) fn suspect(&self) {
        *self.link() = MemberLink::default();
    }

    pub(crate) async fn kv(&self, settings: &EtcdSettings) -> Result<KvClient<Channel>, CallFault> {
        Ok(KvClient::new(self.channel(settings).await?).max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    /// The connection, which is made when something is sent, and again when it was lost.
    pub(crate) async fn channel(&self, settings: &EtcdSettings) -> Result<Channel, CallFault> {
        if let Some(channel) = self.link().channel.clone() {
            return Ok(channel);
        }
        let channel = self.new_channel(settings).await?;
        // The lock was given up meanwhile: of two that were made, both callers use the first.
        Ok(self.link().channel.get_or_insert(channel).clone())
    }

    /// A connection of its own: what is not read on it holds up nothing else.
    pub(crate) async fn new_channel(&self, settings: &EtcdSettings) -> Result<Channel, CallFault> {
        let unsent = |error: &dyn std::error::Error| CallFault::NotSent(error.to_string());
        let limits = &settings.limits;
        let mut endpoint = Endpoint::from_shared(self.address.clone())
            .map_err(|error| unsent(&error))?
            .connect_timeout(limits.connect)
            .http2_keep_alive_interval(limits.silence)
            .keep_alive_timeout(limits.silence)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        if let Some(tls) = &settings.tls {
            endpoint = endpoint.tls_config(read_tls(tls).await?).map_err(|error| unsent(&error))?;
        }
        // A connection that fails shows in the call, whose error then says that nothing was sent.
        Ok(endpoint.connect_lazy())
    }

    /// What the member says of itself. The revision and the generation are those of a linearizable read.
    pub(crate) async fn examine(&self, settings: &EtcdSettings) -> Result<MemberReport, CallFault> {
        let mut report = self.describe(settings).await?;
        let limit = settings.limits.answer;
        let key =
            settings.generation.as_ref().map_or_else(|| bytes::Bytes::from_static(b"\0"), |reader| reader.key.clone());
        // Linearizable, as etcd reads by default: a member that is cut off cannot answer it. Any key will do, as
        // the header has the revision.
        let request = RangeRequest { key, ..RangeRequest::default() };
        let answer = within(limit, self.kv(settings).await?.range(request)).await?;
        let (cluster, revision) = wire::header(answer.header.as_ref())?;
        let value = answer.kvs.first().map(|pair| &pair.value[..]);
        let generation = settings.generation.as_ref().zip(value).and_then(|(reader, value)| (reader.read)(value));
        report.mark = EngineMark { cluster, generation: generation.unwrap_or(0), revision };
        Ok(report)
    }

    /// The same without the read: its revision may be old.
    pub(crate) async fn describe(&self, settings: &EtcdSettings) -> Result<MemberReport, CallFault> {
        let mut maintenance = MaintenanceClient::new(self.channel(settings).await?);
        let status = within(settings.limits.answer, maintenance.status(StatusRequest {})).await?;
        let senseless = || CallFault::Senseless("its status cannot be read");
        let report = MemberReport::of(&self.address, &status, 0).ok_or_else(senseless)?;
        if report.version.is_usable() { Ok(report) } else { Err(CallFault::TooOld(report.version)) }
    }

    fn link(&self) -> MutexGuard<'_, MemberLink> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_tls(tls: &EtcdTls) -> Result<ClientTlsConfig, CallFault> {
    let read = async |path: &std::path::Path| {
        tokio::fs::read(path).await.map_err(|error| CallFault::NotSent(format!("{}: {error}", path.display())))
    };
    let authority = Certificate::from_pem(read(&tls.authority).await?);
    let identity = Identity::from_pem(read(&tls.certificate).await?, read(&tls.key).await?);
    Ok(ClientTlsConfig::new().ca_certificate(authority).identity(identity))
}
