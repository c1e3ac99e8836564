//! A call of a capability that the grants do not cover: what it costs the host, whatever its argument.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use capability::holdings::{LedgerPlaces, Ledgers};
use capability::{
    CallContext, CallInputs, CapabilityError, CgroupSlice, ContextSetup, DeviceOwners, HostServices, InstancePaths,
    MemoryAudit, OUTPUT_BUDGET, RecordPlace, ResourcePaths, ResourceQueues, Subject, files,
};
use driver::{CallBounds, DriverCall, SilentLog, Verb};
use grant::Grants;

use crate::measure::{Sample, own_peak, timed};
use crate::table::{Table, Target};

/// How many calls are one run: a single one takes less time than a look at the clock.
const CALLS: u32 = 1000;

/// The longest path that is judged, one that is refused for its length, and a usual one.
pub(crate) fn calls(table: &mut Table) -> Result<()> {
    let target = Target::Within(Duration::from_micros(5));
    for (what, length) in [("a usual path", 24), ("a path of 4096 bytes", 4096), ("a path of 10 MB", 10 << 20)] {
        let path = format!("/{}", "x".repeat(length - 1));
        let context = context()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = || {
            for _ in 0..CALLS {
                let answer = runtime.block_on(files::stat(&context, &path));
                ensure!(matches!(answer, Err(CapabilityError::Denied(_) | CapabilityError::Invalid(_))), "{answer:?}");
            }
            Ok(())
        };
        let (times, memory) = own_peak(|| timed(50, work))?;
        let each = times.into_iter().map(|time| time / CALLS).collect();
        table.add(&format!("a denied call, {what}"), Sample::new(each, Some(memory)), &[], target);
    }
    Ok(())
}

/// A call of a driver that may do nothing.
fn context() -> Result<CallContext> {
    let call = DriverCall {
        object: "ns1/svc/web".parse()?,
        rid: "app#1".parse()?,
        driver: "app.none".parse()?,
        node: "n1".parse()?,
        peers: Vec::new(),
        sid: String::new(),
        keywords: Arc::default(),
        secrets: Vec::new(),
        limits: Arc::default(),
        vars: Arc::default(),
    };
    let instance = InstancePaths {
        rundir: "/nowhere".into(),
        config: "/nowhere".into(),
        logdir: "/nowhere".into(),
        slice: Arc::new(CgroupSlice::at(None)),
        keeper: "/nowhere".into(),
        holdings: LedgerPlaces::below(Path::new("/nowhere")),
    };
    let services = HostServices {
        audit: Arc::new(MemoryAudit::default()),
        audit_reads: Arc::default(),
        owners: Arc::new(DeviceOwners::default()),
        ledgers: Ledgers::default(),
        started: Arc::default(),
        volumes: Arc::new(capability::volume::NoVolumes),
        queues: ResourceQueues::default(),
    };
    Ok(CallContext::new(ContextSetup {
        grants: Grants::none(),
        templates: None,
        subject: Arc::new(Subject::from(&call)),
        sid: String::new(),
        inputs: CallInputs::from(&call),
        bounds: CallBounds::within(Duration::from_secs(3600)),
        verb: Verb::Status,
        digest: "".into(),
        paths: ResourcePaths {
            instance: Arc::new(instance),
            statedir: "/nowhere".into(),
            record: RecordPlace::new("/nowhere/record".into(), Path::new("/nowhere")),
        },
        output_budget: OUTPUT_BUDGET,
        log: Arc::new(SilentLog),
        services: Arc::new(services),
    }))
}
