//! From text to object, every problem reported at once.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Span};
use model::object::Object;
use model::{NodeName, ObjectPath};

use crate::object::build::build;
use crate::object::check::{CheckFindings, DocumentCheck};
use crate::resolve::dereference::ELSEWHERE;
use crate::resolve::resolver::{KeywordResolver, ObjectNodes};
use crate::{Document, DriverSchemas, NodeData};

/// The result of reading a configuration.
#[derive(Debug)]
pub struct LoadOutcome {
    /// The text, with its sections and keys. Always there.
    pub document: Document,
    /// The object. None if there is an error among the diagnostics.
    pub object: Option<Object>,
    /// The object where the only errors are missing drivers and unknown keywords: its resources are in it, without those
    /// keywords. For callers that must act all the same.
    pub partial: Option<Object>,
    /// Where there are errors: the object with the resources in whose sections there is none, so that their drivers can check
    /// them too. Nothing may act on it.
    pub sound: Option<Object>,
    /// The problems, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the configuration of an object as `node` means it.
pub fn load(path: &ObjectPath, text: &str, node: &NodeData, schemas: &dyn DriverSchemas) -> LoadOutcome {
    let document = Document::parse(text);
    let mut problems = BTreeSet::new();
    let ObjectReading { object, missing, .. } = examine(path, &document, node, schemas, &mut problems);
    let errors = problems.iter().chain(&missing).filter(|problem| problem.is_error());
    let faulty: BTreeSet<&str> = errors.filter_map(|error| document.section_at(error.span.start)).collect();
    let sound = (!faulty.is_empty()).then(|| {
        let mut sound = object.clone();
        sound.resources.retain(|resource| !faulty.contains(resource.section.as_str()));
        sound
    });
    let usable = Some(object).filter(|_| !problems.iter().any(Diagnostic::is_error));
    // A missing driver is an error, but one that a stop must survive: the object is kept apart rather than thrown away.
    let (object, partial) = if missing.is_empty() { (usable, None) } else { (None, usable) };
    problems.extend(missing);
    LoadOutcome { document, object, partial, sound, diagnostics: problems.into_iter().collect() }
}

/// Reads the configuration as every node of the object means it, and reports what is wrong for any of them. A node that
/// is not one of the object's nodes is left out: it never acts on the object.
pub fn validate(path: &ObjectPath, text: &str, node: &NodeData, schemas: &dyn DriverSchemas) -> Vec<Diagnostic> {
    let document = Document::parse(text);
    let mut own = BTreeSet::new();
    let ObjectReading { members, missing, .. } = examine(path, &document, node, schemas, &mut own);
    let names: BTreeSet<&NodeName> = members.nodes.iter().chain(&members.drpnodes).collect();
    // An object without nodes yet, such as a data store, is read as this node means it.
    let mut problems = if names.is_empty() || names.contains(&node.name) { own } else { BTreeSet::new() };
    // Scopes can make the text wrong on one node only, so it is read once for each of them. Without any it means the same on all.
    let mut others: Vec<&NodeName> = names.into_iter().filter(|name| **name != node.name).collect();
    if !differs_by_node(&document) {
        others.truncate(1);
    }
    for name in others {
        examine(path, &document, &node.impersonating(name.clone()), schemas, &mut problems);
    }
    problems.extend(missing);
    // A reference that does not resolve on this node either is reported as an error already.
    let reported: BTreeSet<Span> =
        problems.iter().filter(|problem| problem.is_error()).map(|problem| problem.span).collect();
    let seen_from_here = |problem: &Diagnostic| problem.is_error() || !problem.message.ends_with(ELSEWHERE);
    problems.retain(|problem| seen_from_here(problem) || !reported.contains(&problem.span));
    problems.into_iter().collect()
}

/// Whether a text may mean something else on another node: it has a scope, or refers to what is a node's own.
fn differs_by_node(document: &Document) -> bool {
    let mut entries = document.sections().iter().flat_map(|section| &section.entries);
    let refers = |value: &str| value.contains('{') && (value.contains("nodename") || value.contains("node."));
    entries.any(|entry| entry.scope().is_some() || refers(&entry.value))
}

/// The result of reading a configuration for one node.
struct ObjectReading {
    object: Object,
    members: ObjectNodes,
    /// Missing drivers and unknown keywords. They are the same for every node.
    missing: Vec<Diagnostic>,
}

/// Reads a configuration for one node. The set reports each problem once, in the order of the text.
fn examine(
    path: &ObjectPath,
    document: &Document,
    node: &NodeData,
    schemas: &dyn DriverSchemas,
    problems: &mut BTreeSet<Diagnostic>,
) -> ObjectReading {
    let resolver = KeywordResolver::new(path, document, node, schemas);
    let members = resolver.members.all().map(NodeName::as_str).collect();
    let check = DocumentCheck { resolver: &resolver, node, schemas, members };
    let (object, built) = build(&resolver, node);
    problems.extend(document.problems().iter().cloned());
    problems.extend(resolver.outline.problems.iter().cloned());
    let mut checked = CheckFindings::default();
    check.document(document, &mut checked);
    problems.extend(checked.problems);
    problems.extend(built);
    // Not among the problems: what this node does not know, a driver of another version may. See
    // `LoadOutcome::partial`.
    let mut missing = resolver.outline.missing;
    missing.extend(checked.unknown);
    ObjectReading { object, members: resolver.members, missing }
}
