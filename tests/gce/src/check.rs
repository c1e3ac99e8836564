//! Checks that requests and responses match the schemas of the discovery document.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use regex::Regex;
use serde_json::Value;

use crate::discovery::{ApiMethod, DOCUMENT, MethodParameter, ObjectSchema};

/// The direction of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageSide<'a> {
    /// To the server, as the body of this method.
    Request(&'a str),
    /// From the server.
    Answer,
}

/// The mismatches between a document and its schema: `sizeGb: expected digits in a string, found 20`.
pub fn document(schema: &str, value: &Value, side: MessageSide<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    match DOCUMENT.schemas.get(schema) {
        Some(schema) => check(schema, value, "", side, &mut problems),
        None => problems.push(format!("there is no schema {schema}")),
    }
    problems
}

fn check(schema: &ObjectSchema, value: &Value, at: &str, side: MessageSide<'_>, problems: &mut Vec<String>) {
    if let Some(name) = &schema.reference {
        let found = DOCUMENT.schemas.get(name);
        return found.into_iter().for_each(|schema| check(schema, value, at, side, problems));
    }
    let mut expected = |what: &str| problems.push(format!("{at}: expected {what}, found {value}"));
    match (schema.kind.as_deref(), value) {
        (Some("any") | None, _) => {}
        (Some("string"), Value::String(text)) => string(schema, text, at, problems),
        (Some("string"), _) if matches!(schema.format.as_deref(), Some("int64" | "uint64")) => {
            expected("digits in a string");
        }
        (Some("integer"), Value::Number(number)) if number.is_i64() || number.is_u64() => {}
        (Some("number"), Value::Number(_)) | (Some("boolean"), Value::Bool(_)) => {}
        (Some("array"), Value::Array(items)) => {
            for (i, item) in items.iter().enumerate() {
                let schema = schema.items.iter();
                schema.for_each(|schema| check(schema, item, &format!("{at}[{i}]"), side, problems));
            }
        }
        (Some("object"), Value::Object(members)) => object(schema, members, at, side, problems),
        (Some(kind), _) => expected(kind),
    }
}

fn string(schema: &ObjectSchema, text: &str, at: &str, problems: &mut Vec<String>) {
    if matches!(schema.format.as_deref(), Some("int64" | "uint64")) && text.parse::<i128>().is_err() {
        problems.push(format!("{at}: expected digits, found {text:?}"));
    }
    problems.extend(
        text_problem(schema.values.as_deref(), schema.pattern.as_deref(), text).map(|why| format!("{at}: {why}")),
    );
}

fn object(
    schema: &ObjectSchema,
    members: &serde_json::Map<String, Value>,
    at: &str,
    side: MessageSide<'_>,
    problems: &mut Vec<String>,
) {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    for (name, value) in members {
        let known = schema.properties.as_ref().and_then(|properties| properties.get(name));
        match known.or(schema.additional.as_deref()) {
            Some(schema) if schema.read_only && matches!(side, MessageSide::Request(_)) => {
                problems.push(format!("{}: is for the server to say", below(name)));
            }
            Some(schema) => check(schema, value, &below(name), side, problems),
            None => problems.push(format!("{}: no such field", below(name))),
        }
    }
    let MessageSide::Request(method) = side else { return };
    for (name, schema) in schema.properties.iter().flatten() {
        let is_required = schema.required_by.iter().any(|by| by == method);
        if is_required && members.get(name).is_none_or(Value::is_null) {
            problems.push(format!("{}: is required", below(name)));
        }
    }
}

/// The mismatches in the parameters of a method, in its path and in its query.
pub fn parameters(method: &ApiMethod, given: &BTreeMap<String, String>) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, value) in given {
        match method.parameters.get(name).or_else(|| DOCUMENT.parameters.get(name.trim_start_matches('$'))) {
            Some(parameter) => problems.extend(parameter_problem(parameter, value).map(|why| format!("{name}: {why}"))),
            None => problems.push(format!("{name}: no such parameter")),
        }
    }
    let required = method.parameters.iter().filter(|(name, of)| of.required && !given.contains_key(*name));
    problems.extend(required.map(|(name, _)| format!("{name}: is required")));
    problems
}

fn parameter_problem(parameter: &MethodParameter, value: &str) -> Option<String> {
    let fits = match parameter.kind.as_str() {
        "boolean" => matches!(value, "true" | "false"),
        "integer" => value.parse::<u64>().is_ok(),
        _ => true,
    };
    if !fits {
        return Some(format!("expected {}, found {value:?}", parameter.kind));
    }
    text_problem(parameter.values.as_deref(), parameter.pattern.as_deref(), value)
}

fn text_problem(values: Option<&[String]>, pattern: Option<&str>, text: &str) -> Option<String> {
    if let Some(values) = values.filter(|values| !values.iter().any(|value| value == text)) {
        return Some(format!("expected one of {}, found {text:?}", values.join(" ")));
    }
    let pattern = pattern.filter(|pattern| !fits(pattern, text))?;
    Some(format!("expected {pattern}, found {text:?}"))
}

/// Whether the pattern matches the whole text.
fn fits(pattern: &str, text: &str) -> bool {
    static KNOWN: LazyLock<Mutex<HashMap<String, Option<Regex>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let regex = known.entry(pattern.to_owned()).or_insert_with(|| Regex::new(&format!("^(?:{pattern})$")).ok());
    regex.as_ref().is_some_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_held_to_its_schema() {
        let good =
            json!({"name": "d-1", "sizeGb": "20", "type": "zones/z/diskTypes/pd-standard", "labels": {"a": "b"}});
        assert_eq!(document("Disk", &good, MessageSide::Request("compute.disks.insert")), [""; 0]);
        for (body, expected) in [
            (json!({"name": "d", "sizeGb": 20}), "sizeGb: expected digits in a string, found 20"),
            (json!({"name": "d", "sizeGb": "20g"}), "sizeGb: expected digits, found \"20g\""),
            (json!({"name": "d", "size": "20"}), "size: no such field"),
            (json!({"name": "D"}), "name: expected [a-z](?:[-a-z0-9]{0,61}[a-z0-9])?, found \"D\""),
            (json!({"sizeGb": "20"}), "name: is required"),
            (json!({"name": "d", "labels": {"a": 1}}), "labels.a: expected string, found 1"),
            (json!({"name": "d", "users": ["u"]}), "users: is for the server to say"),
            (json!({"name": "d", "licenses": "l"}), "licenses: expected array, found \"l\""),
        ] {
            assert_eq!(document("Disk", &body, MessageSide::Request("compute.disks.insert")), [expected], "{body}");
        }
    }

    #[test]
    fn parameters_are_known_and_of_their_kind() {
        let method = &DOCUMENT.methods["compute.instances.attachDisk"];
        let given = |more: &[(&str, &str)]| {
            let path = [("project", "p"), ("zone", "z-1"), ("instance", "i")];
            path.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(parameters(method, &given(&[("forceAttach", "true"), ("alt", "json")])), [""; 0]);
        assert_eq!(
            parameters(method, &given(&[("forceAttach", "yes")])),
            ["forceAttach: expected boolean, found \"yes\""]
        );
        assert_eq!(parameters(method, &given(&[("device", "x")])), ["device: no such parameter"]);
        assert_eq!(parameters(method, &given(&[("zone", "Z")])).len(), 1);
    }
}
