//! Asks a component for its manifest, if its tools could not write a custom section: it is run once, when it is installed, with
//! no grants at all.

use std::sync::Arc;
use std::time::Duration;

use bindings::driver::DriverIndices;
use capability::holdings::LedgerPlaces;
use capability::{
    CallContext, CallInputs, CgroupSlice, ContextSetup, InstancePaths, OUTPUT_BUDGET, RecordPlace, ResourcePaths,
    Subject,
};
use driver::{ActionError, CallBounds, SilentLog, Verb};
use grant::Grants;
use model::{DriverName, Group, NodeName, ObjectPath, Rid};

use super::{CallLimits, GuestCall, GuestInstance, LoadError, Sandbox, digest};

/// How long the component may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl Sandbox {
    /// Calls `describe`. Compiles the component first, and blocks meanwhile.
    pub(crate) async fn describe(
        &self,
        component: &[u8],
        host: &Arc<capability::HostServices>,
    ) -> Result<String, LoadError> {
        let digest = digest(component);
        let component = self.link(&digest, component)?;
        let exports = DriverIndices::new(&component).map_err(LoadError::contract)?;
        let scope = without_resource(format!("sha256:{digest}"), host)
            .ok_or_else(|| LoadError::Describe("it cannot be asked".to_owned()))?;
        let call = GuestCall { component: &component, scope: &Arc::new(scope), limits: CallLimits::default() };
        let outcome = self
            .call(call, async |GuestInstance { store, instance }: GuestInstance<'_>| {
                let exports = exports.load(&mut *store, &instance)?;
                exports.hostler_driver_manifest().call_describe(store).await
            })
            .await;
        outcome.result.map_err(|cut_short| LoadError::Describe(ActionError::from(cut_short).to_string()))
    }
}

/// The scope of a component that works for no resource: it has no grants, and what it logs is dropped. The names and paths are
/// of nothing that exists. They stand in the audit record of a refused call, where the digest says which component made it; and
/// no process carries them, so a component that asks for its own processes finds none.
fn without_resource(digest: String, host: &Arc<capability::HostServices>) -> Option<CallContext> {
    let nowhere = || "/proc/self/nowhere".into();
    Some(CallContext::new(ContextSetup {
        subject: Arc::new(Subject {
            object: "describe".parse::<ObjectPath>().ok()?,
            rid: "task#describe".parse::<Rid>().ok()?,
            driver: DriverName::new(Group::Task, "describe").ok()?,
            node: "localhost".parse::<NodeName>().ok()?,
        }),
        // A verb that may only read: a component cannot keep state for a resource that does not exist.
        verb: Verb::Validate,
        sid: String::new(),
        digest: digest.into(),
        inputs: CallInputs::default(),
        bounds: CallBounds::within(PATIENCE),
        grants: Grants::none(),
        templates: None,
        paths: ResourcePaths {
            instance: Arc::new(InstancePaths {
                rundir: nowhere(),
                logdir: nowhere(),
                config: nowhere(),
                slice: Arc::new(CgroupSlice::at(None)),
                keeper: nowhere(),
                holdings: LedgerPlaces {
                    boot: nowhere(),
                    link: nowhere(),
                    persistent: nowhere(),
                    all: nowhere(),
                    all_persistent: nowhere(),
                },
            }),
            statedir: nowhere(),
            record: RecordPlace::new(nowhere(), &nowhere()),
        },
        output_budget: OUTPUT_BUDGET,
        log: Arc::new(SilentLog),
        services: host.clone(),
    }))
}
