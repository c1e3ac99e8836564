//! `ip.gce`: an address that Google's network routes to this node, which routes it to an interface.
//!
//! ```text
//!   Google's router ──route: 10.0.0.33/32 next hop spd01──▶ spd01 ──route: 10.0.0.33/32 dev br0──▶ container
//! ```
//!
//! Up: both routes exist. Down: neither leads here. One without the other is a warning. Start adds the local route, and makes
//! Google's route lead here. Stop removes the local route, and Google's route only if it still leads here: after a switch it
//! leads to the other node. See ip-route(8) and <https://cloud.google.com/vpc/docs/routes>.

mod cloud_route;

use std::net::IpAddr;

use hostler_family_gce::gce_grants;
use hostler_family_gce::{CloudKeywords, ComputeClient, check_name, failed};
use hostler_family_inet::{held, release_all};
use hostler_sdk::prelude::*;

use crate::cloud_route::CloudRoute;

/// An address that Google's network routes to this node, which routes it to an interface.
///
/// The address itself is assigned behind the interface, for example in a container on a bridge. The instance must be allowed
/// to forward packets (canIpForward).
///
/// Start takes over a route that leads to another node of the object, to an instance that no longer runs, or to one that no
/// longer exists, because a switch starts the resource here. A route to an instance that is not a node of the object is left
/// alone, unless start is forced.
#[derive(Keywords)]
struct CloudAddress {
    /// The address.
    #[keyword(alias = "ipname", example = "10.0.0.33")]
    name: String,
    /// The interface behind which the address is assigned.
    #[keyword(alias = "ipdev", example = "br0")]
    dev: String,
    /// The name of the route in Google's network. It must be unique.
    #[keyword(example = "rt-ip33")]
    routename: String,
    /// Not used, because the routes lead to a single address. Accepted because old configurations have it.
    #[keyword(example = "255.255.255.0")]
    #[expect(dead_code, reason = "accepted for the sake of configurations that have it")]
    netmask: Option<String>,
    /// The priority of the route. Of two routes to the same address, the one with the lower number is used.
    #[keyword(default = "1000")]
    priority: u32,
    #[keyword(flatten)]
    cloud: CloudKeywords,
}

#[driver]
impl Driver for CloudAddress {
    const NAME: &str = "ip.gce";
    const GRANTS: &[&str] = gce_grants!["net.route = {kw:name} dev {kw:dev}", "net.link(read) = {kw:dev}"];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut problem = |keyword: &str, text: String| problems.push(Problem::new(keyword, text));
        if self.name.parse::<IpAddr>().is_err() {
            problem("name", format!("{} is not an address: expected one such as 10.0.0.33", self.name));
        }
        if let Err(error) = check_name("routename", &self.routename) {
            problem("routename", error.to_string());
        }
        if self.priority > 65535 {
            problem("priority", format!("{} is out of range: expected 0 to 65535", self.priority));
        }
        Ok(problems)
    }

    fn status(&self, context: &Context) -> Result<Status> {
        let label = format!("gce ip {}@{}", self.name, self.dev);
        match self.look(&self.cloud.client(context)) {
            Ok(status) => Ok(status.label(label)),
            Err(Error::NeedsGrant(line)) => Err(Error::NeedsGrant(line)),
            Err(error) => Ok(Status::undefined(error).label(label)),
        }
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let client = self.cloud.client(context);
        let mut done = Vec::new();
        let range = self.range()?;
        // The local route comes first: once Google's route leads here, packets arrive.
        if self.add_local(context)? {
            done.push(format!("added {range} dev {}", self.dev));
        }
        let leads = CloudRoute::lead_here(self, &range, &client, context);
        if leads.inspect_err(|_| done.iter().for_each(log::info))? {
            done.push(format!("{} leads to {}", self.routename, client.instance()));
        }
        match &done[..] {
            [] => Ok(Outcome::unchanged(format!("{range} dev {} and {} are there already", self.dev, self.routename))),
            done => Ok(Outcome::changed(done.join(", "))),
        }
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        let client = self.cloud.client(context);
        let mut done = Vec::new();
        let range = self.range()?;
        // The local route comes first, because its removal does not depend on Google.
        done.extend(release_all()?.into_iter().map(|label| format!("removed {label}")));
        let removed = CloudRoute::lead_nowhere(self, &range, &client);
        if removed.inspect_err(|_| done.iter().for_each(log::info))? {
            done.push(format!("removed {}", self.routename));
        }
        match &done[..] {
            [] => Ok(Outcome::unchanged(format!("{range} does not lead here"))),
            done => Ok(Outcome::changed(done.join(", "))),
        }
    }
}

impl CloudAddress {
    fn look(&self, client: &ComputeClient<'_>) -> Result<Status> {
        let range = self.range()?;
        let is_local = Self::is_local(&range)?;
        let found = CloudRoute::find(self, client).map_err(failed(format!("cannot look at {}", self.routename)))?;
        let here = found.as_ref().is_some_and(|found| found.leads_to(client.instance()) && found.range == range);
        let wrong = match &found {
            None => format!("there is no route {}", self.routename),
            Some(found) => format!("{} leads {} to {}", self.routename, found.range, found.hop()),
        };
        Ok(match (is_local, here) {
            (true, true) => Status::up(),
            (false, false) if found.is_some() => Status::down().info(wrong),
            (false, false) => Status::down(),
            (true, false) => Status::up().degraded(wrong),
            (false, true) => Status::up().degraded(format!("there is no route {range} dev {}", self.dev)),
        })
    }

    /// The destination of the routes, such as `10.0.0.33/32`.
    fn range(&self) -> Result<String> {
        match self.name.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => Ok(format!("{address}/32")),
            Ok(IpAddr::V6(address)) => Ok(format!("{address}/128")),
            Err(_) => Err(Error::invalid_config(format!("name {} is not an address", self.name))),
        }
    }

    fn local(&self, range: &str) -> net::Route {
        net::Route::new(range, None, Some(&self.dev))
    }

    /// Whether the local route that start added is there.
    fn is_local(range: &str) -> Result<bool> {
        Ok(held("route")?.is_some_and(|held| held.text("destination") == range))
    }

    /// Adds the local route. False if it already exists.
    fn add_local(&self, context: &Context) -> Result<bool> {
        let range = self.range()?;
        if Self::is_local(&range)? {
            return Ok(false);
        }
        // Another route to the address would win or lose by metrics. The operator must decide.
        if let Some(other) = net::routes_to(&range)?.first() {
            if context.adopt() && other.gateway.is_none() {
                let adopted =
                    holdings::adopt("route", &format!("{range}@{}", other.dev.as_deref().unwrap_or(&self.dev)))?;
                log::info(format!("took on {}", adopted.label));
                return Ok(false);
            }
            return Err(Error::failed(format!("{range} has another route on this node, {other}: remove it first")));
        }
        match net::find_link(&self.dev)? {
            None => return Err(Error::failed(format!("the interface {} does not exist", self.dev))),
            Some(link) if !link.up => return Err(Error::retryable(format!("{} is down", self.dev))),
            Some(_) => {}
        }
        Ok(net::add_route(&self.local(&range))?)
    }
}

#[cfg(test)]
mod tests;
