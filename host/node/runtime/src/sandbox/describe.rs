//! Asks a component for its manifest, if its tools could not write a custom section: it is run once, when it is installed, with
//! no grants at all.

use std::sync::Arc;
use std::time::Duration;

use bindings::driver::DriverIndices;
use capability::{CallContext, CallInputs, ContextSetup, OUTPUT_BUDGET, ResourcePaths, Subject};
use driver::{ActionError, CallBounds, SilentLog, Verb};
use grant::{GrantContext, Grants, NoDeviceLedger, Policy};
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
        let component = self.link(&digest(component), component)?;
        let exports = DriverIndices::new(&component).map_err(LoadError::contract)?;
        let scope = nobody(host).ok_or_else(|| LoadError::Describe("it cannot be asked".to_owned()))?;
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

/// A scope without grants and without a resource, to call `describe`.
fn nobody(host: &Arc<capability::HostServices>) -> Option<CallContext> {
    let subject = Subject {
        object: "describe".parse::<ObjectPath>().ok()?,
        rid: "task#describe".parse::<Rid>().ok()?,
        driver: DriverName::new(Group::Task, "describe").ok()?,
        node: "localhost".parse::<NodeName>().ok()?,
    };
    let nowhere = || "/proc/self/nowhere".into();
    let paths =
        ResourcePaths { rundir: nowhere(), statedir: nowhere(), logdir: nowhere(), config: nowhere(), cgroup: None };
    let context = GrantContext {
        object: subject.object.clone(),
        rid: subject.rid.clone(),
        node: subject.node.clone(),
        rundir: paths.rundir.clone(),
        statedir: paths.statedir.clone(),
        config: paths.config.clone(),
        peers: Vec::new(),
    };
    let grants = Grants::bind(&[], &context, &[], &NoDeviceLedger, &Policy::nothing(), &Policy::nothing()).ok()?;
    Some(CallContext::new(ContextSetup {
        subject,
        verb: Verb::Validate,
        sid: String::new(),
        digest: String::new(),
        inputs: CallInputs::default(),
        bounds: CallBounds::within(PATIENCE),
        grants,
        paths,
        output_budget: OUTPUT_BUDGET,
        log: Arc::new(SilentLog),
        services: host.clone(),
    }))
}
