//! `ls` and `instance ls`. Nothing to list is no error.

use std::process::ExitCode;

use agent::ObjectFiles;
use agent::status::InstanceStatus;
use anyhow::Context;
use model::ObjectPath;
use model::select::StateFilter;
use model::status::State;
use serde_json::{Value, json};

use super::command::ListArgs;
use super::exit::{self, Failure, Outcome};
use super::render::structured::structured;
use super::render::table::table;
use super::session::{Session, print};
use super::status;

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Objects: a path a line.
    Objects,
    /// Their instances, with how they are.
    Instances,
}

/// An object, and how its instance is.
struct Listed {
    path: ObjectPath,
    instance: Look,
}

enum Look {
    At(Box<InstanceStatus>),
    /// It has no instance here.
    NotHere,
    /// Nobody can tell, or nobody asked.
    Unknown,
}

pub(crate) fn run(session: &Session, selector: &str, args: &ListArgs, of: Of) -> Outcome {
    let filter: Option<StateFilter> =
        args.status.as_deref().map(str::parse).transpose().context("cannot read --status")?;
    // A list of paths takes no look at any object.
    let look = filter.is_some() || of == Of::Instances || args.output.is_structured();
    let listed = session.select(selector)?.into_iter().map(|path| {
        let instance = match look.then(|| status::instance(session, &path, false)) {
            Some(Ok(instance)) => Look::At(Box::new(instance)),
            Some(Err(Failure { code: exit::NOT_HERE, .. })) => Look::NotHere,
            Some(Err(_)) | None => Look::Unknown,
        };
        Listed { path, instance }
    });
    let listed = listed.filter(|one| of == Of::Objects || !matches!(one.instance, Look::NotHere));
    let listed: Vec<Listed> = listed.filter(|one| filter.is_none_or(|filter| filter.accepts(one.avail()))).collect();
    for stray in ObjectFiles::of(session.agent.home()).strays().unwrap_or_default() {
        session.note(&format!("{}: no object has this name and place: ignored", stray.display()));
    }
    let value = Value::Array(listed.iter().map(|one| one.value(of)).collect());
    print(&structured(args.output.format, &value).unwrap_or_else(|| match of {
        Of::Objects => listed.iter().map(|one| format!("{}\n", one.path)).collect(),
        Of::Instances => {
            let rows: Vec<Vec<String>> = listed.iter().filter_map(Listed::row).collect();
            table(&["OBJECT", "NODE", "AVAIL", "OVERALL", "PROVISIONED", "FROZEN"], &rows)
        }
    }));
    Ok(ExitCode::SUCCESS)
}

impl Listed {
    fn seen(&self) -> Option<&InstanceStatus> {
        match &self.instance {
            Look::At(instance) => Some(instance),
            Look::NotHere | Look::Unknown => None,
        }
    }

    /// What the sums are where there is nothing to sum up.
    fn unseen(&self) -> State {
        if matches!(self.instance, Look::NotHere) { State::Na } else { State::Undef }
    }

    fn avail(&self) -> State {
        self.seen().map_or(self.unseen(), |instance| instance.sums.avail)
    }

    fn value(&self, of: Of) -> Value {
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
        if let (Of::Instances, Some(instance)) = (of, self.seen()) {
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
