//! What a daemon tells and is asked: its status, orders, events, and why an object is as it is.
//!
//! The shapes follow OpenSVC 3's `daemon status`, `daemon events` and orchestration ids where it has them, so that scripts
//! written for it keep working. Times are seconds since 1970, with a fraction where order within a second matters.

mod access;
mod cluster;
mod event;
mod explain;
mod order;
mod peer;
mod process;
mod status;
mod trace;
mod version;

pub use access::{
    AccessEntry, AccessQuery, CallerDocument, CertificateDocument, CertificateRequest, CertificateSummary,
    TokenDocument, TokenRequest, TokenSummary,
};
pub use cluster::{
    AuthorityGrant, ClusterNodeLine, EngineMemberLine, EngineReport, EvictRequest, FenceDocument, FenceTryDocument,
    JoinGrant, JoinRequest, SeatGrant, SeatRequest,
};
pub use event::{DaemonEvent, EventKind};
pub use explain::{ObjectExplanation, ObstacleDocument, ReasonDocument, RestartDocument};
pub use order::{OrderCommand, OrderDocument, OrderReceipt, OrderRequest, OrderState, OrderStep};
pub use peer::{CommandOutput, CommandRequest, PingAnswer, PingRequest, PromiseQuestion};
pub use process::{DaemonUse, ProcessDocument};
pub use status::{
    ClusterDocument, ClusterNode, ClusterObject, ClusterSummary, DaemonDocument, DaemonThread, EngineDocument,
    EngineOutage, InstanceConfig, InstanceMonitor, InstanceSummary, NodeDaemon, NodeMonitor, NodeStats, NodeSummary,
    StatusDocument,
};
pub use trace::{TraceEntry, TraceKind, TraceMatter};
pub use version::{
    API_HEADER, API_OLDEST, API_VERSION, NodeChange, NodeOrder, NodeOrderRequest, SOCKET_NAME, StopRequest,
    VersionDocument,
};
