//! Routes of the virtual network.

use std::net::IpAddr;

use serde_json::json;

use super::resource::link;
use super::{CloudAnswer, EmulatedCloud, MethodCall, OperationEffect};
use crate::ApiError;

impl EmulatedCloud {
    pub(crate) fn insert_route(&mut self, call: &MethodCall) -> CloudAnswer {
        let route = format!("{}routes/{}", call.scope(), call.text("name"));
        self.is_free(&route)?;
        self.network(call.text("network"))?;
        let range = call.text("destRange");
        if !is_range(range) {
            return Err(ApiError::invalid("resource.destRange", format!("'{range}'. Must be a CIDR range.")));
        }
        let hops = call.body.as_object().into_iter().flatten().filter(|(name, _)| name.starts_with("nextHop")).count();
        if hops != 1 {
            return Err(ApiError::invalid("resource.nextHop", format!("expected one next hop, found {hops}.")));
        }
        let mut said = json!({"routeType": "STATIC", "network": link(&self.path_of(call.text("network")))});
        if !call.text("nextHopInstance").is_empty() {
            let instance = self.path_of(call.text("nextHopInstance"));
            self.get(&instance)?;
            said["nextHopInstance"] = json!(link(&instance));
        }
        self.add(&route, "compute#route", &call.body, said);
        Ok(self.begin(call, "insert", &route, OperationEffect::Nothing))
    }

    pub(crate) fn delete_route(&mut self, call: &MethodCall) -> CloudAnswer {
        let route = call.path("routes", "route");
        self.get(&route)?;
        Ok(self.begin(call, "delete", &route, OperationEffect::RemoveRoute { route: route.clone() }))
    }

    /// A network of the project.
    pub(crate) fn network(&self, named: &str) -> Result<(), ApiError> {
        let network = self.path_of(named);
        let known = network == format!("projects/{}/global/networks/default", self.project);
        if known { Ok(()) } else { Err(ApiError::not_found(&network)) }
    }
}

/// `10.0.0.33/32`
fn is_range(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    match (address.parse(), length.parse::<u8>()) {
        (Ok(IpAddr::V4(_)), Ok(length)) => length <= 32,
        (Ok(IpAddr::V6(_)), Ok(length)) => length <= 128,
        _ => false,
    }
}
