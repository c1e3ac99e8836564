//! The methods and schemas of the Compute API: an extract of Google's discovery document, revision 20261106, in `discovery/`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

static TEXT: &str = include_str!("../discovery/compute.v1.json");

/// The document.
pub static DOCUMENT: LazyLock<DiscoveryDocument> =
    LazyLock::new(|| serde_json::from_str(TEXT).expect("the extract was written by extract.py"));

/// The extract of Google's discovery document.
#[derive(Debug, Deserialize)]
pub struct DiscoveryDocument {
    /// Google's name for its state.
    pub revision: String,
    /// Query parameters that every method takes.
    pub parameters: BTreeMap<String, MethodParameter>,
    /// By their ids: `compute.disks.insert`.
    pub methods: BTreeMap<String, ApiMethod>,
    /// By their names: `Disk`.
    pub schemas: BTreeMap<String, ObjectSchema>,
}

/// A method.
#[derive(Debug, Deserialize)]
pub struct ApiMethod {
    /// `POST`
    #[serde(rename = "httpMethod")]
    pub http_method: String,
    /// `projects/{project}/zones/{zone}/disks`
    pub path: String,
    /// Those of the path and of the query.
    pub parameters: BTreeMap<String, MethodParameter>,
    /// The schema of its body.
    pub request: Option<String>,
    /// The schema of its answer.
    pub response: Option<String>,
}

/// A parameter.
#[derive(Debug, Deserialize)]
pub struct MethodParameter {
    /// `path` or `query`.
    pub location: String,
    /// `string`, `boolean`, `integer`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether a request without it is refused.
    #[serde(default)]
    pub required: bool,
    /// The regular expression that it must match.
    pub pattern: Option<String>,
    /// The allowed values.
    #[serde(rename = "enum")]
    pub values: Option<Vec<String>>,
}

/// The schema of a value.
#[derive(Debug, Deserialize)]
pub struct ObjectSchema {
    /// Another schema, by name.
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    /// `object`, `array`, `string`, `integer`, `number`, `boolean`, `any`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `int64` and `uint64` are strings of digits.
    pub format: Option<String>,
    /// The allowed values.
    #[serde(rename = "enum")]
    pub values: Option<Vec<String>>,
    /// The regular expression that it must match.
    pub pattern: Option<String>,
    /// Whether only the server sets it.
    #[serde(rename = "readOnly", default)]
    pub read_only: bool,
    /// Of an object with names known beforehand.
    pub properties: Option<BTreeMap<String, ObjectSchema>>,
    /// Of an object with any names.
    #[serde(rename = "additionalProperties")]
    pub additional: Option<Box<ObjectSchema>>,
    /// Of an array.
    pub items: Option<Box<ObjectSchema>>,
    /// The methods whose request must contain it.
    #[serde(rename = "requiredBy", default)]
    pub required_by: Vec<String>,
}

/// The method of a request, and the values of the parameters in its path. `path` is what follows `/compute/v1/`.
pub fn method_of(
    http_method: &str,
    path: &str,
) -> Option<(&'static str, &'static ApiMethod, BTreeMap<String, String>)> {
    DOCUMENT.methods.iter().filter(|(_, method)| method.http_method == http_method).find_map(|(id, method)| {
        let captured = captured(&method.path, path)?;
        Some((id.as_str(), method, captured))
    })
}

/// Whether some method has the path, whatever its verb.
pub fn is_known_path(path: &str) -> bool {
    DOCUMENT.methods.values().any(|method| captured(&method.path, path).is_some())
}

fn captured(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (parts, segments): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if parts.len() != segments.len() {
        return None;
    }
    let mut captured = BTreeMap::new();
    for (part, segment) in parts.into_iter().zip(segments) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => captured.insert(name.to_owned(), segment.to_owned()),
            None if part == segment => continue,
            None => return None,
        };
    }
    Some(captured)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_method() {
        for (verb, path, expected) in [
            ("POST", "projects/p/zones/z/disks", Some("compute.disks.insert")),
            ("GET", "projects/p/zones/z/disks", Some("compute.disks.list")),
            ("POST", "projects/p/zones/z/disks/d/resize", Some("compute.disks.resize")),
            ("DELETE", "projects/p/global/routes/r", Some("compute.routes.delete")),
            ("PATCH", "projects/p/global/routes/r", None),
            ("GET", "projects/p/zones/z", None),
        ] {
            assert_eq!(method_of(verb, path).map(|(id, ..)| id), expected, "{verb} {path}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(schema: &ObjectSchema) {
            if let Some(name) = &schema.reference {
                assert!(DOCUMENT.schemas.contains_key(name), "{name}");
            }
            schema.properties.iter().flatten().for_each(|(_, schema)| check(schema));
            schema.additional.iter().chain(&schema.items).for_each(|schema| check(schema));
        }
        DOCUMENT.schemas.values().for_each(check);
        let named = DOCUMENT.methods.values().flat_map(|method| method.request.iter().chain(&method.response));
        named.for_each(|name| assert!(DOCUMENT.schemas.contains_key(name), "{name}"));
    }
}
