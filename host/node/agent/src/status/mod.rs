//! How an instance is: what its drivers report, with what only the core knows (standby, flags, sums).

mod note;

pub use note::StatusNote;
pub(crate) use note::notes;

use driver::{Fault, Message, StatusReport};
use model::config::{Object, Resource};
use model::select::Selectable;
use model::status::{self, Flags, InstanceStatus as StatusSums, Provisioned, RestartsLeft, State};
use model::{DriverName, NodeName, ObjectPath, Rid};

/// How an instance is.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceStatus {
    /// The object.
    pub path: ObjectPath,
    /// The node.
    pub node: NodeName,
    /// The sums.
    pub sums: StatusSums,
    /// Whether no automatic action may touch it.
    pub frozen: bool,
    /// How many times wall clocks had ticked a second since 1970 when this was seen.
    pub seen_at: i64,
    /// What the reader should know beyond the resources: a journal that is not closed, a configuration that is broken.
    pub notes: Vec<StatusNote>,
    /// The resources, in the order of their ids.
    pub resources: Vec<ResourceStatus>,
    /// Whether disabled resources are shown to people.
    pub show_disabled: bool,
}

/// How a resource is.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceStatus {
    /// Its id.
    pub rid: Rid,
    /// Its driver.
    pub driver: DriverName,
    /// Its subset, and whether its members act at once.
    pub subset: Option<(String, bool)>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its state, standby taken into account.
    pub state: State,
    /// The eight letters.
    pub flags: Flags,
    /// What it is, in a few words.
    pub label: String,
    /// For whoever reads the status.
    pub messages: Vec<Message>,
    /// What it offers.
    pub exposes: Vec<(String, String)>,
    /// What it stands on.
    pub uses: Vec<(String, String)>,
    /// Why its driver could not answer.
    pub fault: Option<Fault>,
}

impl Selectable for ResourceStatus {
    fn rid(&self) -> &Rid {
        &self.rid
    }
    fn driver(&self) -> &DriverName {
        &self.driver
    }
    fn tags(&self) -> &[String] {
        &self.tags
    }
    fn subset(&self) -> Option<&str> {
        self.subset.as_ref().map(|(name, _)| name.as_str())
    }
}

impl ResourceStatus {
    /// What a driver reported of a resource. None where it was not asked: the resource is disabled, or inside a container.
    pub(crate) fn of(object: &Object, resource: &Resource, report: Option<StatusReport>) -> ResourceStatus {
        let report = report.unwrap_or_else(|| StatusReport {
            state: State::Na,
            provisioned: Provisioned::Na,
            label: resource.driver.to_string(),
            messages: why_not_asked(resource),
            exposes: Vec::new(),
            uses: Vec::new(),
            fault: None,
        });
        let subset = resource.subset.as_ref();
        ResourceStatus {
            rid: resource.rid.clone(),
            driver: resource.driver.clone(),
            subset: subset.map(|name| (name.clone(), object.is_parallel(resource.rid.group(), name))),
            tags: resource.tags.clone(),
            state: standby(resource.standby, report.state),
            flags: flags(object, resource, report.provisioned),
            label: report.label,
            messages: report.messages,
            exposes: report.exposes,
            uses: report.uses,
            fault: report.fault,
        }
    }

    /// The block devices that the resource offers.
    pub fn devices(&self) -> Vec<String> {
        self.exposes.iter().filter(|(name, _)| name == "device").map(|(_, device)| device.clone()).collect()
    }

    fn counted(&self) -> status::ResourceStatus {
        status::ResourceStatus {
            group: self.rid.group(),
            state: self.state,
            provisioned: self.flags.provisioned,
            optional: self.flags.optional,
            disabled: self.flags.disabled,
            complains: self.messages.iter().any(|message| message.level >= driver::Level::Warn),
            faulty: self.fault.is_some(),
        }
    }
}

/// What the reader should know of a resource whose driver was not asked, where it is no choice of theirs.
fn why_not_asked(resource: &Resource) -> Vec<Message> {
    let text = resource.encap.then(|| Message { level: driver::Level::Info, text: plan::ENCAP.to_owned() });
    text.into_iter().collect()
}

/// What the resources of an instance add up to.
pub(crate) fn sums(resources: &[ResourceStatus]) -> StatusSums {
    let counted: Vec<_> = resources.iter().map(ResourceStatus::counted).collect();
    StatusSums::of(&counted)
}

fn standby(standby: bool, state: State) -> State {
    match state {
        State::Up if standby => State::StdbyUp,
        State::Down if standby => State::StdbyDown,
        other => other,
    }
}

fn flags(object: &Object, resource: &Resource, provisioned: Provisioned) -> Flags {
    Flags {
        running: false,
        monitored: resource.monitor,
        disabled: resource.disable || object.disable,
        optional: resource.optional,
        encap: resource.encap,
        provisioned,
        standby: resource.standby,
        restarts_left: if resource.restart == 0 { RestartsLeft::None } else { RestartsLeft::Left(resource.restart) },
    }
}
