//! `ip.host`: an address on an interface of the node.
//!
//! Up: the address is on `dev`. Down: it is not. Status warns about an interface without a carrier, unless `check_carrier` is
//! false, and about an address that another host has as well. Start sets the interface up if it is down, and refuses if a
//! neighbour or another interface of the node has the address; otherwise it adds the address and announces it to the neighbours.
//! Stop removes the address, and nothing else. See ip-address(8), RFC 5227, RFC 4862.

use std::net::IpAddr;

use hostler_family_inet::{AddressDoubt, InetAddress, conflict, doubt, refuse_ipv6};
use hostler_sdk::cidr::ip_of;
use hostler_sdk::prelude::*;

/// How long the neighbours may take to answer three probes.
const PROBE: Duration = Duration::from_millis(1500);

/// How long an interface that was just set up may take to find its carrier.
const CARRIER: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// An address on an interface of the node.
///
/// Start sets the interface up if it is down; stop leaves it up. Start refuses an address that another host or another interface
/// of the node has, unless it is forced (`--force`), and announces the address to the neighbours. A link-local address
/// (fe80::/10) may be on several interfaces.
#[derive(Keywords)]
struct HostAddress {
    /// The address.
    #[keyword(flatten)]
    inet: InetAddress,
    /// The interface, such as `eth0`, by its name or an alternative name. A label (`eth0:1`) is not an interface.
    #[keyword(alias = "ipdev", example = "eth0")]
    dev: String,
    /// Whether status warns about an interface without a carrier.
    #[keyword(default = "true")]
    check_carrier: bool,
    /// Whether the address is added to an interface that has other addresses. Only true is supported: unlike OpenSVC, this driver
    /// never configures an interface for one address alone.
    #[keyword(default = "true")]
    alias: bool,
}

#[driver]
impl Driver for HostAddress {
    const NAME: &str = "ip.host";
    const GRANTS: &[&str] = &["net.addr = {kw:name} on {kw:dev}", "net.link = {kw:dev}"];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = self.inet.problems();
        let mut problem = |keyword: &str, text: String| problems.push(Problem::new(keyword, text));
        // OpenSVC accepted labels such as eth0:1. The kernel has no such interface.
        if let Some((dev, _)) = self.dev.split_once(':') {
            problem("dev", format!("{} is a label, not an interface: write {dev}", self.dev));
        }
        if !self.alias {
            problem("alias", "alias = false is not supported".to_owned());
        }
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let address = match self.inet.address() {
            Ok(address) => address,
            // Without a resolvable name the address is unknown, which is not the same as down.
            Err(error) => return Ok(Status::undefined(error).label(format!("{}@{}", self.inet.name, self.dev))),
        };
        let Some(link) = net::find_link(&self.dev)? else {
            let label = format!("{address}@{}", self.dev);
            return Ok(Status::down().label(label).warning(format!("there is no interface {}", self.dev)));
        };
        let Some(found) = present(&link, address) else {
            return Ok(Status::down().label(format!("{}@{}", self.inet.cidr(address, &link.addresses)?, self.dev)));
        };
        let status = Status::up().label(format!("{}@{}", found.cidr, self.dev));
        let status = self.fault(&link).into_iter().fold(status, Status::degraded);
        Ok(match doubt(&found.cidr, &found.flags) {
            Some(AddressDoubt::Useless(text)) => status.degraded(text),
            Some(AddressDoubt::Passing(text)) => status.info(text),
            None => status,
        })
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let address = self.inet.address()?;
        let link =
            net::find_link(&self.dev)?.ok_or_else(|| Error::failed(format!("there is no interface {}", self.dev)))?;
        if let Some(found) = present(&link, address) {
            return Ok(Outcome::unchanged(format!("{} is already up on {}", found.cidr, self.dev)));
        }
        refuse_ipv6(address, link.attribute("ipv6"), &format!("on {}", self.dev), &link.name)?;
        let link = self.set_up(link)?;
        if let Some(fault) = self.fault(&link) {
            return Err(Error::retryable(fault));
        }
        // A loopback has no neighbours, and the same address may be on it of several nodes on purpose.
        if link.kind != "loopback" && !context.force() {
            self.claim(address)?;
        }
        let cidr = self.inet.cidr(address, &link.addresses)?;
        net::add_address(&self.dev, &cidr, "")?;
        match net::announce(&self.dev, &address.to_string()) {
            Ok(()) => Ok(Outcome::changed(format!("added {cidr} to {}, announced", self.dev))),
            Err(error) => {
                // The address works without the announcement, only later: neighbours find it when their caches expire.
                log::warn(format!("cannot announce {address}: {error}"));
                Ok(Outcome::changed(format!("added {cidr} to {}", self.dev)))
            }
        }
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let address = self.inet.address()?;
        let link = net::find_link(&self.dev)?;
        let Some(found) = link.as_ref().and_then(|link| present(link, address)) else {
            return Ok(Outcome::unchanged(format!("{address} is already down on {}", self.dev)));
        };
        net::remove_address(&self.dev, &found.cidr)?;
        Ok(Outcome::changed(format!("removed {} from {}", found.cidr, self.dev)))
    }
}

impl HostAddress {
    /// The interface, administratively up, with its carrier if it finds one in time.
    fn set_up(&self, link: net::Link) -> Result<net::Link> {
        if link.up {
            return Ok(link);
        }
        net::set_up(&self.dev)?;
        log::info(format!("{} was down: set it up", self.dev));
        let mut seen = link;
        clock::wait_until(CARRIER, LOOK_AGAIN, || {
            seen = net::find_link(&self.dev)?.ok_or_else(|| CapabilityError::NotFound(self.dev.clone()))?;
            Ok(seen.carrier || !self.check_carrier)
        })?;
        Ok(seen)
    }

    /// The reason why the interface cannot be used, if there is one.
    fn fault(&self, link: &net::Link) -> Option<String> {
        if !link.up {
            return Some(format!("{} is down", self.dev));
        }
        (self.check_carrier && !link.carrier).then(|| format!("{} has no carrier", self.dev))
    }

    /// Fails if another host has the address, or another interface of the node.
    fn claim(&self, address: IpAddr) -> Result<()> {
        if let Some(holder) = net::find_holder(&self.dev, &address.to_string(), PROBE)? {
            return Err(conflict(address, &self.dev, &holder));
        }
        log::info(format!("{address} is free on {}", self.dev));
        Ok(())
    }
}

/// The address on the interface, with the prefix length that it has there.
fn present(link: &net::Link, address: IpAddr) -> Option<&net::Address> {
    link.addresses.iter().find(|found| ip_of(&found.cidr) == Some(address))
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{self, Case, given};

    use super::*;

    fn ip(name: &str) -> HostAddress {
        HostAddress {
            inet: InetAddress { name: name.to_owned(), netmask: Some("24".to_owned()) },
            dev: "eth0".to_owned(),
            check_carrier: true,
            alias: true,
        }
    }

    fn on(host: &fake::Host) -> Case<HostAddress> {
        given(ip("10.0.0.9")).on(host)
    }

    #[test]
    fn the_address_comes_and_goes_and_others_stay() {
        let host = fake::Host::new().link("eth0").address("eth0", "10.0.0.1/24");
        on(&host)
            .status()
            .is(State::Down)
            .labelled("10.0.0.9/24@eth0")
            .start()
            .is_changed("added 10.0.0.9/24 to eth0, announced")
            .start()
            .is_unchanged("10.0.0.9/24 is already up on eth0")
            .status()
            .is(State::Up)
            .labelled("10.0.0.9/24@eth0")
            .stop()
            .is_changed("removed 10.0.0.9/24 from eth0")
            .stop()
            .is_unchanged("10.0.0.9 is already down on eth0");
        assert_eq!(host.addresses_of("eth0"), ["10.0.0.1/24"]);
        assert!(host.calls().contains(&"net.announce eth0 10.0.0.9".to_owned()));
    }

    #[test]
    fn an_address_that_another_host_has_is_not_taken() {
        let host = fake::Host::new().link("eth0").neighbour("10.0.0.9");
        on(&host).start().fails_with("another host has 10.0.0.9 on eth0, the one with the hardware address 02:");
        assert_eq!(host.addresses_of("eth0"), [""; 0]);
    }

    #[test]
    fn an_address_of_another_interface_is_taken_by_force_alone() {
        let host = fake::Host::new().link("eth0").link("eth1").address("eth1", "10.0.0.9/16");
        on(&host).start().fails_with("the node itself has 10.0.0.9 on eth1: remove it there");
        assert_eq!(host.addresses_of("eth0"), [""; 0]);
        let forced = Context::fake("ip#1").with("force", "true");
        given(ip("10.0.0.9")).with(forced).on(&host).start().is_changed("added 10.0.0.9/24 to eth0, announced");
    }

    #[test]
    fn an_interface_that_leads_nowhere_is_a_fault() {
        let cut = || fake::Host::new().link("eth0").without_carrier("eth0");
        on(&cut()).start().fails_with("eth0 has no carrier");
        on(&cut().address("eth0", "10.0.0.9/24")).status().is(State::Warn);
        let careless = HostAddress { check_carrier: false, ..ip("10.0.0.9") };
        given(careless).on(&cut()).start().is_changed("added 10.0.0.9/24 to eth0, announced").status().is(State::Up);
        let down = fake::Host::new().link("eth0").link_down("eth0").address("eth0", "10.0.0.9/24");
        on(&down).status().is(State::Warn).mentions("eth0 is down");
        on(&fake::Host::new())
            .start()
            .fails_with("there is no interface eth0")
            .stop()
            .is_unchanged("10.0.0.9 is already down on eth0");
    }

    #[test]
    fn an_interface_that_is_down_is_set_up() {
        let host = fake::Host::new().link("eth0").link_down("eth0");
        on(&host).start().is_changed("added 10.0.0.9/24 to eth0, announced").status().is(State::Up);
    }

    #[test]
    fn an_address_that_the_kernel_does_not_use_is_not_up() {
        let v6 = || HostAddress {
            inet: InetAddress { netmask: Some("64".to_owned()), ..ip("fd00::9").inet },
            ..ip("fd00::9")
        };
        let with =
            |flag: &str| fake::Host::new().link("eth0").address("eth0", "fd00::9/64").address_flag("fd00::9/64", flag);
        given(v6()).on(&with("dadfailed")).status().is(State::Warn).mentions("another host has fd00::9/64, too");
        given(v6()).on(&with("tentative")).status().is(State::Up).mentions("(tentative)");
        let off = fake::Host::new().link("eth0").link_attribute("eth0", "ipv6", "disabled");
        given(v6()).on(&off).start().fails_with("set the sysctl net.ipv6.conf.eth0.disable_ipv6 to 0");
        assert!(!off.calls().iter().any(|call| call.starts_with("net.find-holder")), "asked in vain");
        on(&off).start().is_changed("added 10.0.0.9/24 to eth0, announced");
    }

    #[test]
    fn an_interface_is_known_by_its_alternative_names() {
        let host = fake::Host::new().link("eth0").altname("eth0", "wan0longinterfacename");
        let wan = || HostAddress { dev: "wan0longinterfacename".to_owned(), ..ip("10.0.0.9") };
        given(wan()).on(&host).start().is_changed("added 10.0.0.9/24 to wan0longinterfacename, announced");
        assert_eq!(host.addresses_of("eth0"), ["10.0.0.9/24"]);
        given(wan())
            .on(&host)
            .status()
            .is(State::Up)
            .stop()
            .is_changed("removed 10.0.0.9/24 from wan0longinterfacename");
    }

    #[test]
    fn a_name_stands_for_its_first_address() {
        let host = fake::Host::new().link("eth0").name("web.example", &["10.0.0.9", "10.0.0.10"]);
        given(ip("web.example")).on(&host).start().is_changed("added 10.0.0.9/24 to eth0, announced");
        given(ip("no.example")).on(&host).status().is(State::Undefined);
    }

    #[test]
    fn without_a_netmask_the_network_on_the_interface_decides() {
        let host = fake::Host::new().link("eth0").address("eth0", "10.0.0.1/20").address("eth0", "fd00::1/64");
        for (name, added) in [
            ("10.0.15.9", "10.0.15.9/20"),
            ("10.1.0.9", "10.1.0.9/32"),
            ("fd00::9", "fd00::9/64"),
            ("fd01::9", "fd01::9/128"),
        ] {
            let ip = HostAddress { inet: InetAddress { name: name.to_owned(), netmask: None }, ..ip(name) };
            given(ip).on(&host).start().is_changed(&format!("added {added} to eth0, announced"));
        }
    }
}
