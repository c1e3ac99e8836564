//! The description of the API in OpenAPI 3.1, made of the table of routes.

mod schema;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::route::{AnswerContent, ROUTES, Route};
use crate::version::AGENT;

/// The whole description.
pub(crate) fn document() -> Value {
    let mut paths: BTreeMap<&str, serde_json::Map<String, Value>> = BTreeMap::new();
    for route in &ROUTES {
        paths.entry(route.template).or_default().insert(route.method.to_lowercase(), operation(route));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hostler",
            "version": AGENT,
            "description": "The daemon of a node. The path of an object is one segment, with its slashes as %2F.",
        },
        "paths": paths,
        "components": {
            "schemas": schema::all(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of POST /auth/token"},
                "certificate": {"type": "mutualTLS", "description": "A client certificate of POST /certificate"},
            },
        },
        "security": [{"token": []}, {"certificate": []}],
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "description": format!("Needs: {}.", route.access),
        "x-hostler-access": route.access.to_string(),
        "parameters": parameters(route),
        "responses": {
            (route.status.to_string()): response(route),
            "401": {"description": "The daemon does not know who asks"},
            "403": {"description": "The user may not"},
            "429": {"description": "Requests come too fast: Retry-After says when to try again"},
            "default": {"description": "Why it failed", "content": {"application/json": {"schema": named("RequestFailure")}}},
        },
    });
    if let Some(body) = route.body {
        operation["requestBody"] = json!({"content": {"application/json": {"schema": named(body)}}});
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let segments = route.template.split('/').filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'));
    let segments = segments.map(|name| {
        let kind = if name == "id" { "integer" } else { "string" };
        json!({"name": name, "in": "path", "required": true, "schema": {"type": kind}})
    });
    let query = route.query.iter().map(|parameter| {
        let one = json!({"type": "string"});
        let schema = if parameter.repeated { json!({"type": "array", "items": one}) } else { one };
        json!({"name": parameter.name, "in": "query", "description": parameter.summary, "schema": schema})
    });
    segments.chain(query).collect()
}

fn response(route: &Route) -> Value {
    let content = |media: &str, schema: Value| {
        let content = serde_json::Map::from_iter([(media.to_owned(), json!({"schema": schema}))]);
        json!({"description": route.summary, "content": content})
    };
    match route.answer {
        AnswerContent::Nothing => json!({"description": "Done"}),
        AnswerContent::Document(name) => content("application/json", named(name)),
        AnswerContent::List(name) => content("application/json", json!({"type": "array", "items": named(name)})),
        AnswerContent::Stream(name) => content("text/event-stream", named(name)),
        AnswerContent::Text(media) => content(media, json!({"type": "string"})),
    }
}

fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route;
    use hyper::Method;

    #[test]
    fn every_path_of_the_document_is_routed_and_every_route_is_in_it() {
        let document = document();
        let mut found = 0;
        for (template, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let address = template
                    .replace("{path}", "ns1%2Fsvc%2Fweb")
                    .replace("{id}", "7")
                    .replace("{token}", "t1")
                    .replace("{serial}", "1f");
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let matched = route::find(&method, &address).unwrap();
                assert_eq!(matched.route.id, operation["operationId"].as_str().unwrap());
                assert!(operation["responses"][matched.route.status.to_string()].is_object());
                found += 1;
            }
        }
        assert_eq!(found, ROUTES.len());
    }

    #[test]
    fn every_schema_that_is_named_is_there() {
        let document = document();
        let text = document.to_string();
        let names: Vec<&str> =
            text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(names.len() > ROUTES.len());
        for name in names {
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }
}
