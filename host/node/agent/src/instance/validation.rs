//! What is wrong with a configuration: what the model says, and, where that is nothing, what the drivers say of their own
//! keywords. A driver looks without a right to change anything.

use std::sync::Arc;

use driver::{ActionError, CallBounds, Silent};
use model::config::{self, Document, Object, Resource};
use model::diagnostic::{Diagnostic, Span};
use model::{ObjectPath, Rid};

use super::{Instance, RejectedKeyword, STATUS_TIMEOUT};
use crate::Agent;
use crate::variables::MissingReference;

impl Agent {
    /// What would be wrong with an object that had this text for its configuration.
    pub async fn diagnose(&self, path: &ObjectPath, text: &str) -> Vec<Diagnostic> {
        let mut diagnostics = config::validate(path, text, self.node(), self.drivers());
        if diagnostics.iter().any(Diagnostic::is_error) {
            return diagnostics;
        }
        let loaded = config::load(path, text, self.node(), self.drivers());
        let Some(object) = loaded.object else { return diagnostics };
        let instance = Instance::new(self, &object);
        let locate = |rid: &Rid, keyword: Option<&str>| located(&loaded.document, &object, rid, keyword);
        for RejectedKeyword { rid, keyword, text } in instance.refused(&object.resources).await {
            let named = keyword.as_ref().map_or(rid.to_string(), |keyword| format!("{rid}.{keyword}"));
            let span = locate(&rid, keyword.as_deref());
            diagnostics.push(Diagnostic::error(span, format!("{named} is not accepted"), text));
        }
        for (rid, absent) in instance.unresolved(&object.resources) {
            let span = locate(&rid, Some(&absent.keyword));
            diagnostics.push(Diagnostic::warning(span, format!("{rid}.{}", absent.what()), absent.to_do()));
        }
        diagnostics
    }
}

impl Instance<'_> {
    /// What these resources refer to in stores, and what is not there. A start would fail.
    pub(crate) fn unresolved(&self, resources: &[Resource]) -> Vec<(Rid, MissingReference)> {
        let acting = resources.iter().filter(|resource| !resource.disable && !self.object.disable);
        let of_one =
            |resource: &Resource| self.absent(resource).into_iter().map(|one| (resource.rid.clone(), one)).collect();
        acting.flat_map(|resource| -> Vec<_> { of_one(resource) }).collect()
    }

    /// What the drivers of these resources do not accept. What stands on a device that is not there yet is not judged, nor is
    /// what is disabled here.
    pub(crate) async fn refused(&self, resources: &[Resource]) -> Vec<RejectedKeyword> {
        let mut all = Vec::new();
        for resource in resources.iter().filter(|resource| !resource.disable && !self.object.disable) {
            let Some((driver, call)) = self.call_to_validate(resource) else { continue };
            let problems = match driver.validate(&call, &CallBounds::within(STATUS_TIMEOUT), Arc::new(Silent)).await {
                Ok(problems) => problems,
                Err(ActionError::InvalidConfig(text)) => {
                    all.push(RejectedKeyword { rid: resource.rid.clone(), keyword: None, text });
                    continue;
                }
                // It could not look. Whoever acts will be told why.
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

/// The keyword's value where it is written, else the head of the section.
fn located(document: &Document, object: &Object, rid: &Rid, keyword: Option<&str>) -> Span {
    let section = object.resource(rid).map(|resource| resource.section.as_str());
    let section = document.sections().iter().find(|found| Some(found.name.as_str()) == section);
    let entry = section.zip(keyword).and_then(|(section, keyword)| {
        section.entries.iter().find(|entry| entry.key.split('@').next() == Some(keyword))
    });
    let span = entry.map(|entry| entry.value_span).or_else(|| section.map(|section| section.name_span));
    span.unwrap_or_default()
}
