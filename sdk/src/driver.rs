//! The traits that a driver author implements.
//!
//! Every function is idempotent: if the resource already is in the requested state, the function touches nothing and
//! returns [`Outcome::unchanged`]. A driver keeps no memory between two calls: each call runs in a fresh sandbox.

use crate::{
    Attachment, Context, Error, FenceReport, Keywords, Outcome, Problem, Result, RunReport, Status, TargetReport,
};

/// A driver: the struct holds the keywords of the resource, the functions are its life cycle.
///
/// A verb that is not implemented does nothing, and the manifest does not list it.
pub trait Driver: Keywords {
    /// `<group>.<name>`, such as `disk.loop`.
    const NAME: &'static str;

    /// Other names, within the group, that a section's `type` may use for this driver.
    const ALIASES: &'static [&'static str] = &[];

    /// The permissions that it needs, one grant line each (see `docs/grants.md`): `"block.loop = {kw:file}"`.
    const GRANTS: &'static [&'static str] = &[];

    /// Whether what `start` does survives a reboot of the node.
    const PERSISTENT: bool = false;

    /// A section, such as `sync#i0`, that every object with several nodes gets without writing it. The host accepts this only
    /// from the drivers that are built into it.
    const IMPLICIT: Option<&'static str> = None;

    /// Checks the keywords beyond their types. It may read, but must not change anything.
    fn validate(&self, context: &Context) -> Result<Vec<Problem>> {
        // Here and below not `_context`, because authors see the name in the documentation and copy it.
        let _ = context;
        Ok(Vec::new())
    }

    /// Reports the state of the resource. It may read; capabilities that change something are denied here.
    fn status(&self, context: &Context) -> Result<Status>;

    /// Brings the resource up.
    fn start(&self, context: &Context) -> Result<Outcome> {
        let _ = context;
        Ok(Outcome::unchanged(""))
    }

    /// Brings the resource down: undoes what `start` does, even if only half of it was done, and nothing else.
    fn stop(&self, context: &Context) -> Result<Outcome> {
        let _ = context;
        Ok(Outcome::unchanged(""))
    }

    /// Creates what must exist before the first start. It never destroys data that it finds.
    fn provision(&self, context: &Context) -> Result<Outcome> {
        let _ = context;
        Ok(Outcome::unchanged(""))
    }

    /// Destroys what `provision` created.
    fn unprovision(&self, context: &Context) -> Result<Outcome> {
        let _ = context;
        Ok(Outcome::unchanged(""))
    }
}

/// A driver whose resources are run rather than started: `#[driver(task)]`.
pub trait Task: Driver {
    /// Runs the task once, to completion. An exit status other than 0 is a report, not an error.
    fn run(&self, context: &Context) -> Result<RunReport>;
}

/// A driver that copies data elsewhere: `#[driver(sync)]`.
pub trait Sync: Driver {
    /// Copies to one target, the name of a node or `local`. `verb` is `update` (what differs), `full` (everything), or a
    /// verb of the driver's own. For a verb that it does not know, the driver returns [`Error::Unsupported`].
    fn sync(&self, context: &Context, verb: &str, target: &str) -> Result<TargetReport>;

    /// Copies to all targets, one after the other. If one target fails, the others are still tried.
    fn sync_all(&self, context: &Context, verb: &str, targets: &[String]) -> Result<Vec<TargetReport>> {
        each_target(targets, |target| self.sync(context, verb, target))
    }
}

/// Calls `copy` for one target after the other. If one fails, the others are still tried, unless the error would be the
/// same for all of them.
pub fn each_target(
    targets: &[String],
    mut copy: impl FnMut(&str) -> Result<TargetReport>,
) -> Result<Vec<TargetReport>> {
    let mut reports = Vec::with_capacity(targets.len());
    for target in targets {
        reports.push(match copy(target) {
            // These errors do not depend on the target: trying the others would only repeat them.
            Err(error @ (Error::Unsupported | Error::NeedsGrant(_) | Error::InvalidConfig(_))) => {
                return Err(error);
            }
            Err(error) => TargetReport::failed(target, error),
            Ok(report) => report,
        });
    }
    Ok(reports)
}

/// A driver whose resources can move to another node while they run: `#[driver(migrate)]`.
pub trait Migrate: Driver {
    /// Moves the running resource to the node `to`, a peer of this node. A resource that is not up here is left alone. After
    /// an error the resource runs here as before, and the error text says so.
    fn migrate(&self, context: &Context, to: &str) -> Result<Outcome>;
}

/// A driver that ends nodes from outside: `#[driver(fence)]`. Its sections stand in the configuration of the cluster.
pub trait Fence: Driver {
    /// Ends the node, and returns when it has ended. A node that has ended already is a success. What is started elsewhere upon a
    /// [`FenceReport::proof`] runs twice if the node goes on.
    fn fence(&self, context: &Context, node: &str) -> Result<FenceReport>;

    /// Tries whether it could be ended, without ending it. [`Error::Unsupported`] if that cannot be tried.
    fn test(&self, context: &Context, node: &str) -> Result<FenceReport> {
        let _ = (context, node);
        Err(Error::Unsupported)
    }
}

/// A driver whose resources have consoles: `#[driver(console)]`.
///
/// The functions describe what to connect to. The host checks it against the driver's grants and connects the operator's
/// terminal; the data does not pass through the driver. Functions that are not implemented are reported as unsupported.
pub trait Console: Driver {
    /// An interactive shell inside the resource.
    fn enter(&self, context: &Context) -> Result<Attachment> {
        let _ = context;
        Err(Error::Unsupported)
    }

    /// A command that runs inside the resource.
    fn exec(&self, context: &Context, argv: &[String]) -> Result<Attachment> {
        let _ = (context, argv);
        Err(Error::Unsupported)
    }

    /// The output so far, and with `follow` also the output to come. It may read, but must not change anything.
    fn logs(&self, context: &Context, follow: bool) -> Result<Attachment> {
        let _ = (context, follow);
        Err(Error::Unsupported)
    }
}
