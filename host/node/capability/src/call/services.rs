//! The parts of the host that all calls share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::holdings::Ledgers;
use crate::process::StartedPrograms;
use crate::volume::VolumeFacility;
use crate::{AuditSink, DeviceOwners, ResourceQueues};

/// The parts of the host that all calls share.
pub struct HostServices {
    /// Takes the audit trail.
    pub audit: Arc<dyn AuditSink>,
    /// Whether calls that only read are audited too. The site may change its mind while drivers run.
    pub audit_reads: Arc<AtomicBool>,
    /// Knows which resource owns which device.
    pub owners: Arc<DeviceOwners>,
    /// The ledgers of holdings.
    pub ledgers: Ledgers,
    /// The programs that were started.
    pub started: Arc<StartedPrograms>,
    /// Acts on volumes.
    pub volumes: Arc<dyn VolumeFacility>,
    /// Runs kernel calls that block.
    pub queues: ResourceQueues,
}
