//! `ls` and `instance ls`. It is not an error if there is nothing to list.

use std::process::ExitCode;

use anyhow::Context;
use model::ObjectPath;
use model::select::StateFilter;
use model::status::{Provisioned, State};
use protocol::{FailureKind, InstanceDocument, ObjectList, ObjectSummary};

use crate::command::{ListArgs, OutputFormat};
use crate::exit::{Failure, Outcome};
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::print;
use crate::words::Target;

/// The kind of things that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Objects: one path per line.
    Objects,
    /// Their instances, with their states.
    Instances,
}

/// An object, and the status of its instance.
struct ListedObject {
    path: ObjectPath,
    status: ListedStatus,
}

enum ListedStatus {
    Known(Box<InstanceDocument>),
    /// The object has no instance here.
    NotHere,
    /// The status is not known, or not needed.
    Unknown,
}

pub(crate) fn run(session: &Session, target: &Target, args: &ListArgs, kind: ListKind) -> Outcome {
    let filter: Option<StateFilter> =
        args.status.as_deref().map(str::parse).transpose().context("cannot read --status")?;
    // A list of paths needs no status.
    let needs_status = filter.is_some() || kind == ListKind::Instances || args.output.is_structured();
    let ObjectList { objects: paths, strays } = session.list(target)?;
    // Without a refresh: a list of many objects should not have to wait for all of their drivers.
    let statuses = if needs_status { session.backend.statuses(&paths, false) } else { Vec::new() };
    // Endless, so that the pairs below lose no path where no status was asked for.
    let statuses = statuses.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
    let listed = paths.into_iter().zip(statuses).map(|(path, status)| {
        let status = match status {
            Some(Ok(instance)) => ListedStatus::Known(Box::new(instance)),
            Some(Err(Failure { kind: FailureKind::NotHere, .. })) => ListedStatus::NotHere,
            // One object that cannot be looked at must not hide the others.
            Some(Err(_)) | None => ListedStatus::Unknown,
        };
        ListedObject { path, status }
    });
    let listed = listed.filter(|one| kind == ListKind::Objects || !matches!(one.status, ListedStatus::NotHere));
    let listed: Vec<ListedObject> =
        listed.filter(|one| filter.is_none_or(|filter| filter.accepts(one.summary(kind).avail))).collect();
    // A file with a typing mistake in its name would otherwise just be missing from the list.
    for stray in strays {
        session.note(&format!("{}: ignored, because no object has this name and place", stray.display()));
    }
    print(&rendered(&listed, args.output.format, kind));
    Ok(ExitCode::SUCCESS)
}

fn rendered(listed: &[ListedObject], format: OutputFormat, kind: ListKind) -> String {
    let summaries = || listed.iter().map(|one| serde_json::to_value(one.summary(kind)).unwrap_or_default());
    // Made for programs only: for a thousand objects it takes longer than to find them.
    let structured = format.is_structured().then(|| structured(format, &summaries().collect())).flatten();
    structured.unwrap_or_else(|| match kind {
        ListKind::Objects => listed.iter().map(|one| format!("{}\n", one.path)).collect(),
        ListKind::Instances => {
            let rows: Vec<Vec<String>> = listed.iter().filter_map(ListedObject::row).collect();
            table(&["OBJECT", "NODE", "AVAIL", "OVERALL", "PROVISIONED", "FROZEN"], &rows)
        }
    })
}

impl ListedObject {
    fn summary(&self, kind: ListKind) -> ObjectSummary {
        match &self.status {
            ListedStatus::Known(instance) => ObjectSummary::of(instance, kind == ListKind::Instances),
            ListedStatus::NotHere => ObjectSummary::without_status(&self.path, State::Na, Provisioned::Na),
            ListedStatus::Unknown => ObjectSummary::without_status(&self.path, State::Undef, Provisioned::Undef),
        }
    }

    fn row(&self) -> Option<Vec<String>> {
        let ListedStatus::Known(instance) = &self.status else { return None };
        Some(vec![
            self.path.to_string(),
            instance.node.to_string(),
            instance.avail.to_string(),
            instance.overall.to_string(),
            instance.provisioned.to_string(),
            instance.frozen.to_string(),
        ])
    }
}
