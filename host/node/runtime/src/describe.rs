//! Asking a component for its manifest. For components whose tools cannot write a custom section: it is run once, when it is
//! installed, with no grants at all.

use std::sync::Arc;
use std::time::Duration;

use capability::{OUTPUT_BUDGET, Paths, Scope, Setup};
use driver::{Call, CallBounds, Silent, Verb};
use grant::{Context, Grants, NoLedger, Policy};
use model::{DriverName, Group, NodeName, ObjectPath, Rid};

use crate::cache::{LoadError, digest};
use crate::runtime::Runtime;
use crate::store::{Fresh, Limits, fresh};

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl Runtime {
    /// What a component answers to `describe`. Compiles it; blocks meanwhile.
    pub async fn describe(&self, component: &[u8]) -> Result<String, LoadError> {
        let (pre, exports) = self.link(&digest(component), component)?;
        let scope = nobody(&self.shared().host).ok_or_else(|| LoadError::Describe("it cannot be asked".to_owned()))?;
        let _slot = self.shared().engine.slot().await;
        let Fresh { mut store, meter, .. } = fresh(self.shared().engine.get(), Arc::new(scope), Limits::default());
        let answer = async {
            let instance = pre.instantiate_async(&mut store).await?;
            let exports = exports.load(&mut store, &instance)?;
            exports.hostler_driver_manifest().call_describe(&mut store).await
        };
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(manifest)) => Ok(manifest),
            Ok(Err(error)) => Err(LoadError::Describe(meter.fault(&error).to_string())),
            Err(_) => Err(LoadError::Describe(format!("no answer within {PATIENCE:?}"))),
        }
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
    let context = Context {
        object: call.object.clone(),
        rid: call.rid.clone(),
        node: call.node.clone(),
        rundir: paths.rundir.clone(),
        statedir: paths.statedir.clone(),
        config: paths.config.clone(),
        peers: Vec::new(),
    };
    let grants = Grants::bind(&[], &context, &[], &NoLedger, &Policy::nothing(), &Policy::nothing()).ok()?;
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
