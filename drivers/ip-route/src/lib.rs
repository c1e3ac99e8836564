//! `ip.route`: a route, of the node or of a network namespace.
//!
//! Up: the route that start added is in the main table. Down: it is not, or the namespace does not exist. Status warns about a
//! route whose interface has no carrier, and about one of another program (DHCP, an administrator) that leads the same way: start
//! takes it on only if the operator says so, and stop leaves it. Stop removes the route that start added. See ip-route(8).

use std::net::IpAddr;

use hostler_family_inet::{adopt, held, not_ours, renamed, stop};
use hostler_sdk::cidr::{destination, holds, ip_of};
use hostler_sdk::holdings::Holding;
use hostler_sdk::net::Route;
use hostler_sdk::prelude::*;

/// A route, of the node or of a network namespace.
///
/// If netns is a container of the object, the route is added right after the start of the container, together with its addresses
/// in the order of their ids, and removed right before its stop. The same route of another program, such as a DHCP client, is not
/// the resource's: `start --local --adopt` takes it on.
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
        let (held, sight) = (held("route")?, self.look()?);
        let status = match (&held, &sight) {
            (Some(held), Some(sight)) => self.status_of(held, sight),
            // Its namespace is another one than that of the keywords.
            (Some(held), None) => Status::up().degraded(self.differs(held)),
            (None, Some(RouteSight { same: Some(stranger), .. })) => Status::down().warning(not_ours(&told(stranger))),
            // While the container is down, its namespace is expected to be missing.
            (None, None) if !self.is_of_resource() => Status::down().info(format!("there is no {}", self.place())),
            (None, _) => Status::down(),
        };
        Ok(status.label(self.label()))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        if let Some(held) = held("route")? {
            return Ok(Outcome::unchanged(format!("{} is already up", held.label)));
        }
        let Some(sight) = self.look()? else {
            return Err(Error::retryable(format!("{} has no network namespace: is it up?", self.place())));
        };
        let route = self.route()?;
        // Looked for before: the kernel takes the same way a second time under another metric, and then both are there.
        let added = match &self.netns {
            _ if sight.same.is_some() => false,
            Some(netns) => netns::add_route(netns, &route, sight.onlink)?,
            None => net::add_route(&route)?,
        };
        match added {
            true => Ok(Outcome::changed(format!("added {}", self.label()))),
            false => self.adopt(&route, sight.same.as_ref()),
        }
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let stays = |stranger: Route| format!("{} stays: this resource did not add it", told(&stranger));
        stop(&self.label(), || Ok(self.look()?.and_then(|sight| sight.same).map(stays)))
    }
}

/// What a look at the routes found.
struct RouteSight {
    /// The route with the same destination and gateway, and by the same interface if one is named, whatever added it.
    same: Option<Route>,
    /// Whether the route must be added with `onlink`.
    onlink: bool,
}

impl StaticRoute {
    /// The label: `10.1.0.0/16 via 10.0.0.1 dev eth0 in container#1`.
    fn label(&self) -> String {
        let part = |word: &str, value: &Option<String>| value.as_ref().map(|value| format!(" {word} {value}"));
        let parts = [part("via", &self.gateway), part("dev", &self.dev), part("in", &self.netns)];
        self.destination.clone() + &parts.into_iter().flatten().collect::<String>()
    }

    /// The words for where the route is.
    fn place(&self) -> String {
        match &self.netns {
            Some(netns) if netns.contains('#') => netns.clone(),
            Some(netns) => format!("network namespace {netns}"),
            None => "node".to_owned(),
        }
    }

    fn is_of_resource(&self) -> bool {
        self.netns.as_ref().is_some_and(|netns| netns.contains('#'))
    }

    fn route(&self) -> Result<Route> {
        let destination = destination(&self.destination, address(&self.gateway))
            .ok_or_else(|| Error::invalid_config(format!("{} is not a destination", self.destination)))?;
        Ok(Route::new(&destination, self.gateway.as_deref(), self.dev.as_deref()))
    }

    /// The status of the route that start added.
    fn status_of(&self, held: &Holding, sight: &RouteSight) -> Status {
        let is_held = |route: &Route| {
            let own = Route::new(held.text("destination"), held.attribute("gateway"), route.dev.as_deref());
            let metric = held.attribute("metric").is_none_or(|metric| route.attribute("metric") == Some(metric));
            metric && route.leads_like(&own)
        };
        match sight.same.as_ref().filter(|route| is_held(route)) {
            Some(route) if route.attribute("linkdown") == Some("true") => {
                let dev = route.dev.as_deref().unwrap_or("its interface");
                Status::up().degraded(format!("{dev} has no carrier"))
            }
            Some(_) => Status::up(),
            None => Status::up().degraded(self.differs(held)),
        }
    }

    fn differs(&self, held: &Holding) -> String {
        let renamed = self.dev.as_ref().and_then(|dev| renamed(held, dev));
        let edited =
            || format!("{} is up, and the keywords say {} now: a restart applies it", held.label, self.label());
        renamed.unwrap_or_else(edited)
    }

    /// Takes on the route that is there, if the operator said so.
    fn adopt(&self, route: &Route, there: Option<&Route>) -> Result<Outcome> {
        let dev = there.and_then(|there| there.dev.clone()).or_else(|| route.dev.clone());
        let by = route.gateway.clone().or(dev).unwrap_or_default();
        let within = self.netns.iter().map(|netns| format!(" in {netns}")).collect::<String>();
        adopt("route", &format!("{}@{by}{within}", route.destination))
    }

    /// Looks for the route. None if the namespace does not exist.
    fn look(&self) -> Result<Option<RouteSight>> {
        let mut wanted = self.route()?;
        let routes = match &self.netns {
            None => {
                wanted.dev = self.kernel_name(|dev| Ok(net::find_link(dev)?.map(|link| link.name)))?;
                net::routes_to(&wanted.destination)?
            }
            Some(netns) => {
                let Some(contents) = netns::look(netns)? else { return Ok(None) };
                let links = contents.links;
                wanted.dev = self
                    .kernel_name(|dev| Ok(links.into_iter().find(|link| link.is_called(dev)).map(|link| link.name)))?;
                contents.routes
            }
        };
        let same = |route: &&Route| {
            // Without a dev of its own, the route is the one of any link.
            let dev = wanted.dev.clone().or_else(|| route.dev.clone());
            route.attribute("special").is_none() && route.leads_like(&Route { dev, ..wanted.clone() })
        };
        let onlink = self.dev.is_some() && self.is_out_of_reach(&routes);
        Ok(Some(RouteSight { same: routes.iter().find(same).cloned(), onlink }))
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

/// The words for a route of another program: with what tells that it is not the resource's.
fn told(route: &Route) -> String {
    let part = |key: &str| route.attribute(key).filter(|value| *value != "0").map(|value| format!(" {key} {value}"));
    let parts: String = ["proto", "metric"].into_iter().filter_map(part).collect();
    format!("the route {route}{parts}")
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
            .is_unchanged("the route to 10.1.0.0/16 by 10.0.0.1 is already up")
            .status()
            .is(State::Up)
            .stop()
            .is_changed("removed the route to 10.1.0.0/16 by 10.0.0.1")
            .stop()
            .is_unchanged("10.1.0.0/16 via 10.0.0.1 is already down");
        assert_eq!(host.routes(), ["10.1.0.0/16 via 10.0.0.2"]);
    }

    #[test]
    fn a_route_of_another_program_is_left_alone_until_it_is_taken_on() {
        let dhcp = || Route::new("0.0.0.0/0", Some("10.0.0.1"), Some("eth0"));
        let host = || Host::new().link("eth0").route_like(dhcp(), &[("proto", "dhcp"), ("metric", "100")]);
        let ours = || route("default", Some("10.0.0.1"), None);
        let left = host();
        given(ours())
            .on(&left)
            .status()
            .is(State::Down)
            .mentions("the route 0.0.0.0/0 via 10.0.0.1 dev eth0 proto dhcp metric 100 is there")
            .start()
            .fails_with("say start --local --adopt to take it on")
            .stop()
            .is_unchanged("default via 10.0.0.1 is already down");
        assert_eq!(left.routes(), ["0.0.0.0/0 via 10.0.0.1 dev eth0"]);
        let taken = host();
        let adopting = given(ours()).with(Context::fake("ip#1").with("adopt", "true")).on(&taken);
        adopting.start().is_unchanged("took on the route to 0.0.0.0/0 by 10.0.0.1 on eth0").status().is(State::Up);
        given(ours()).on(&taken).stop().is_changed("removed the route to 0.0.0.0/0 by 10.0.0.1 on eth0");
        assert_eq!(taken.routes(), [""; 0]);
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
        given(inside()).on(&host).stop().is_changed("removed the route to 0.0.0.0/0 by 10.0.0.1 in container#1");
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
            .is_changed("removed the route to ::/0 on eth0");
        let other = "the route 0.0.0.0/0 dev eth0 is there, but this resource did not add it";
        given(route("default", None, Some("eth0"))).on(&host).status().is(State::Down).mentions(other);
        given(route("default", Some("fe80::1"), Some("eth0"))).on(&host).status().is(State::Down);
        assert_eq!(host.routes(), ["0.0.0.0/0 dev eth0"]);
        let of_both = given(route("::/0", Some("10.0.0.1"), None)).on(&host);
        of_both.validate().finds(&[("gateway", "10.0.0.1 cannot be the router to ::, which is of IPv6")]);
    }

    #[test]
    fn a_route_without_a_carrier_is_reported() {
        let dead = Route::new("10.1.0.0/16", Some("10.0.0.1"), Some("eth0"));
        let host = Host::new().link("eth0").route_like(dead, &[("linkdown", "true")]);
        let adopting = Context::fake("ip#1").with("adopt", "true");
        let case = given(route("10.1.0.0/16", Some("10.0.0.1"), None)).with(adopting).on(&host);
        case.start().status().is(State::Warn).mentions("eth0 has no carrier");
    }

    #[test]
    fn an_interface_that_is_named_counts() {
        let host = Host::new().link("eth0").altname("eth0", "wan0longinterfacename");
        given(route("10.1.0.0/16", None, Some("eth0"))).on(&host).start().status().is(State::Up);
        given(route("10.1.0.0/16", None, Some("wan0longinterfacename"))).on(&host).status().is(State::Up);
        for other in [route("10.1.0.0/16", None, Some("eth1")), route("10.1.0.0/16", Some("10.0.0.1"), Some("eth0"))] {
            let words = "the route to 10.1.0.0/16 on eth0 is up, and the keywords say 10.1.0.0/16";
            given(other).on(&host).status().is(State::Warn).mentions(words);
        }
        given(route("10.9.0.0/16", None, Some("eth1")))
            .on(&host)
            .stop()
            .is_changed("removed the route to 10.1.0.0/16 on eth0");
        assert_eq!(host.routes(), [""; 0]);
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
