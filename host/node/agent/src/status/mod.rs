//! The status of an instance: what its drivers report, and what only the core knows (standby, flags, sums).

mod document;
mod last;
mod note;

pub use note::StatusNote;
pub(crate) use note::notes;

use driver::{DriverFault, ReportMessage, StatusReport};
use model::object::{Object, Resource};
use model::select::Selectable;
use model::status::{self, Provisioned, RemainingRestarts, ResourceFlags, State, StatusSums};
use model::{DriverName, NodeName, ObjectPath, Rid};

/// The status of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceStatus {
    pub path: ObjectPath,
    pub node: NodeName,
    /// What the states of the resources add up to.
    pub sums: StatusSums,
    /// Whether automatic actions leave the instance alone.
    pub frozen: bool,
    /// When the drivers were asked, in seconds since 1970.
    pub seen_at: i64,
    /// What the reader should know beyond the resources, such as an interrupted action or a configuration with errors.
    pub notes: Vec<StatusNote>,
    /// What is still held for sections that no driver is asked about, such as those that are gone from the configuration.
    pub orphans: Vec<OrphanHolding>,
    /// The resources, in the order of their ids.
    pub resources: Vec<ResourceStatus>,
    /// Whether disabled resources are shown to people.
    pub show_disabled: bool,
}

/// A thing that is still held for a section that no driver is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrphanHolding {
    /// The name of the section. Empty if that is not known.
    pub rid: String,
    /// What is held, for people.
    pub label: String,
    pub reason: OrphanReason,
}

/// Why no driver is asked about a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrphanReason {
    /// It is gone from the configuration.
    Gone,
    Disabled,
    /// It acts inside a container only.
    Encap,
    /// The record of what is held cannot be read, so that not even the section is known.
    Unverified,
}

impl OrphanReason {
    const ALL: [OrphanReason; 4] =
        [OrphanReason::Gone, OrphanReason::Disabled, OrphanReason::Encap, OrphanReason::Unverified];

    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            OrphanReason::Gone => "gone",
            OrphanReason::Disabled => "disabled",
            OrphanReason::Encap => "encap",
            OrphanReason::Unverified => "unverified",
        }
    }

    pub(crate) fn of(word: &str) -> OrphanReason {
        OrphanReason::ALL.into_iter().find(|reason| reason.as_str() == word).unwrap_or(OrphanReason::Gone)
    }
}

/// The status of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceStatus {
    pub rid: Rid,
    pub driver: DriverName,
    /// The subset, and whether its members act in parallel.
    pub subset: Option<(String, bool)>,
    pub tags: Vec<String>,
    /// The state, standby taken into account.
    pub state: State,
    /// The eight letters of a status line.
    pub flags: ResourceFlags,
    /// What the resource is, in a few words.
    pub label: String,
    /// Messages for the reader of the status.
    pub messages: Vec<ReportMessage>,
    /// What the resource offers to others, such as devices.
    pub exposes: Vec<(String, String)>,
    /// What the resource stands on.
    pub uses: Vec<(String, String)>,
    /// Why its driver could not answer, if it could not.
    pub fault: Option<DriverFault>,
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
    /// The status of a resource, from the report of its driver. Without a report the driver was not asked: the resource is
    /// disabled, or inside a container.
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
            subset: subset.map(|name| (name.to_string(), object.is_parallel(resource.rid.group(), name))),
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

    /// Why its driver was not asked, unless the operator wants no answer.
    pub(crate) fn unasked(&self) -> Option<OrphanReason> {
        match self.flags {
            ResourceFlags { disabled: true, .. } => Some(OrphanReason::Disabled),
            ResourceFlags { encap: true, .. } => Some(OrphanReason::Encap),
            _ => None,
        }
    }

    fn counted(&self) -> status::StatusInput {
        status::StatusInput {
            group: self.rid.group(),
            state: self.state,
            provisioned: self.flags.provisioned,
            optional: self.flags.optional,
            disabled: self.flags.disabled,
            complains: self.messages.iter().any(|message| message.level >= driver::LogSeverity::Warn),
            faulty: self.fault.is_some(),
        }
    }
}

/// Says why a driver was not asked, unless the operator chose so.
fn why_not_asked(resource: &Resource) -> Vec<ReportMessage> {
    let text = resource.encap.then(|| ReportMessage { level: driver::LogSeverity::Info, text: plan::ENCAP.to_owned() });
    text.into_iter().collect()
}

/// Adds up the states of the resources of an instance, and what it holds besides.
pub(crate) fn sums(resources: &[ResourceStatus], orphans: &[OrphanHolding]) -> StatusSums {
    let counted: Vec<_> = resources.iter().map(ResourceStatus::counted).collect();
    let sums = StatusSums::of(&counted);
    if orphans.is_empty() { sums } else { sums.beside_orphans() }
}

fn standby(standby: bool, state: State) -> State {
    // Only up and down have a standby form: a warning says more than that.
    match state {
        State::Up if standby => State::StdbyUp,
        State::Down if standby => State::StdbyDown,
        other => other,
    }
}

fn flags(object: &Object, resource: &Resource, provisioned: Provisioned) -> ResourceFlags {
    ResourceFlags {
        // Only a daemon knows which tasks run.
        running: false,
        monitored: resource.monitor,
        disabled: resource.disable || object.disable,
        optional: resource.optional,
        encap: resource.encap,
        provisioned,
        standby: resource.standby,
        restarts_left: if resource.restart == 0 {
            RemainingRestarts::None
        } else {
            RemainingRestarts::Left(resource.restart)
        },
    }
}
