//! `/containers/json`: the list of containers, only of those that carry the resource's labels, whatever the driver filters by.
//!
//! A driver that filters by the object's label gets all containers of the object, so that it can stop an engine of the object's
//! own with the last of them.

use std::collections::BTreeSet;

use model::Rid;
use serde_json::{Map, Value, json};

use crate::case::RequestCase;
use crate::refusal::GuardRefusal;
use crate::request::members::MemberReader;
use crate::request::strict_json;
use crate::spec::resource::ContainerLabels;
use crate::verdict::{ForwardedRequest, NotForwarded};

/// Filters that may narrow the list further.
const NARROWING: [&str; 6] = ["id", "name", "status", "ancestor", "exited", "health"];

/// Judges the list.
pub(crate) fn containers(case: &RequestCase<'_>) -> Result<ForwardedRequest, NotForwarded> {
    let mut forward = case.plain("list its containers", &["all", "limit", "size", "filters"])?;
    let filters = case.target.parameters.get("filters").map(String::as_str).unwrap_or_default();
    let filters = Value::Object(narrowed(case, filters)?).to_string();
    let mut target = case.target.clone();
    target.parameters.insert("filters".to_owned(), filters);
    forward.target = target.write("/containers/json");
    Ok(forward)
}

/// Adds the labels of the resource to the filters. The engine lists only containers that carry all labels.
fn narrowed(case: &RequestCase<'_>, filters: &str) -> Result<Map<String, Value>, GuardRefusal> {
    let mut fields = MemberReader::new("filters", strict_json::object(filters.as_bytes())?);
    let mut labels: BTreeSet<String> = fields.texts("label")?.into_iter().collect();
    let mut out = Map::new();
    for name in NARROWING {
        let values = fields.texts(name)?;
        if !values.is_empty() {
            out.insert(name.to_owned(), json!(values));
        }
    }
    fields.finish()?;
    let resource = case.spec.resource;
    // The rid is left out of the labels only where the driver filtered by the whole object on purpose.
    let by_object = labels.contains(&format!("{}={}", ContainerLabels::OBJECT, resource.object));
    let rid = of_whom(case, &labels)?;
    let of_any = by_object && rid.is_none();
    let wanted = resource.labels_of(rid.as_ref().unwrap_or(resource.rid)).into_iter();
    let wanted = wanted.filter(|(name, _)| !of_any || *name != ContainerLabels::RID);
    // Labels that the driver wrote stay: they can only narrow the list.
    labels.extend(wanted.map(|(name, value)| format!("{name}={value}")));
    out.insert("label".to_owned(), json!(labels));
    Ok(out)
}

/// The resource that the filters name by its label: this one, or another that it may look at.
fn of_whom(case: &RequestCase<'_>, labels: &BTreeSet<String>) -> Result<Option<Rid>, GuardRefusal> {
    let prefix = format!("{}=", ContainerLabels::RID);
    let mut said = labels.iter().filter_map(|label| label.strip_prefix(&prefix));
    let Some(rid) = said.next() else { return Ok(None) };
    let visible = case.spec.visible().into_iter().find(|visible| visible.to_string() == rid);
    visible.map(Some).ok_or_else(|| GuardRefusal::Keyword {
        member: "filters.label".to_owned(),
        value: format!("{prefix}{rid}"),
        keyword: "netns",
    })
}
