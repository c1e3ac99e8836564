//! Access to resources: get, list, and references.

use serde_json::{Value, json};

use super::{BASE, CloudAnswer, EmulatedCloud, MethodCall};
use crate::ApiError;

impl EmulatedCloud {
    pub(crate) fn get(&self, path: &str) -> CloudAnswer {
        self.state.resources.get(path).cloned().ok_or_else(|| ApiError::not_found(path))
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.state.resources.contains_key(path)
    }

    /// Refuses a name that is taken.
    pub(crate) fn is_free(&self, path: &str) -> Result<(), ApiError> {
        if self.exists(path) { Err(ApiError::already_exists(path)) } else { Ok(()) }
    }

    /// Changes a field of an existing resource.
    pub(crate) fn set(&mut self, path: &str, field: &str, value: impl Into<Value>) {
        if let Some(resource) = self.state.resources.get_mut(path) {
            resource[field] = value.into();
        }
    }

    /// Adds a resource: the fields of the request, and those that the server sets for every resource.
    pub(crate) fn add(&mut self, path: &str, kind: &str, asked: &Value, said: Value) {
        let mut resource = asked.clone();
        let own = json!({
            "id": (1_000_000_000_000_000_000 + self.number()).to_string(),
            "kind": kind,
            "selfLink": link(path),
            "creationTimestamp": self.timestamp(),
        });
        for (name, value) in own.as_object().into_iter().chain(said.as_object()).flatten() {
            resource[name.as_str()] = value.clone();
        }
        self.state.resources.insert(path.to_owned(), resource);
    }

    pub(crate) fn list(&mut self, call: &MethodCall, collection: &str, kind: &str) -> CloudAnswer {
        let directory = format!("{}{collection}/", call.scope());
        let items: Vec<Value> = self
            .state
            .resources
            .range(directory.clone()..)
            .take_while(|(path, _)| path.starts_with(&directory))
            .map(|(_, resource)| resource.clone())
            .collect();
        self.page(call, items, &directory, kind)
    }

    /// Those of the items that `filter`, `maxResults` and `pageToken` ask for.
    pub(crate) fn page(
        &mut self,
        call: &MethodCall,
        mut items: Vec<Value>,
        directory: &str,
        kind: &str,
    ) -> CloudAnswer {
        if let Some(filter) = call.parameters.get("filter") {
            let (field, wanted, value) = condition(filter)?;
            items.retain(|item| (item[field.as_str()].as_str().unwrap_or_default() == value) == wanted);
        }
        let number = |name: &str, default: usize| call.parameter(name).parse().unwrap_or(default);
        let (most, from) = (number("maxResults", 500).clamp(1, 500), number("pageToken", 0));
        let mut list = json!({"kind": kind, "id": directory.trim_end_matches('/'), "selfLink": link(directory.trim_end_matches('/'))});
        if items.len() > from + most {
            list["nextPageToken"] = json!((from + most).to_string());
        }
        let page: Vec<Value> = items.into_iter().skip(from).take(most).collect();
        if !page.is_empty() {
            list["items"] = Value::Array(page);
        }
        Ok(list)
    }

    /// The path of a resource that a field names by a full or a partial URL.
    pub(crate) fn path_of(&self, named: &str) -> String {
        let path = named.split_once("/compute/v1/").map_or(named, |(_, path)| path).trim_start_matches('/');
        if path.starts_with("projects/") { path.to_owned() } else { format!("projects/{}/{path}", self.project) }
    }
}

/// The `selfLink` of a path.
pub(crate) fn link(path: &str) -> String {
    format!("{BASE}{path}")
}

/// The last word of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `name = "x"`, `status != "RUNNING"`, and the same with `eq` and `ne`.
fn condition(filter: &str) -> Result<(String, bool, String), ApiError> {
    let plain = filter.trim().trim_start_matches('(').trim_end_matches(')');
    let operators = [("!=", false), (" ne ", false), ("=", true), (" eq ", true)];
    let found = operators.iter().find_map(|(word, wanted)| Some((plain.split_once(word)?, *wanted)));
    let ((field, value), wanted) = found.ok_or_else(|| ApiError::invalid("filter", format!("'{filter}'.")))?;
    Ok((field.trim().to_owned(), wanted, value.trim().trim_matches(['"', '\'']).to_owned()))
}
