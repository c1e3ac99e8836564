//! The status of an instance as a document, for the cache and for clients, and back.

use driver::ReportMessage;
use model::status::StatusSums;
use protocol::{
    ExposedValue, FaultDocument, InstanceDocument, InternalInstanceDocument, InternalResourceDocument, LogLevel,
    NoteDocument, OrphanDocument, ResourceDocument, StatusMessage,
};

use super::{InstanceStatus, OrphanHolding, OrphanReason, ResourceStatus, StatusNote};
use crate::state::ActionFailure;

impl From<&InstanceStatus> for InstanceDocument {
    fn from(status: &InstanceStatus) -> InstanceDocument {
        InstanceDocument {
            path: status.path.clone(),
            node: status.node.clone(),
            avail: status.sums.avail,
            overall: status.sums.overall,
            optional: status.sums.optional,
            provisioned: status.sums.provisioned,
            frozen: status.frozen,
            updated_at: status.seen_at,
            // The edge that publishes the document writes the sentences.
            notes: Vec::new(),
            orphans: status.orphans.iter().cloned().map(OrphanDocument::from).collect(),
            resources: status.resources.iter().map(ResourceDocument::from).collect(),
            internal: Some(InternalInstanceDocument {
                show_disabled: status.show_disabled,
                notes: status.notes.iter().map(note_document).collect(),
            }),
        }
    }
}

impl From<InstanceDocument> for InstanceStatus {
    fn from(document: InstanceDocument) -> InstanceStatus {
        InstanceStatus {
            show_disabled: document.show_disabled(),
            path: document.path,
            node: document.node,
            sums: StatusSums {
                avail: document.avail,
                overall: document.overall,
                optional: document.optional,
                provisioned: document.provisioned,
            },
            frozen: document.frozen,
            seen_at: document.updated_at,
            notes: document.internal.into_iter().flat_map(|internal| internal.notes).filter_map(note).collect(),
            orphans: document.orphans.into_iter().map(OrphanHolding::from).collect(),
            resources: document.resources.into_iter().map(ResourceStatus::from).collect(),
        }
    }
}

impl From<OrphanHolding> for OrphanDocument {
    fn from(OrphanHolding { rid, label, reason }: OrphanHolding) -> OrphanDocument {
        OrphanDocument { rid, label, reason: reason.as_str().to_owned() }
    }
}

impl From<OrphanDocument> for OrphanHolding {
    fn from(OrphanDocument { rid, label, reason }: OrphanDocument) -> OrphanHolding {
        OrphanHolding { rid, label, reason: OrphanReason::of(&reason) }
    }
}

impl From<&ResourceStatus> for ResourceDocument {
    fn from(resource: &ResourceStatus) -> ResourceDocument {
        let message =
            |message: &ReportMessage| StatusMessage { level: message.level.into(), message: message.text.clone() };
        // To a reader, a fault is one more message.
        let fault = resource.fault.as_ref();
        let fault_message = fault.map(|fault| StatusMessage { level: LogLevel::Error, message: fault.to_string() });
        let flags = resource.flags;
        ResourceDocument {
            rid: resource.rid.clone(),
            driver: resource.driver.clone(),
            status: resource.state,
            label: resource.label.clone(),
            log: resource.messages.iter().map(message).chain(fault_message).collect(),
            provisioned: flags.provisioned,
            monitor: flags.monitored,
            disable: flags.disabled,
            optional: flags.optional,
            encap: flags.encap,
            standby: flags.standby,
            subset: resource.subset.as_ref().map(|(name, _)| name.clone()),
            tags: resource.tags.clone(),
            exposes: named(&resource.exposes),
            uses: named(&resource.uses),
            internal: Some(InternalResourceDocument {
                parallel: resource.subset.as_ref().is_some_and(|(_, parallel)| *parallel),
                running: flags.running,
                restarts_left: flags.restarts_left,
                fault: fault.cloned().map(FaultDocument),
            }),
        }
    }
}

impl From<ResourceDocument> for ResourceStatus {
    fn from(document: ResourceDocument) -> ResourceStatus {
        let flags = document.flags();
        let internal = document.internal;
        let parallel = internal.as_ref().is_some_and(|internal| internal.parallel);
        let fault = internal.and_then(|internal| internal.fault).map(|FaultDocument(fault)| fault);
        let mut log = document.log;
        if fault.is_some() {
            // The last line is the fault itself, which the conversion to a document has added for readers.
            log.pop();
        }
        let message = |message: StatusMessage| ReportMessage { level: message.level.into(), text: message.message };
        ResourceStatus {
            rid: document.rid,
            driver: document.driver,
            subset: document.subset.map(|name| (name, parallel)),
            tags: document.tags,
            state: document.status,
            flags,
            label: document.label,
            messages: log.into_iter().map(message).collect(),
            exposes: pairs(document.exposes),
            uses: pairs(document.uses),
            fault,
        }
    }
}

fn note_document(note: &StatusNote) -> NoteDocument {
    match note {
        StatusNote::EarlierConfiguration { errors } => NoteDocument::EarlierConfiguration { errors: *errors },
        StatusNote::PartOfConfiguration { errors } => NoteDocument::PartOfConfiguration { errors: *errors },
        StatusNote::Interrupted { action } => NoteDocument::Interrupted { action: action.clone() },
        StatusNote::Failed { action, failure } => {
            let (how, at) = (failure.how.clone(), format!("{:.0}", failure.at));
            NoteDocument::Failed { action: action.clone(), how, at }
        }
    }
}

fn note(document: NoteDocument) -> Option<StatusNote> {
    Some(match document {
        NoteDocument::EarlierConfiguration { errors } => StatusNote::EarlierConfiguration { errors },
        NoteDocument::PartOfConfiguration { errors } => StatusNote::PartOfConfiguration { errors },
        NoteDocument::Interrupted { action } => StatusNote::Interrupted { action },
        NoteDocument::Failed { action, how, at } => {
            StatusNote::Failed { action, failure: ActionFailure { how, at: at.parse().ok()? } }
        }
    })
}

fn named(pairs: &[(String, String)]) -> Vec<ExposedValue> {
    pairs.iter().map(|(name, value)| ExposedValue { name: name.clone(), value: value.clone() }).collect()
}

fn pairs(values: Vec<ExposedValue>) -> Vec<(String, String)> {
    values.into_iter().map(|value| (value.name, value.value)).collect()
}
