//! The requests with which a test injects faults and inspects the emulator:
//!
//! | request | does |
//! |---|---|
//! | `POST /control/faults` | injects `{"method": "disks.insert", "fault": "quota", "times": 1}`, see [`InjectedFault`](crate::cloud::InjectedFault) |
//! | `DELETE /control/faults` | clears all faults, and lets stuck operations go on |
//! | `POST /control/revoke` | invalidates all tokens |
//! | `GET /control/called` | the methods called so far, and how many tokens were issued |
//! | `GET /control/resources` | every resource by its path |

use serde_json::{Value, json};

use crate::cloud::FaultRule;
use crate::gateway::{ApiGateway, GatewayResponse};

/// Answers.
pub fn answer(gateway: &mut ApiGateway, method: &str, path: &str, body: &[u8]) -> GatewayResponse {
    match (method, path) {
        ("POST", "faults") => match serde_json::from_slice::<FaultRule>(body) {
            Ok(fault) => {
                gateway.cloud.faults.add(fault);
                GatewayResponse::json(200, &json!({}))
            }
            Err(error) => GatewayResponse::json(400, &json!({"error": error.to_string()})),
        },
        ("DELETE", "faults") => {
            gateway.cloud.faults.clear();
            gateway.cloud.unstick();
            GatewayResponse::json(200, &json!({}))
        }
        ("POST", "revoke") => {
            gateway.tokens.revoke();
            GatewayResponse::json(200, &json!({}))
        }
        ("GET", "called") => {
            GatewayResponse::json(200, &json!({"methods": gateway.called, "tokens": gateway.tokens.given()}))
        }
        ("GET", "resources") => {
            let resources = gateway.cloud.resources().map(|(path, resource)| (path.clone(), resource.clone()));
            GatewayResponse::json(200, &Value::Object(resources.collect()))
        }
        _ => GatewayResponse::json(404, &json!({"error": format!("no {method} /control/{path}")})),
    }
}
