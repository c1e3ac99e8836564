//! `wit/volume.wit`: volumes, which are objects of their own. The agent acts on them; here is what a driver may ask of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use driver::{BoxFuture, CancelSignal, KeywordValue, LogSink, ReportMessage};
use grant::op::{ChangeVolume, SeeVolume};
use model::status::{Provisioned, State};
use model::{ObjectKind, ObjectPath};

use crate::{CallContext, CapabilityError, Effect, Subject};

/// A call about a volume, as the agent needs to know it.
#[derive(Clone)]
pub struct VolumeCall {
    /// The name of the volume, in the namespace of the object that asks.
    pub name: String,
    /// The resource that asks.
    pub subject: Subject,
    /// The session of its action.
    pub sid: String,
    /// The evaluated keywords of the resource.
    pub keywords: Arc<Vec<KeywordValue>>,
    /// How long it may take.
    pub remaining: Duration,
    /// Gives it up.
    pub cancel: CancelSignal,
    /// Takes the lines of the action that asks.
    pub log: Arc<dyn LogSink>,
    vars: Arc<Vec<(String, String)>>,
}

impl VolumeCall {
    fn of(context: &CallContext, name: &str) -> VolumeCall {
        VolumeCall {
            name: name.to_owned(),
            subject: context.subject().clone(),
            sid: context.sid().to_owned(),
            keywords: context.shared_keywords(),
            remaining: context.remaining(),
            cancel: context.bounds().cancel.clone(),
            log: context.log_sink(),
            vars: context.shared_vars(),
        }
    }

    /// Whether an option of the action is on: `force`, `confirm`, `adopt`, `leader`.
    pub fn is_on(&self, option: &str) -> bool {
        // Among the host's own facts: a driver cannot say by itself that the operator confirmed something.
        self.vars.iter().any(|(name, value)| name == option && value == "true")
    }

    /// The values of a keyword of the resource that the configuration says.
    pub fn values(&self, keyword: &str) -> &[String] {
        let found = self.keywords.iter().find(|known| known.name == keyword && known.provenance.binds());
        found.map_or(&[], |found| &found.values)
    }

    /// The object of the volume.
    pub fn volume(&self) -> Result<ObjectPath, CapabilityError> {
        let namespace = self.subject.object.namespace();
        ObjectPath::new(namespace, ObjectKind::Vol, &self.name)
            .map_err(|error| CapabilityError::Invalid(error.to_string()))
    }

    /// The resource that asks, in words.
    pub fn asker(&self) -> String {
        format!("{} {}", self.subject.object, self.subject.rid)
    }
}

/// What a volume is at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeReport {
    /// The state of its instance on this node.
    pub state: State,
    /// Whether it is provisioned.
    pub provisioned: Provisioned,
    /// For the reader of the status.
    pub messages: Vec<ReportMessage>,
    /// Where it is mounted, while it is.
    pub mount_point: Option<PathBuf>,
    /// The devices that it offers.
    pub devices: Vec<String>,
    /// Whether the resource that asks uses it.
    pub is_used: bool,
    /// The other resources of this node that use it, in words.
    pub users: Vec<String>,
}

/// What is done with a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeAction {
    /// Its instance is provisioned.
    Provision,
    /// The resource uses it from now on, and it is started.
    Start,
    /// The resource does not use it any more, and it is stopped if it was the last one.
    Stop,
    /// It is unprovisioned and deleted, if it was made for the resource.
    Unprovision,
}

/// What was done: in words, and whether anything was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeChange {
    /// Empty if there is nothing to say.
    pub text: String,
    /// Whether anything was changed.
    pub changed: bool,
}

/// The result of a call, when it is there.
pub type VolumeAnswer<'a, T> = BoxFuture<'a, Result<T, CapabilityError>>;

/// Acts on the volumes of this node. The agent implements it.
pub trait VolumeFacility: Send + Sync {
    /// The volume, if there is one of that name.
    fn look(&self, call: VolumeCall) -> VolumeAnswer<'_, Option<VolumeReport>>;

    /// Makes it from a pool, unless it exists. False if it does.
    fn make(&self, call: VolumeCall, request: Vec<(String, String)>) -> VolumeAnswer<'_, bool>;

    /// Does something with it.
    fn act(&self, call: VolumeCall, action: VolumeAction) -> VolumeAnswer<'_, VolumeChange>;

    /// Writes what the keywords of the resource name below its mount point. Returns the paths of what was written.
    fn install(&self, call: VolumeCall) -> VolumeAnswer<'_, Vec<String>>;
}

/// A process without volumes.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoVolumes;

impl VolumeFacility for NoVolumes {
    fn look(&self, _: VolumeCall) -> VolumeAnswer<'_, Option<VolumeReport>> {
        Box::pin(async { Ok(None) })
    }

    fn make(&self, call: VolumeCall, _: Vec<(String, String)>) -> VolumeAnswer<'_, bool> {
        Box::pin(async move { Err(absent(call)) })
    }

    fn act(&self, call: VolumeCall, _: VolumeAction) -> VolumeAnswer<'_, VolumeChange> {
        Box::pin(async move { Err(absent(call)) })
    }

    fn install(&self, call: VolumeCall) -> VolumeAnswer<'_, Vec<String>> {
        Box::pin(async move { Err(absent(call)) })
    }
}

fn absent(call: VolumeCall) -> CapabilityError {
    CapabilityError::NotFound(format!("the volume {}", call.name))
}

/// Looks at a volume. What it offers is the resource's from now on, so that other resources of the object may name it.
pub async fn look(context: &CallContext, name: &str) -> Result<Option<VolumeReport>, CapabilityError> {
    refuse_nesting(context)?;
    let admitted = context.admit(SeeVolume { name: name.to_owned() })?;
    let (call, facility) = (VolumeCall::of(context, name), Arc::clone(&context.services().volumes));
    let lender = call.volume();
    // A look changes nothing, so that it may be dropped at the deadline. What changes something heeds the deadline by
    // itself, and is waited for until it has rolled back.
    let seen = admitted.waiting(|_| async move { facility.look(call).await.map(Effect::Nothing) }).await?;
    // Only of a volume that this resource has started: otherwise any object could name the devices
    // of all volumes of its namespace.
    if let Some(seen) = seen.as_ref().filter(|seen| seen.is_used) {
        let lender = lender?;
        seen.devices.iter().for_each(|device| context.borrow_device(&lender, device));
        seen.mount_point.iter().for_each(|place| context.give_place(&place.to_string_lossy()));
    }
    Ok(seen)
}

/// Makes a volume from a pool.
pub async fn make(context: &CallContext, name: &str, request: Vec<(String, String)>) -> Result<bool, CapabilityError> {
    refuse_nesting(context)?;
    let admitted = context.admit(ChangeVolume { name: name.to_owned() })?;
    let (call, facility) = (VolumeCall::of(context, name), Arc::clone(&context.services().volumes));
    admitted.until_its_end(|_| async move { facility.make(call, request).await.map(Effect::whether) }).await
}

/// Does something with a volume. It ends by itself when the action is given up.
pub async fn act(context: &CallContext, name: &str, action: VolumeAction) -> Result<String, CapabilityError> {
    refuse_nesting(context)?;
    let admitted = context.admit(ChangeVolume { name: name.to_owned() })?;
    let (call, facility) = (VolumeCall::of(context, name), Arc::clone(&context.services().volumes));
    let done = admitted.until_its_end(|_| async move {
        let VolumeChange { text, changed } = facility.act(call, action).await?;
        Ok(Effect::of(changed, text))
    });
    done.await
}

/// The keywords that say what is written into a volume, to whom it belongs, and with which mode: for the audit.
const WRITTEN_BY: [&str; 7] = ["configs", "secrets", "directories", "user", "group", "perm", "dirperm"];

/// Writes into a volume what the keywords of the resource name.
pub async fn install(context: &CallContext, name: &str) -> Result<Vec<String>, CapabilityError> {
    refuse_nesting(context)?;
    let (call, facility) = (VolumeCall::of(context, name), Arc::clone(&context.services().volumes));
    let said = WRITTEN_BY.iter().map(|keyword| (*keyword, call.values(keyword).join(" ")));
    let said = said.filter(|(_, values)| !values.is_empty()).collect();
    let admitted = context.admit(ChangeVolume { name: name.to_owned() })?.noting_all(said);
    let installed = admitted.until_its_end(|_| async move {
        let written = facility.install(call).await?;
        Ok(Effect::of(!written.is_empty(), written))
    });
    installed.await
}

/// Two volumes that use each other would wait for each other's locks.
fn refuse_nesting(context: &CallContext) -> Result<(), CapabilityError> {
    let object: &ObjectPath = &context.subject().object;
    match object.kind() {
        ObjectKind::Vol => Err(CapabilityError::Invalid(format!(
            "{object} is a volume, and a volume uses no volumes: write its disks and file systems"
        ))),
        _ => Ok(()),
    }
}
