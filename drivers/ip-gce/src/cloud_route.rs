//! The route in Google's network: the instance that it leads to, and when it may be taken over.

use hostler_family_gce::{ComputeClient, ComputeError, ComputeResult, InstanceRef, check_name, failed};
use hostler_sdk::{Context, Error, Result, log};
use serde_json::json;

use crate::CloudAddress;

/// A route that exists.
#[derive(Debug, Clone)]
pub(crate) struct CloudRoute {
    /// The destination, such as `10.0.0.33/32`.
    pub(crate) range: String,
    /// The instance that it leads to. None if it leads to something else.
    instance: Option<InstanceRef>,
}

impl CloudRoute {
    /// The route of that name.
    pub(crate) fn find(route: &CloudAddress, client: &ComputeClient<'_>) -> ComputeResult<Option<CloudRoute>> {
        check_name("routename", &route.routename)?;
        let found = client.get(&path(route))?;
        Ok(found.map(|found| CloudRoute {
            range: found["destRange"].as_str().unwrap_or_default().to_owned(),
            instance: found["nextHopInstance"].as_str().and_then(InstanceRef::of),
        }))
    }

    /// Whether it leads to this instance.
    pub(crate) fn leads_to(&self, instance: &str) -> bool {
        self.instance.as_ref().is_some_and(|own| own.name == instance)
    }

    /// A description of what it leads to.
    pub(crate) fn hop(&self) -> String {
        self.instance.as_ref().map_or_else(|| "something that is not an instance".to_owned(), ToString::to_string)
    }

    /// Makes the route lead to this node. False if it already does.
    pub(crate) fn lead_here(
        route: &CloudAddress,
        range: &str,
        client: &ComputeClient<'_>,
        context: &Context,
    ) -> Result<bool> {
        let name = &route.routename;
        let doing = || format!("cannot make {name} lead here");
        if let Some(found) = CloudRoute::find(route, client).map_err(failed(doing()))? {
            if found.range != range {
                return Err(Error::failed(format!(
                    "{name} is the route of {}, not of {range}: choose another routename, or delete it",
                    found.range
                )));
            }
            if found.leads_to(client.instance()) {
                return Ok(false);
            }
            let why = found.may_be_taken(name, client, context)?;
            // The API cannot change a route, so it is replaced, and the address is unreachable for a moment.
            remove(route, client).map_err(failed(doing()))?;
            log::info(format!("{name} does not lead to {} any more, {why}", found.hop()));
        }
        insert(route, range, client).map_err(failed(doing()))?;
        Ok(true)
    }

    /// Removes the route if it leads to this node. False if it does not.
    pub(crate) fn lead_nowhere(route: &CloudAddress, range: &str, client: &ComputeClient<'_>) -> Result<bool> {
        let name = &route.routename;
        let doing = || format!("cannot remove {name}");
        let found = CloudRoute::find(route, client).map_err(failed(doing()))?;
        if !found.is_some_and(|found| found.leads_to(client.instance()) && found.range == range) {
            return Ok(false);
        }
        remove(route, client).map_err(failed(doing()))?;
        Ok(true)
    }

    /// The reason why the route may be taken over; an error if it may not.
    fn may_be_taken(&self, name: &str, client: &ComputeClient<'_>, context: &Context) -> Result<&'static str> {
        let Some(instance) = &self.instance else {
            return if context.force() { Ok("by force") } else { Err(self.taken(name, "")) };
        };
        // A node of the object: the service switches from there to here, and the planner has decided that.
        if context.nodes().any(|node| node.split('.').next() == Some(instance.name.as_str())) {
            return Ok("the service starts here");
        }
        let found = client.get(&instance.path()).map_err(failed(format!("cannot take over {name}")))?;
        match found.as_ref().map(|found| found["status"].as_str().unwrap_or_default()) {
            None => Ok("which is gone"),
            Some("TERMINATED" | "STOPPED") => Ok("which does not run"),
            Some(_) if context.force() => Ok("by force"),
            Some(status) => Err(self.taken(name, &format!(", which is {status} and not a node of this object"))),
        }
    }

    fn taken(&self, name: &str, whose: &str) -> Error {
        Error::failed(format!(
            "{name} leads to {}{whose}: free it there, choose another routename, or take it with --force",
            self.hop()
        ))
    }
}

fn path(route: &CloudAddress) -> String {
    format!("global/routes/{}", route.routename)
}

fn insert(route: &CloudAddress, range: &str, client: &ComputeClient<'_>) -> ComputeResult<()> {
    let own = client.own_path()?;
    let Some(instance) = client.get(&own)? else {
        return Err(ComputeError::NotFound(format!("there is no instance {own} in {}", client.project()?)));
    };
    let body = json!({
        "name": route.routename,
        "network": instance["networkInterfaces"][0]["network"],
        "destRange": range,
        "nextHopInstance": instance["selfLink"],
        "priority": route.priority,
    });
    client.change("POST", "global/routes", "", Some(&body), &format!("making the route {}", route.routename))
}

fn remove(route: &CloudAddress, client: &ComputeClient<'_>) -> ComputeResult<()> {
    match client.change("DELETE", &path(route), "", None, &format!("removing the route {}", route.routename)) {
        // Another node has taken it away in this moment.
        Err(ComputeError::NotFound(_)) => Ok(()),
        removed => removed,
    }
}
