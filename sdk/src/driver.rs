//! What an author implements.
//!
//! Every function is idempotent: told to reach a state that already is, it touches nothing and answers
//! [`Outcome::unchanged`]. A driver keeps nothing between two calls: each starts in a fresh sandbox.

use crate::{Attachment, Context, Error, Keywords, Outcome, Problem, Result, RunReport, Status, TargetReport};

/// A driver: the struct holds the keywords of the resource, the functions are its life.
///
/// Verbs that are not implemented do nothing, and the manifest does not list them.
pub trait Driver: Keywords {
    /// `<group>.<name>`, such as `disk.loop`.
    const NAME: &'static str;

    /// Other names, within the group, by which a section's `type` may call it.
    const ALIASES: &'static [&'static str] = &[];

    /// What it needs to be allowed, a grant line each (see `docs/grants.md`): `"block.loop = {kw:file}"`.
    const GRANTS: &'static [&'static str] = &[];

    /// Whether what `start` does survives a reboot of the node.
    const PERSISTENT: bool = false;

    /// The section of the resource of this driver that every object of several nodes has by itself: `sync#i0`. The host heeds
    /// it of the drivers that come with it alone.
    const IMPLICIT: Option<&'static str> = None;

    /// Checks the keywords beyond their types. May read, never change.
    fn validate(&self, context: &Context) -> Result<Vec<Problem>> {
        let _ = context;
        Ok(Vec::new())
    }

    /// How the resource is. May read, never change: capabilities that change something are denied here.
    fn status(&self, context: &Context) -> Result<Status>;

    /// Brings the resource up.
    fn start(&self, context: &Context) -> Result<Outcome> {
        let _ = context;
        Ok(Outcome::unchanged(""))
    }

    /// Brings the resource down: undoes what `start` does, also when only half of it was done, and no more.
    fn stop(&self, context: &Context) -> Result<Outcome> {
        let _ = context;
        Ok(Outcome::unchanged(""))
    }

    /// Makes what must exist before the first start. Never destroys data that it finds.
    fn provision(&self, context: &Context) -> Result<Outcome> {
        let _ = context;
        Ok(Outcome::unchanged(""))
    }

    /// Destroys what `provision` made.
    fn unprovision(&self, context: &Context) -> Result<Outcome> {
        let _ = context;
        Ok(Outcome::unchanged(""))
    }
}

/// A driver of resources that are run rather than started: `#[driver(task)]`.
pub trait Task: Driver {
    /// Runs once, to the end. An exit status other than 0 is a report, not an error.
    fn run(&self, context: &Context) -> Result<RunReport>;
}

/// A driver that copies data elsewhere: `#[driver(sync)]`.
pub trait Sync: Driver {
    /// Copies to one target, the name of a node or `local`. `verb` is `update` (what differs), `full` (everything), or a
    /// word of the driver's own; answer [`Error::Unsupported`] to one that it does not know.
    fn sync(&self, context: &Context, verb: &str, target: &str) -> Result<TargetReport>;

    /// Copies to all targets, one after the other; a target that fails does not keep the others from being tried.
    fn sync_all(&self, context: &Context, verb: &str, targets: &[String]) -> Result<Vec<TargetReport>> {
        each_target(targets, |target| self.sync(context, verb, target))
    }
}

/// Copies to one target after the other; one that fails does not keep the others from being tried, unless it would fail for
/// all of them.
pub fn each_target(
    targets: &[String],
    mut copy: impl FnMut(&str) -> Result<TargetReport>,
) -> Result<Vec<TargetReport>> {
    let mut reports = Vec::with_capacity(targets.len());
    for target in targets {
        reports.push(match copy(target) {
            Err(error @ (Error::Unsupported | Error::NeedsGrant(_) | Error::InvalidConfig(_))) => {
                return Err(error);
            }
            Err(error) => TargetReport::failed(target, error),
            Ok(report) => report,
        });
    }
    Ok(reports)
}

/// A driver of resources that can go on running on another node: `#[driver(migrate)]`.
pub trait Migrate: Driver {
    /// Moves the resource to the node `to`, one of the object's other ones, while it runs. What is not up here is left alone;
    /// after an error it runs here as before, and the text says so.
    fn migrate(&self, context: &Context, to: &str) -> Result<Outcome>;
}

/// A driver of resources that one can look into: `#[driver(console)]`.
///
/// The functions say what to connect to. The host checks it against the driver's grants and connects the operator's
/// terminal: no byte of it passes through the driver. What is not implemented is not supported.
pub trait Console: Driver {
    /// An interactive shell inside.
    fn enter(&self, context: &Context) -> Result<Attachment> {
        let _ = context;
        Err(Error::Unsupported)
    }

    /// A command inside.
    fn exec(&self, context: &Context, argv: &[String]) -> Result<Attachment> {
        let _ = (context, argv);
        Err(Error::Unsupported)
    }

    /// The output so far, and with `follow` the output to come. May read, never change.
    fn logs(&self, context: &Context, follow: bool) -> Result<Attachment> {
        let _ = (context, follow);
        Err(Error::Unsupported)
    }
}
