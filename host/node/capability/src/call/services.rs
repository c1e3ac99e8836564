//! The parts of the host that all calls share.

use std::sync::Arc;

use crate::{AuditSink, DeviceOwners, ResourceQueues};

/// The parts of the host that all calls share.
pub struct HostServices {
    /// Takes the audit trail.
    pub audit: Arc<dyn AuditSink>,
    /// Whether calls that only read are audited too.
    pub audit_reads: bool,
    /// Knows which resource owns which device.
    pub owners: Arc<DeviceOwners>,
    /// Runs kernel calls that block.
    pub queues: ResourceQueues,
}
