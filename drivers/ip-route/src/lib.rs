//! `ip.route`: a route, of the node or of a network namespace.
//!
//! Up: the main table has this route: same destination, same gateway, and same interface if one is named. Down: it does not, or
//! the namespace does not exist. Status warns about a route whose interface has no carrier. Start adds the route, stop removes
//! it. See ip-route(8).

use std::net::IpAddr;

use hostler_sdk::cidr::{destination, holds, ip_of};
use hostler_sdk::net::Route;
use hostler_sdk::prelude::*;

/// A route, of the node or of a network namespace.
///
/// If netns is a container of the object, the route is added right after the start of the container, together with its addresses
/// in the order of their ids, and removed right before its stop.
#[derive(Keywords)]
struct StaticRoute {
    /// The destination: a network, an address, or `default`, which is `::/0` with a gateway of IPv6, else `0.0.0.0/0`.
    #[keyword(alias = "to", example = "10.1.0.0/16")]
    destination: String,
    /// The router. A route needs a gateway, or dev, or both.
    #[keyword(example = "10.0.0.1")]
    gateway: Option<String>,
    /// The interface, by its name or an alternative name in the namespace of the route. If netns is also set, a gateway that is in no network of the
    /// namespace is assumed to be on this interface.
    #[keyword(example = "eth0")]
    dev: Option<String>,
    /// The network namespace: a container of the object, a name as in ip-netns(8), or a path. The default is the node's own.
    #[keyword(example = "container#1")]
    netns: Option<String>,
}

#[driver]
impl Driver for StaticRoute {
    const NAME: &str = "ip.route";
    const GRANTS: &[&str] = &[
        "net.route = {kw:destination} via {kw:gateway}",
        "net.route = {kw:destination} dev {kw:dev}",
        "net.link(read) = {kw:dev}",
        "netns.route = {kw:destination} via {kw:gateway} in {kw:netns}",
        "netns.route = {kw:destination} dev {kw:dev} in {kw:netns}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut check = |wrong: bool, keyword: &str, text: String| {
            problems.extend(wrong.then(|| Problem::new(keyword, text)));
        };
        let router = address(&self.gateway);
        let known = destination(&self.destination, router);
        let text = format!("{} is not a destination: expected a network, an address, or default", self.destination);
        check(known.is_none(), "destination", text);
        // The kernel takes an IPv6 router for an IPv4 network, but not the other way round.
        let to: Option<IpAddr> = known.and_then(|known| ip_of(&known));
        if let (Some(to @ IpAddr::V6(_)), Some(router @ IpAddr::V4(_))) = (to, router) {
            check(true, "gateway", format!("{router} cannot be the router to {to}, which is of IPv6"));
        }
        if let Some(gateway) = &self.gateway {
            check(router.is_none(), "gateway", format!("{gateway} is not an address"));
        }
        let nowhere = self.gateway.is_none() && self.dev.is_none();
        check(nowhere, "gateway", "a route needs a gateway or an interface".to_owned());
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(match self.present() {
            Ok(RoutePresence::Yes(route)) => match (route.attribute("linkdown"), &route.dev) {
                (Some("true"), Some(dev)) => Status::up().degraded(format!("{dev} has no carrier")),
                _ => Status::up(),
            },
            Ok(RoutePresence::No { .. }) => Status::down(),
            // While the container is down, its namespace is expected to be missing.
            Ok(RoutePresence::NoNamespace(netns)) if netns.contains('#') => Status::down(),
            Ok(RoutePresence::NoNamespace(netns)) => {
                Status::down().info(format!("there is no network namespace {netns}"))
            }
            Err(error) => return Err(error),
        }
        .label(self.label()))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        match self.present()? {
            RoutePresence::Yes(_) => return Ok(Outcome::unchanged(format!("{} is already up", self.label()))),
            RoutePresence::NoNamespace(netns) => {
                return Err(Error::retryable(format!("{netns} has no network namespace: is it up?")));
            }
            RoutePresence::No { onlink } => {
                let route = self.route()?;
                match &self.netns {
                    Some(netns) => netns::add_route(netns, &route, onlink)?,
                    None => net::add_route(&route)?,
                };
            }
        }
        Ok(Outcome::changed(format!("added {}", self.label())))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let RoutePresence::Yes(route) = self.present()? else {
            return Ok(Outcome::unchanged(format!("{} is already down", self.label())));
        };
        match &self.netns {
            Some(netns) => netns::remove_route(netns, &route)?,
            None => net::remove_route(&route)?,
        };
        Ok(Outcome::changed(format!("removed {}", self.label())))
    }
}

/// Whether the route exists.
enum RoutePresence {
    /// The route, as the kernel has it.
    Yes(Route),
    No {
        /// Whether the route must be added with `onlink`.
        onlink: bool,
    },
    /// The namespace with this name does not exist.
    NoNamespace(String),
}

impl StaticRoute {
    /// The label: `10.1.0.0/16 via 10.0.0.1 dev eth0 in container#1`.
    fn label(&self) -> String {
        let part = |word: &str, value: &Option<String>| value.as_ref().map(|value| format!(" {word} {value}"));
        let parts = [part("via", &self.gateway), part("dev", &self.dev), part("in", &self.netns)];
        self.destination.clone() + &parts.into_iter().flatten().collect::<String>()
    }

    fn route(&self) -> Result<Route> {
        let destination = destination(&self.destination, address(&self.gateway))
            .ok_or_else(|| Error::invalid_config(format!("{} is not a destination", self.destination)))?;
        Ok(Route::new(&destination, self.gateway.as_deref(), self.dev.as_deref()))
    }

    fn present(&self) -> Result<RoutePresence> {
        let mut wanted = self.route()?;
        let routes = match &self.netns {
            None => {
                wanted.dev = self.kernel_name(|dev| Ok(net::find_link(dev)?.map(|link| link.name)))?;
                net::routes_to(&wanted.destination)?
            }
            Some(netns) => {
                let Some(contents) = netns::look(netns)? else {
                    return Ok(RoutePresence::NoNamespace(netns.clone()));
                };
                let links = contents.links;
                wanted.dev = self
                    .kernel_name(|dev| Ok(links.into_iter().find(|link| link.is_called(dev)).map(|link| link.name)))?;
                contents.routes
            }
        };
        let same = |route: &Route| {
            // Without a dev of its own, the route is the one of any link.
            let dev = wanted.dev.clone().or_else(|| route.dev.clone());
            route.attribute("special").is_none() && route.leads_like(&Route { dev, ..wanted.clone() })
        };
        Ok(match routes.iter().find(|route| same(route)) {
            Some(route) => RoutePresence::Yes(route.clone()),
            None => RoutePresence::No { onlink: self.dev.is_some() && self.is_out_of_reach(&routes) },
        })
    }

    /// The name that the kernel has for the interface: `dev` may be an alternative one, or not exist.
    fn kernel_name(&self, find: impl FnOnce(&str) -> Result<Option<String>>) -> Result<Option<String>> {
        let Some(dev) = &self.dev else { return Ok(None) };
        Ok(Some(find(dev)?.unwrap_or_else(|| dev.clone())))
    }

    /// Whether the gateway is in no network that is reached without a router.
    fn is_out_of_reach(&self, routes: &[Route]) -> bool {
        let Some(gateway) = address(&self.gateway) else { return false };
        !routes.iter().any(|route| route.gateway.is_none() && holds(&route.destination, gateway))
    }
}

fn address(text: &Option<String>) -> Option<IpAddr> {
    text.as_ref().and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, given, stop_undoes_any_failed_start};

    use super::*;

    fn route(destination: &str, gateway: Option<&str>, dev: Option<&str>) -> StaticRoute {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        StaticRoute { destination: destination.to_owned(), gateway: owned(gateway), dev: owned(dev), netns: None }
    }

    fn on(host: &Host) -> Case<StaticRoute> {
        given(route("10.1.0.0/16", Some("10.0.0.1"), None)).on(host)
    }

    #[test]
    fn the_very_route_comes_and_goes() {
        let host = Host::new().link("eth0").route("10.1.0.0/16", Some("10.0.0.2"), None);
        on(&host)
            .status()
            .is(State::Down)
            .labelled("10.1.0.0/16 via 10.0.0.1")
            .start()
            .is_changed("added 10.1.0.0/16 via 10.0.0.1")
            .start()
            .is_unchanged("10.1.0.0/16 via 10.0.0.1 is already up")
            .status()
            .is(State::Up)
            .stop()
            .is_changed("removed 10.1.0.0/16 via 10.0.0.1")
            .stop()
            .is_unchanged("10.1.0.0/16 via 10.0.0.1 is already down");
        assert_eq!(host.routes(), ["10.1.0.0/16 via 10.0.0.2"]);
    }

    #[test]
    fn a_route_of_a_namespace_is_there_and_not_on_the_node() {
        let host = Host::new().namespace("container#1").inner_address("container#1", "eth0", "10.0.0.34/24");
        let inside =
            || StaticRoute { netns: Some("container#1".to_owned()), ..route("default", Some("10.0.0.1"), None) };
        given(inside())
            .on(&host)
            .start()
            .is_changed("added default via 10.0.0.1 in container#1")
            .status()
            .is(State::Up);
        assert!(host.within("container#1").contains(&"route 0.0.0.0/0 via 10.0.0.1".to_owned()));
        assert_eq!(host.routes(), [""; 0]);
        given(inside()).on(&host).stop().is_changed("removed default via 10.0.0.1 in container#1");
        given(inside())
            .on(&Host::new())
            .status()
            .is(State::Down)
            .stop()
            .is_unchanged("default via 10.0.0.1 in container#1 is already down")
            .start()
            .fails_with("container#1 has no network namespace: is it up?");
    }

    #[test]
    fn a_gateway_that_no_network_holds_is_on_the_interface_that_is_named() {
        let host = Host::new().namespace("blue");
        let inside = |dev: Option<&str>| StaticRoute {
            netns: Some("blue".to_owned()),
            ..route("10.1.0.0/16", Some("10.0.0.1"), dev)
        };
        given(inside(None)).on(&host).start().fails_with("network is unreachable");
        given(inside(Some("eth0"))).on(&host).start().is_changed("added 10.1.0.0/16 via 10.0.0.1 dev eth0 in blue");
    }

    #[test]
    fn the_default_routes_of_both_families_are_two() {
        let host = Host::new().link("eth0").route("0.0.0.0/0", None, Some("eth0"));
        given(route("::/0", None, Some("eth0")))
            .on(&host)
            .status()
            .is(State::Down)
            .start()
            .is_changed("added ::/0 dev eth0")
            .stop()
            .is_changed("removed ::/0 dev eth0");
        given(route("default", None, Some("eth0"))).on(&host).status().is(State::Up);
        given(route("default", Some("fe80::1"), Some("eth0"))).on(&host).status().is(State::Down);
        assert_eq!(host.routes(), ["0.0.0.0/0 dev eth0"]);
        let of_both = given(route("::/0", Some("10.0.0.1"), None)).on(&host);
        of_both.validate().finds(&[("gateway", "10.0.0.1 cannot be the router to ::, which is of IPv6")]);
    }

    #[test]
    fn a_route_without_a_carrier_is_reported() {
        let dead = Route::new("10.1.0.0/16", Some("10.0.0.1"), Some("eth0"));
        let host = Host::new().link("eth0").route_like(dead, &[("linkdown", "true")]);
        on(&host).status().is(State::Warn).mentions("eth0 has no carrier");
    }

    #[test]
    fn an_interface_that_is_named_counts() {
        let host = Host::new().route("10.1.0.0/16", None, Some("eth0"));
        given(route("10.1.0.0/16", None, Some("eth0"))).on(&host).status().is(State::Up);
        let host = host.link("eth0").altname("eth0", "wan0longinterfacename");
        given(route("10.1.0.0/16", None, Some("wan0longinterfacename"))).on(&host).status().is(State::Up);
        given(route("10.1.0.0/16", None, Some("eth1"))).on(&host).status().is(State::Down);
        given(route("10.1.0.0/16", Some("10.0.0.1"), Some("eth0"))).on(&host).status().is(State::Down);
    }

    #[test]
    fn a_route_that_leads_nowhere_is_reported() {
        given(route("10.1.0.0/16", None, None))
            .on(&Host::new())
            .validate()
            .finds(&[("gateway", "a route needs a gateway or an interface")]);
        given(route("x", Some("y"), None)).on(&Host::new()).validate().finds(&[
            ("destination", "x is not a destination: expected a network, an address, or default"),
            ("gateway", "y is not an address"),
        ]);
    }

    #[test]
    fn stop_undoes_a_start_that_failed_half_way() {
        stop_undoes_any_failed_start(|| on(&Host::new().link("eth0")));
    }
}
