//! Asking a component for its manifest. For components whose tools cannot write a custom section: it is run once, when it is
//! installed, with no grants at all.

use std::sync::Arc;
use std::time::Duration;

use bindings::driver::DriverIndices;
use capability::{OUTPUT_BUDGET, Paths, Scope, Setup};
use driver::{ActionError, Call, CallBounds, Silent, Verb};
use grant::{GrantContext, Grants, NoDeviceLedger, Policy};
use model::{DriverName, Group, NodeName, ObjectPath, Rid};

use super::{GuestCall, GuestInstance, Limits, LoadError, Sandbox, digest};

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl Sandbox {
    /// What a component answers to `describe`. Compiles it; blocks meanwhile.
    pub(crate) async fn describe(&self, component: &[u8], host: &Arc<capability::Host>) -> Result<String, LoadError> {
        let component = self.link(&digest(component), component)?;
        let exports = DriverIndices::new(&component).map_err(LoadError::contract)?;
        let scope = nobody(host).ok_or_else(|| LoadError::Describe("it cannot be asked".to_owned()))?;
        let call = GuestCall { component: &component, scope: &Arc::new(scope), limits: Limits::default() };
        let outcome = self
            .call(call, async |GuestInstance { store, instance }: GuestInstance<'_>| {
                let exports = exports.load(&mut *store, &instance)?;
                exports.hostler_driver_manifest().call_describe(store).await
            })
            .await;
        outcome.result.map_err(|cut_short| LoadError::Describe(ActionError::from(cut_short).to_string()))
    }
}

/// A scope that may do nothing, for nobody's sake.
fn nobody(host: &Arc<capability::Host>) -> Option<Scope> {
    let call = Call {
        object: "describe".parse::<ObjectPath>().ok()?,
        rid: "task#describe".parse::<Rid>().ok()?,
        driver: DriverName::new(Group::Task, "describe").ok()?,
        node: "localhost".parse::<NodeName>().ok()?,
        peers: Vec::new(),
        sid: String::new(),
        keywords: Vec::new(),
        secrets: Vec::new(),
        vars: Vec::new(),
    };
    let nowhere = || "/proc/self/nowhere".into();
    let paths = Paths { rundir: nowhere(), statedir: nowhere(), logdir: nowhere(), config: nowhere(), cgroup: None };
    let context = GrantContext {
        object: call.object.clone(),
        rid: call.rid.clone(),
        node: call.node.clone(),
        rundir: paths.rundir.clone(),
        statedir: paths.statedir.clone(),
        config: paths.config.clone(),
        peers: Vec::new(),
    };
    let grants = Grants::bind(&[], &context, &[], &NoDeviceLedger, &Policy::nothing(), &Policy::nothing()).ok()?;
    Some(Scope::new(Setup {
        call,
        bounds: CallBounds::within(PATIENCE),
        verb: Verb::Validate,
        digest: String::new(),
        grants,
        paths,
        output_budget: OUTPUT_BUDGET,
        argv: Vec::new(),
        log: Arc::new(Silent),
        host: host.clone(),
    }))
}
