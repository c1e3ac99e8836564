//! `ip.route`: a route, of the node or of a network namespace.
//!
//! Up: that very route is in the main table: same destination, same gateway, same interface where one is named. Down: it is
//! not, or the namespace is not there. Start adds it, stop removes it. See ip-route(8).

use std::net::IpAddr;

use hostler_sdk::cidr::{destination, holds};
use hostler_sdk::net::Route;
use hostler_sdk::prelude::*;

/// A route, of the node or of a network namespace.
///
/// A route whose netns is a container of the object acts with it: right after its start, in the order of the ids among the
/// container's addresses, and right before its stop.
#[derive(Keywords)]
struct StaticRoute {
    /// Where to: a network, an address, or `default`.
    #[keyword(alias = "to", example = "10.1.0.0/16")]
    destination: String,
    /// The router. A route needs it, or dev, or both.
    #[keyword(example = "10.0.0.1")]
    gateway: Option<String>,
    /// The interface, as it is called in the namespace of the route. Where netns is set, too, a gateway that no network of the
    /// namespace holds is taken to be on this interface.
    #[keyword(example = "eth0")]
    dev: Option<String>,
    /// The network namespace: a container of the object, a name as in ip-netns(8), or a path. By default that of the node.
    #[keyword(example = "container#1")]
    netns: Option<String>,
}

#[driver]
impl Driver for StaticRoute {
    const NAME: &str = "ip.route";
    const GRANTS: &[&str] = &[
        "net.route = {kw:destination} via {kw:gateway}",
        "net.route = {kw:destination} dev {kw:dev}",
        "netns.route = {kw:destination} via {kw:gateway} in {kw:netns}",
        "netns.route = {kw:destination} dev {kw:dev} in {kw:netns}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut check = |wrong: bool, keyword: &str, text: String| {
            problems.extend(wrong.then(|| Problem::new(keyword, text)));
        };
        let known = destination(&self.destination);
        let text = format!("{} is not a destination: expected a network, an address, or default", self.destination);
        check(known.is_none(), "destination", text);
        let router: Option<IpAddr> = self.gateway.as_ref().and_then(|gateway| gateway.parse().ok());
        if let Some(gateway) = &self.gateway {
            check(router.is_none(), "gateway", format!("{gateway} is not an address"));
        }
        let nowhere = self.gateway.is_none() && self.dev.is_none();
        check(nowhere, "gateway", "a route needs a gateway or an interface".to_owned());
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(match self.present() {
            Ok(RoutePresence::Yes(_)) => Status::up(),
            Ok(RoutePresence::No { .. }) => Status::down(),
            // While its container is down, that is no news.
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

/// Whether the route is there.
enum RoutePresence {
    /// As it is.
    Yes(Route),
    No {
        /// Whether its gateway must be told to be on the link.
        onlink: bool,
    },
    /// There is no such namespace.
    NoNamespace(String),
}

impl StaticRoute {
    /// `10.1.0.0/16 via 10.0.0.1 dev eth0 in container#1`
    fn label(&self) -> String {
        let part = |word: &str, value: &Option<String>| value.as_ref().map(|value| format!(" {word} {value}"));
        let parts = [part("via", &self.gateway), part("dev", &self.dev), part("in", &self.netns)];
        self.destination.clone() + &parts.into_iter().flatten().collect::<String>()
    }

    fn route(&self) -> Result<Route> {
        let destination = destination(&self.destination)
            .ok_or_else(|| Error::invalid_config(format!("{} is not a destination", self.destination)))?;
        Ok(Route { destination, gateway: self.gateway.clone(), dev: self.dev.clone() })
    }

    fn present(&self) -> Result<RoutePresence> {
        let wanted = self.route()?;
        let routes = match &self.netns {
            None => net::routes_to(&wanted.destination)?,
            Some(netns) => match netns::look(netns)? {
                Some(contents) => contents.routes,
                None => return Ok(RoutePresence::NoNamespace(netns.clone())),
            },
        };
        let same = |route: &Route| {
            route.destination == wanted.destination
                && address(&route.gateway) == address(&wanted.gateway)
                && (wanted.dev.is_none() || route.dev == wanted.dev)
        };
        Ok(match routes.iter().find(|route| same(route)) {
            Some(route) => RoutePresence::Yes(route.clone()),
            None => RoutePresence::No { onlink: self.dev.is_some() && self.is_out_of_reach(&routes) },
        })
    }

    /// Whether no network that is reached without a router holds the gateway.
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
        assert!(host.within("container#1").contains(&"route default via 10.0.0.1".to_owned()));
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
    fn an_interface_that_is_named_counts() {
        let host = Host::new().route("10.1.0.0/16", None, Some("eth0"));
        given(route("10.1.0.0/16", None, Some("eth0"))).on(&host).status().is(State::Up);
        given(route("10.1.0.0/16", None, Some("eth1"))).on(&host).status().is(State::Down);
        given(route("10.1.0.0/16", Some("10.0.0.1"), Some("eth0"))).on(&host).status().is(State::Down);
    }

    #[test]
    fn a_route_that_leads_nowhere_is_told() {
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
