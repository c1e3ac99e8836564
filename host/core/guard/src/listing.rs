//! The list of containers: only of those that carry the resource's labels, whatever else is asked for. A driver that asks by
//! the label of the object is told of all of the object's, so that an engine of the object's own can be ended with the last.

use std::collections::BTreeSet;

use model::Rid;
use serde_json::{Map, Value, json};

use crate::body::Fields;
use crate::judge::{Case, ForwardedRequest, Stop};
use crate::{ContainerLabels, GuardRefusal, json as strict};

/// What else may narrow the list.
const NARROWING: [&str; 6] = ["id", "name", "status", "ancestor", "exited", "health"];

pub(crate) fn containers(case: &Case<'_>) -> Result<ForwardedRequest, Stop> {
    let mut forward = case.plain("list its containers", &["all", "limit", "size", "filters"])?;
    let filters = case.target.parameters.get("filters").map(String::as_str).unwrap_or_default();
    let filters = Value::Object(narrowed(case, filters)?).to_string();
    let mut target = case.target.clone();
    target.parameters.insert("filters".to_owned(), filters);
    forward.target = target.write("/containers/json");
    Ok(forward)
}

/// The filters, with the labels of the resource among them. All labels of the list must be carried.
fn narrowed(case: &Case<'_>, filters: &str) -> Result<Map<String, Value>, GuardRefusal> {
    let mut fields = Fields::new("filters", strict::object(filters.as_bytes())?);
    let mut labels: BTreeSet<String> = fields.texts("label")?.into_iter().collect();
    let mut out = Map::new();
    for name in NARROWING {
        let values = fields.texts(name)?;
        if !values.is_empty() {
            out.insert(name.to_owned(), json!(values));
        }
    }
    fields.finish()?;
    let resource = case.allowance.resource;
    let by_object = labels.contains(&format!("{}={}", ContainerLabels::OBJECT, resource.object));
    let rid = of_whom(case, &labels)?;
    let of_any = by_object && rid.is_none();
    let wanted = resource.labels_of(rid.as_ref().unwrap_or(resource.rid)).into_iter();
    let wanted = wanted.filter(|(name, _)| !of_any || *name != ContainerLabels::RID);
    labels.extend(wanted.map(|(name, value)| format!("{name}={value}")));
    out.insert("label".to_owned(), json!(labels));
    Ok(out)
}

/// The resource whose containers are asked for by its label: itself, or another that it may look at.
fn of_whom(case: &Case<'_>, labels: &BTreeSet<String>) -> Result<Option<Rid>, GuardRefusal> {
    let prefix = format!("{}=", ContainerLabels::RID);
    let mut said = labels.iter().filter_map(|label| label.strip_prefix(&prefix));
    let Some(rid) = said.next() else { return Ok(None) };
    let visible = case.allowance.visible().into_iter().find(|visible| visible.to_string() == rid);
    visible.map(Some).ok_or_else(|| GuardRefusal::Keyword {
        member: "filters.label".to_owned(),
        value: format!("{prefix}{rid}"),
        keyword: "netns",
    })
}
