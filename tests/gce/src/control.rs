//! Where a test tells the stand-in what goes wrong, and asks what it did:
//!
//! | request | does |
//! |---|---|
//! | `POST /control/faults` | injects `{"method": "disks.insert", "fault": "quota", "times": 1}`, see [`Fault`](crate::cloud::Fault) |
//! | `DELETE /control/faults` | nothing goes wrong any more, what was stuck goes on |
//! | `POST /control/revoke` | no token is good any more |
//! | `GET /control/called` | the methods called so far, and how many tokens were given |
//! | `GET /control/resources` | every resource by its path |

use serde_json::{Value, json};

use crate::cloud::Injected;
use crate::gateway::{Gateway, Response};

/// Answers.
pub fn answer(gateway: &mut Gateway, method: &str, path: &str, body: &[u8]) -> Response {
    match (method, path) {
        ("POST", "faults") => match serde_json::from_slice::<Injected>(body) {
            Ok(fault) => {
                gateway.cloud.faults.add(fault);
                Response::json(200, &json!({}))
            }
            Err(error) => Response::json(400, &json!({"error": error.to_string()})),
        },
        ("DELETE", "faults") => {
            gateway.cloud.faults.clear();
            gateway.cloud.unstick();
            Response::json(200, &json!({}))
        }
        ("POST", "revoke") => {
            gateway.tokens.revoke();
            Response::json(200, &json!({}))
        }
        ("GET", "called") => Response::json(200, &json!({"methods": gateway.called, "tokens": gateway.tokens.given()})),
        ("GET", "resources") => {
            let resources = gateway.cloud.resources().map(|(path, resource)| (path.clone(), resource.clone()));
            Response::json(200, &Value::Object(resources.collect()))
        }
        _ => Response::json(404, &json!({"error": format!("no {method} /control/{path}")})),
    }
}
