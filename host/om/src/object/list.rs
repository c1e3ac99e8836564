//! `ls` and `instance ls`. Nothing to list is no error.

use std::process::ExitCode;

use agent::ObjectFiles;
use agent::status::InstanceStatus;
use anyhow::Context;
use model::ObjectPath;
use model::select::StateFilter;
use model::status::State;
use serde_json::{Value, json};

use crate::command::ListArgs;
use crate::exit::{self, Failure, Outcome};
use crate::object::status;
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::{Session, print};
use crate::words::Target;

/// Which things are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Objects: one path per line.
    Objects,
    /// Their instances, with their states.
    Instances,
}

/// An object, and the status of its instance.
struct ListedObject {
    path: ObjectPath,
    instance: ListedStatus,
}

enum ListedStatus {
    Known(Box<InstanceStatus>),
    /// The object has no instance here.
    NotHere,
    /// The status is not known, or not needed.
    Unknown,
}

pub(crate) fn run(session: &Session, target: &Target, args: &ListArgs, of: Listed) -> Outcome {
    let filter: Option<StateFilter> =
        args.status.as_deref().map(str::parse).transpose().context("cannot read --status")?;
    // A list of paths takes no look at any object.
    let look = filter.is_some() || of == Listed::Instances || args.output.is_structured();
    let listed = session.select(target)?.into_iter().map(|path| {
        let instance = match look.then(|| status::instance(session, &path, false)) {
            Some(Ok(instance)) => ListedStatus::Known(Box::new(instance)),
            Some(Err(Failure { code: exit::NOT_HERE, .. })) => ListedStatus::NotHere,
            Some(Err(_)) | None => ListedStatus::Unknown,
        };
        ListedObject { path, instance }
    });
    let listed = listed.filter(|one| of == Listed::Objects || !matches!(one.instance, ListedStatus::NotHere));
    let listed: Vec<ListedObject> =
        listed.filter(|one| filter.is_none_or(|filter| filter.accepts(one.avail()))).collect();
    for stray in ObjectFiles::of(session.agent.home()).strays().unwrap_or_default() {
        session.note(&format!("{}: ignored, because no object has this name and place", stray.display()));
    }
    let value = Value::Array(listed.iter().map(|one| one.value(of)).collect());
    print(&structured(args.output.format, &value).unwrap_or_else(|| match of {
        Listed::Objects => listed.iter().map(|one| format!("{}\n", one.path)).collect(),
        Listed::Instances => {
            let rows: Vec<Vec<String>> = listed.iter().filter_map(ListedObject::row).collect();
            table(&["OBJECT", "NODE", "AVAIL", "OVERALL", "PROVISIONED", "FROZEN"], &rows)
        }
    }));
    Ok(ExitCode::SUCCESS)
}

impl ListedObject {
    fn seen(&self) -> Option<&InstanceStatus> {
        match &self.instance {
            ListedStatus::Known(instance) => Some(instance),
            ListedStatus::NotHere | ListedStatus::Unknown => None,
        }
    }

    /// What the sums are where there is nothing to sum up.
    fn unseen(&self) -> State {
        if matches!(self.instance, ListedStatus::NotHere) { State::Na } else { State::Undef }
    }

    fn avail(&self) -> State {
        self.seen().map_or(self.unseen(), |instance| instance.sums.avail)
    }

    fn value(&self, of: Listed) -> Value {
        let sums = self.seen().map(|instance| instance.sums);
        let mut value = json!({
            "path": self.path.to_string(),
            "namespace": self.path.namespace(),
            "kind": self.path.kind().as_str(),
            "name": self.path.name(),
            "avail": self.avail().as_str(),
            "overall": sums.map_or(self.unseen(), |sums| sums.overall).as_str(),
            "provisioned": sums.map_or(self.unseen().as_str(), |sums| sums.provisioned.as_str()),
        });
        if let (Listed::Instances, Some(instance)) = (of, self.seen()) {
            value["node"] = instance.node.as_str().into();
            value["frozen"] = instance.frozen.into();
        }
        value
    }

    fn row(&self) -> Option<Vec<String>> {
        let InstanceStatus { node, sums, frozen, .. } = self.seen()?;
        Some(vec![
            self.path.to_string(),
            node.to_string(),
            sums.avail.to_string(),
            sums.overall.to_string(),
            sums.provisioned.to_string(),
            frozen.to_string(),
        ])
    }
}
