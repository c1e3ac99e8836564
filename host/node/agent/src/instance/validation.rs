//! Validates a configuration: first by the object model, then by the drivers, which check their own keywords in each section
//! that has no error so far. A driver has no right to change anything while it validates.

use std::path::Path;
use std::sync::Arc;

use config::Document;
use config::diagnostic::{Diagnostic, Span};
use driver::{ActionError, CallBounds, KeywordValue, SilentLog};
use exec::blocking;
use model::Verb;
use model::keyword::ValueKind;
use model::object::VerbTimeouts;
use model::object::{Object, Resource};
use model::{ObjectPath, Rid};
use protocol::ConfigTarget;

use super::call::CallDraft;
use super::{Instance, RejectedKeyword};
use crate::Agent;
use crate::datastore::variables::MissingReference;
use crate::snapshot::Snapshot;
use crate::timetable;

/// Where a text that is validated may be in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConfigScope {
    /// A file that nothing uses yet.
    AnyNode,
    /// A configuration of this node.
    ThisNode,
}

impl Agent {
    /// The problems of an object that had this text for its configuration.
    pub async fn diagnose(&self, path: &ObjectPath, text: &str) -> Vec<Diagnostic> {
        let problems = self.problems_of(path, text, ConfigScope::AnyNode).await;
        self.covered_problems(&ConfigTarget::Object(path.clone()), text, problems)
    }

    /// The same of a text that is to be in force on this node: also what the node lacks for it.
    pub(crate) async fn diagnose_here(&self, path: &ObjectPath, text: &str) -> Vec<Diagnostic> {
        let problems = self.problems_of(path, text, ConfigScope::ThisNode).await;
        self.covered_problems(&ConfigTarget::Object(path.clone()), text, problems)
    }

    async fn problems_of(&self, path: &ObjectPath, text: &str, scope: ConfigScope) -> Vec<Diagnostic> {
        let snapshot = Snapshot::of_text(self, path, text).await;
        let mut diagnostics = config::validate(path, text, &snapshot.node, &*snapshot.available);
        // Drivers get typed keywords, and a section with errors has none for them: it is not in the object.
        let Ok(object) = snapshot.object() else { return diagnostics };
        // Not by the object model, which reads no file: the zones are files.
        if timetable::zone_of(object).is_err() {
            let span = entry_of(&snapshot.configuration.document, "DEFAULT", "timezone").unwrap_or_default();
            diagnostics.push(Diagnostic::error(
                span,
                "timezone is not a time zone",
                "expected a name such as Europe/Paris",
            ));
        }
        let instance = Instance::new(self, object, &snapshot);
        let locate = |rid: &Rid, keyword: Option<&str>| located(&snapshot.configuration.document, object, rid, keyword);
        for RejectedKeyword { rid, keyword, text } in instance.refused(&object.resources).await {
            let named = keyword.as_ref().map_or(rid.to_string(), |keyword| format!("{rid}.{keyword}"));
            let span = locate(&rid, keyword.as_deref());
            diagnostics.push(Diagnostic::error(span, format!("{named} is not accepted"), text));
        }
        // Only a warning: the key may be added before the first start.
        for (rid, absent) in instance.unresolved(&object.resources).await {
            let span = locate(&rid, Some(&absent.keyword));
            diagnostics.push(Diagnostic::warning(span, format!("{rid}.{}", absent.what()), absent.to_do()));
        }
        let missing = match scope {
            ConfigScope::AnyNode => Vec::new(),
            ConfigScope::ThisNode => instance.missing_programs().await,
        };
        for (rid, MissingProgram { keyword, program }) in missing {
            let text = format!("{program} does not exist on this node, or is not a file");
            let message = format!("{rid}.{keyword} runs a program that is not there");
            diagnostics.push(Diagnostic::warning(locate(&rid, Some(&keyword)), message, text));
        }
        if scope == ConfigScope::ThisNode {
            for (rid, nodes) in crate::fence::untested_of(self, &snapshot).await {
                let message = format!("{rid} was never tested from this node for {nodes}");
                diagnostics.push(Diagnostic::warning(locate(&rid, None), message, "om node fence NODE --test"));
            }
        }
        diagnostics.extend(instance.unlimited_lines(&snapshot.configuration.document));
        diagnostics.sort();
        diagnostics
    }
}

/// A program that a keyword names and that this node does not have.
struct MissingProgram {
    keyword: String,
    program: String,
}

impl Instance<'_> {
    /// The programs of resources that a start would not find. Those in a directory that a resource of the object names may come with its
    /// file system.
    async fn missing_programs(&self) -> Vec<(Rid, MissingProgram)> {
        let mut calls = Vec::new();
        for resource in self.object.resources.iter().filter(|resource| !resource.disable && !resource.encap) {
            calls.push((resource, self.call_to_validate(resource).await.call));
        }
        if self.object.disable {
            return Vec::new();
        }
        let places =
            |keyword: &KeywordValue| (keyword.kind == ValueKind::Path).then(|| keyword.values.first().cloned());
        let mut places: Vec<String> =
            calls.iter().flat_map(|(_, call)| call.keywords.iter().filter_map(places).flatten()).collect();
        let mut named = Vec::new();
        for (resource, call) in &calls {
            let driver = self.driver(&resource.driver);
            let programs = programs_of(&call.keywords, &driver.manifest().grants);
            named.extend(
                programs.map(|(keyword, program)| (resource.rid.clone(), keyword.to_owned(), program.to_owned())),
            );
            let triggers = resource.triggers.iter();
            let triggers = triggers.filter_map(|(trigger, words)| Some((trigger.to_string(), words.first()?.clone())));
            named.extend(triggers.map(|(keyword, program)| (resource.rid.clone(), keyword, program)));
        }
        blocking(move || {
            places.retain(|place| place != "/" && !Path::new(place).is_file());
            let is_missing = |program: &str| {
                let below =
                    |place: &String| Path::new(program).ancestors().skip(1).any(|above| above == Path::new(place));
                program.starts_with('/') && !Path::new(program).is_file() && !places.iter().any(below)
            };
            let missing = named.into_iter().filter(|(_, _, program)| is_missing(program));
            missing.map(|(rid, keyword, program)| (rid, MissingProgram { keyword, program })).collect()
        })
        .await
    }

    /// The keys of data stores that these resources refer to and that do not exist. A start would fail.
    pub(crate) async fn unresolved(&self, resources: &[Resource]) -> Vec<(Rid, MissingReference)> {
        let mut all = Vec::new();
        for resource in resources.iter().filter(|resource| !resource.disable && !self.object.disable) {
            let absent = self.call_to_validate(resource).await.absent;
            all.extend(absent.into_iter().map(|missing| (resource.rid.clone(), missing)));
        }
        all
    }

    /// The keywords of these resources that their drivers reject. A resource that is disabled here is not checked, nor is one on
    /// a device that does not exist yet.
    pub(crate) async fn refused(&self, resources: &[Resource]) -> Vec<RejectedKeyword> {
        let mut all = Vec::new();
        for resource in resources.iter().filter(|resource| !resource.disable && !self.object.disable) {
            let CallDraft { call, missing: None, .. } = self.call_to_validate(resource).await else { continue };
            let driver = self.driver(&resource.driver);
            let problems = match driver
                .validate(&call, &CallBounds::within(VerbTimeouts::default().of(Verb::Status)), Arc::new(SilentLog))
                .await
            {
                Ok(problems) => problems,
                Err(ActionError::InvalidConfig(text)) => {
                    all.push(RejectedKeyword { rid: resource.rid.clone(), keyword: None, text });
                    continue;
                }
                // The driver could not check. An action will report why.
                Err(_) => continue,
            };
            all.extend(problems.into_iter().map(|problem| RejectedKeyword {
                rid: resource.rid.clone(),
                keyword: Some(problem.keyword),
                text: problem.text,
            }));
        }
        all
    }
}

/// The keywords that name a program, with its path: commands, and what the driver asks to run by its path.
fn programs_of<'k>(
    keywords: &'k [KeywordValue],
    grants: &'k [String],
) -> impl Iterator<Item = (&'k str, &'k str)> + use<'k> {
    let is_run = |name: &str| {
        let run = format!("{{kw:{name}}}");
        grants
            .iter()
            .filter(|line| line.starts_with("exec") || line.starts_with("spawn"))
            .any(|line| line.split_once(" = ").is_some_and(|(_, command)| command.starts_with(&run)))
    };
    keywords.iter().filter_map(move |keyword| {
        let is_program = matches!(keyword.kind, ValueKind::Command | ValueKind::Launcher) || is_run(&keyword.name);
        Some((keyword.name.as_str(), keyword.values.first().filter(|_| is_program)?.as_str()))
    })
}

/// Where the configuration sets the keyword, or else the header of the section.
fn located(document: &Document, object: &Object, rid: &Rid, keyword: Option<&str>) -> Span {
    let Some(name) = object.resource(rid).map(|resource| resource.section.as_str()) else { return Span::default() };
    let header = || document.sections().iter().find(|section| section.name == name).map(|section| section.name_span);
    keyword.and_then(|keyword| entry_of(document, name, keyword)).or_else(header).unwrap_or_default()
}

/// Where a section sets the keyword, whatever the scope.
pub(super) fn entry_of(document: &Document, section: &str, keyword: &str) -> Option<Span> {
    let section = document.sections().iter().find(|found| found.name == section)?;
    let entry = section.entries.iter().find(|entry| entry.key.split('@').next() == Some(keyword));
    entry.map(|entry| entry.value_span)
}
