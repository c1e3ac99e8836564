//! `ip.host`: an address on an interface of the node.
//!
//! Up: the address that start added is there. Down: it is not. Status warns about an interface without a carrier, unless `check_carrier` is
//! false, and about an address that another host has as well. Start sets the interface up if it is down, and refuses if a
//! neighbour or another interface of the node has the address; otherwise it adds the address and announces it to the neighbours.
//! Stop removes the address that start added, whatever the keywords say by then, and nothing else. See ip-address(8), RFC 5227, RFC 4862.

use std::net::IpAddr;

use hostler_family_inet::{
    AddressDoubt, InetAddress, adopt, conflict, dev_now, differences, doubt, held, not_ours, refuse_ipv6, renamed, stop,
};
use hostler_sdk::cidr::ip_of;
use hostler_sdk::holdings::Holding;
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
/// (fe80::/10) may be on several interfaces. An address that is on the interface already, added by hand or by another program,
/// is not the resource's: `start --local --adopt` takes it on.
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
        match held("address")? {
            Some(held) => self.status_of(&held),
            None => self.status_without(),
        }
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        if let Some(held) = held("address")? {
            return Ok(Outcome::unchanged(format!("{} is already up", held.label)));
        }
        let address = self.inet.address()?;
        let link = net::find_link(&self.dev)?
            .ok_or_else(|| Error::failed(format!("the interface {} does not exist", self.dev)))?;
        if let Some(stranger) = on(&link, address) {
            return adopt("address", &format!("{}@{}", stranger.cidr, self.dev));
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
        // The resolver is not asked: it may be gone, and what is held is known without it.
        stop(&format!("{} on {}", self.inet.name, self.dev), || self.stranger())
    }
}

impl HostAddress {
    /// The status of the address that start added.
    fn status_of(&self, held: &Holding) -> Result<Status> {
        let (cidr, own) = (held.text("cidr"), dev_now(held));
        let status = Status::up().label(format!("{cidr}@{own}"));
        let address = match self.inet.address() {
            Ok(address) => Some(address),
            Err(error) => return Ok(status.degraded(error)),
        };
        let status = differences(held, address, self.inet.prefix()).into_iter().fold(status, Status::degraded);
        // By its number, as far as that is known: the link may have another name by now.
        let is_own = |link: &net::Link| match held.attribute("index") {
            Some(index) => index == link.index.to_string(),
            None => link.is_called(own),
        };
        let Some(link) = net::find_link(&self.dev)?.filter(is_own) else {
            let edited = || format!("{} is up, and dev is {} now: a restart applies it", held.label, self.dev);
            return Ok(status.degraded(renamed(held, &self.dev).unwrap_or_else(edited)));
        };
        let status = self.fault(&link).into_iter().fold(status, Status::degraded);
        let flags = link.addresses.iter().find(|found| found.cidr == cidr).map(|found| &found.flags);
        Ok(match flags.and_then(|flags| doubt(cidr, flags)) {
            Some(AddressDoubt::Useless(text)) => status.degraded(text),
            Some(AddressDoubt::Passing(text)) => status.info(text),
            None => status,
        })
    }

    /// The status if start added nothing, or what it added is gone.
    fn status_without(&self) -> Result<Status> {
        let address = match self.inet.address() {
            Ok(address) => address,
            Err(error) => return Ok(Status::down().label(format!("{}@{}", self.inet.name, self.dev)).warning(error)),
        };
        let Some(link) = net::find_link(&self.dev)? else {
            let label = format!("{address}@{}", self.dev);
            return Ok(Status::down().label(label).warning(format!("the interface {} does not exist", self.dev)));
        };
        let status = Status::down().label(format!("{}@{}", self.inet.cidr(address, &link.addresses)?, self.dev));
        let Some(stranger) = on(&link, address) else { return Ok(self.elsewhere(&link, address, status)) };
        let status = status.warning(not_ours(&format!("{} on {}", stranger.cidr, self.dev)));
        Ok(match doubt(&stranger.cidr, &stranger.flags) {
            Some(AddressDoubt::Useless(text)) => status.warning(text),
            Some(AddressDoubt::Passing(text)) => status.info(text),
            None => status,
        })
    }

    /// The status, with a warning if another interface of the node has the address. On a loopback it may be on purpose.
    fn elsewhere(&self, link: &net::Link, address: IpAddr, status: Status) -> Status {
        if link.kind == "loopback" {
            return status;
        }
        // The node's own interfaces are looked at, and its neighbours are not asked.
        let holder = net::find_holder(&self.dev, &address.to_string(), Duration::ZERO).ok().flatten();
        match holder.and_then(|holder| holder.dev) {
            Some(dev) => {
                status.warning(format!("the node itself has {address}, on {dev}: this resource did not add it there"))
            }
            None => status,
        }
    }

    /// The words for an address that looks like this resource's, and is not. A host name is not looked up for them.
    fn stranger(&self) -> Result<Option<String>> {
        let Some(address) = self.inet.literal() else { return Ok(None) };
        let link = net::find_link(&self.dev)?;
        let stranger = link.as_ref().and_then(|link| on(link, address));
        Ok(stranger.map(|stranger| format!("{} on {} stays: this resource did not add it", stranger.cidr, self.dev)))
    }

    /// The interface, administratively up, with its carrier if it finds one in time.
    fn set_up(&self, link: net::Link) -> Result<net::Link> {
        if link.up {
            return Ok(link);
        }
        net::set_up(&self.dev)?;
        log::info(format!("{} was down: set it up", self.dev));
        let mut seen = link;
        // Whether it came in time does not matter here: `fault` says what is missing.
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
fn on(link: &net::Link, address: IpAddr) -> Option<&net::Address> {
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

    fn ip_on(host: &fake::Host) -> Case<HostAddress> {
        given(ip("10.0.0.9")).on(host)
    }

    #[test]
    fn the_address_comes_and_goes_and_others_stay() {
        let host = fake::Host::new().link("eth0").address("eth0", "10.0.0.1/24");
        ip_on(&host)
            .status()
            .is(State::Down)
            .labelled("10.0.0.9/24@eth0")
            .start()
            .is_changed("added 10.0.0.9/24 to eth0, announced")
            .start()
            .is_unchanged("10.0.0.9/24 on eth0 is already up")
            .status()
            .is(State::Up)
            .labelled("10.0.0.9/24@eth0")
            .stop()
            .is_changed("removed 10.0.0.9/24 on eth0")
            .stop()
            .is_unchanged("10.0.0.9 on eth0 is already down");
        assert_eq!(host.addresses_of("eth0"), ["10.0.0.1/24"]);
        assert!(host.calls().contains(&"net.announce eth0 10.0.0.9".to_owned()));
    }

    #[test]
    fn an_address_that_another_host_has_is_not_taken() {
        let host = fake::Host::new().link("eth0").neighbour("10.0.0.9");
        ip_on(&host).start().fails_with("another host has 10.0.0.9 on eth0, the one with the hardware address 02:");
        assert_eq!(host.addresses_of("eth0"), [""; 0]);
    }

    #[test]
    fn an_address_of_another_interface_is_taken_by_force_alone() {
        let host = fake::Host::new().link("eth0").link("eth1").address("eth1", "10.0.0.9/16");
        ip_on(&host).start().fails_with("the node itself has 10.0.0.9 on eth1: remove it there");
        assert_eq!(host.addresses_of("eth0"), [""; 0]);
        let forced = Context::fake("ip#1").with("force", "true");
        given(ip("10.0.0.9")).with(forced).on(&host).start().is_changed("added 10.0.0.9/24 to eth0, announced");
    }

    #[test]
    fn an_interface_that_leads_nowhere_is_a_fault() {
        let cut = || fake::Host::new().link("eth0").without_carrier("eth0");
        ip_on(&cut()).start().fails_with("eth0 has no carrier");
        let host = fake::Host::new().link("eth0");
        ip_on(&host).start();
        ip_on(&host.without_carrier("eth0")).status().is(State::Warn).mentions("eth0 has no carrier");
        let careless = HostAddress { check_carrier: false, ..ip("10.0.0.9") };
        given(careless).on(&cut()).start().is_changed("added 10.0.0.9/24 to eth0, announced").status().is(State::Up);
        let host = fake::Host::new().link("eth0");
        ip_on(&host).start();
        ip_on(&host.link_down("eth0")).status().is(State::Warn).mentions("eth0 is down");
        ip_on(&fake::Host::new())
            .start()
            .fails_with("the interface eth0 does not exist")
            .stop()
            .is_unchanged("10.0.0.9 on eth0 is already down");
    }

    #[test]
    fn an_interface_that_is_down_is_set_up() {
        let host = fake::Host::new().link("eth0").link_down("eth0");
        ip_on(&host).start().is_changed("added 10.0.0.9/24 to eth0, announced").status().is(State::Up);
    }

    #[test]
    fn an_address_that_the_kernel_does_not_use_is_not_up() {
        let v6 = || HostAddress {
            inet: InetAddress { netmask: Some("64".to_owned()), ..ip("fd00::9").inet },
            ..ip("fd00::9")
        };
        let with =
            |flag: &str| fake::Host::new().link("eth0").address("eth0", "fd00::9/64").address_flag("fd00::9/64", flag);
        given(v6()).on(&with("dadfailed")).status().is(State::Down).mentions("another host has fd00::9/64, too");
        let adopting = || Context::fake("ip#1").with("adopt", "true");
        for (flag, state) in [("dadfailed", State::Warn), ("tentative", State::Up)] {
            let host = with(flag);
            let case = given(v6()).with(adopting()).on(&host);
            case.start().is_unchanged("took on fd00::9/64 on eth0").status().is(state).mentions(flag);
        }
        let off = fake::Host::new().link("eth0").link_attribute("eth0", "ipv6", "disabled");
        given(v6()).on(&off).start().fails_with("set the sysctl net.ipv6.conf.eth0.disable_ipv6 to 0");
        assert!(!off.calls().iter().any(|call| call.starts_with("net.find-holder")), "asked in vain");
        ip_on(&off).start().is_changed("added 10.0.0.9/24 to eth0, announced");
    }

    #[test]
    fn an_interface_is_known_by_its_alternative_names() {
        let host = fake::Host::new().link("eth0").altname("eth0", "wan0longinterfacename");
        let wan = || HostAddress { dev: "wan0longinterfacename".to_owned(), ..ip("10.0.0.9") };
        given(wan()).on(&host).start().is_changed("added 10.0.0.9/24 to wan0longinterfacename, announced");
        assert_eq!(host.addresses_of("eth0"), ["10.0.0.9/24"]);
        given(wan()).on(&host).status().is(State::Up).stop().is_changed("removed 10.0.0.9/24 on eth0");
    }

    #[test]
    fn an_address_of_another_program_is_left_alone_until_it_is_taken_on() {
        for cidr in ["10.0.0.9/24", "10.0.0.9/32"] {
            let host = fake::Host::new().link("eth0").address("eth0", cidr);
            let words = format!("{cidr} on eth0 is there, but this resource did not add it");
            ip_on(&host)
                .status()
                .is(State::Down)
                .mentions(&words)
                .start()
                .fails_with("start --local --adopt")
                .stop()
                .is_unchanged("10.0.0.9 on eth0 is already down");
            assert_eq!(host.addresses_of("eth0"), [cidr]);
            let adopting = given(ip("10.0.0.9")).with(Context::fake("ip#1").with("adopt", "true")).on(&host);
            let own = if cidr == "10.0.0.9/24" { State::Up } else { State::Warn };
            adopting.start().is_unchanged(&format!("took on {cidr} on eth0")).status().is(own);
            ip_on(&host).stop().is_changed(&format!("removed {cidr} on eth0"));
        }
    }

    #[test]
    fn what_start_added_is_removed_whatever_the_keywords_say_by_then() {
        let host = fake::Host::new().link("eth0").link("eth1").name("web.example", &["10.0.0.9"]);
        given(ip("web.example")).on(&host).start().is_changed("added 10.0.0.9/24 to eth0, announced");
        let elsewhere = host.name("web.example", &["10.0.0.77"]);
        let now = "10.0.0.9/24 on eth0 is up, and name is 10.0.0.77 now: a restart applies it";
        given(ip("web.example")).on(&elsewhere).status().is(State::Warn).mentions(now);
        given(ip("gone.example")).on(&elsewhere).status().is(State::Warn).mentions("gone.example");
        let moved = || HostAddress { dev: "eth1".to_owned(), ..ip("10.0.0.9") };
        let now = "10.0.0.9/24 on eth0 is up, and dev is eth1 now: a restart applies it";
        given(moved())
            .on(&elsewhere)
            .status()
            .is(State::Warn)
            .mentions(now)
            .start()
            .is_unchanged("10.0.0.9/24 on eth0 is already up");
        given(ip("gone.example")).on(&elsewhere).stop().is_changed("removed 10.0.0.9/24 on eth0");
        assert_eq!(elsewhere.addresses_of("eth0"), [""; 0]);
    }

    #[test]
    fn a_name_stands_for_its_first_address() {
        let host = fake::Host::new().link("eth0").name("web.example", &["10.0.0.9", "10.0.0.10"]);
        given(ip("web.example")).on(&host).start().is_changed("added 10.0.0.9/24 to eth0, announced");
        given(ip("no.example")).on(&fake::Host::new()).status().is(State::Down).mentions("no.example");
    }

    #[test]
    fn without_a_netmask_the_network_on_the_interface_decides() {
        let host = || fake::Host::new().link("eth0").address("eth0", "10.0.0.1/20").address("eth0", "fd00::1/64");
        for (name, added) in [
            ("10.0.15.9", "10.0.15.9/20"),
            ("10.1.0.9", "10.1.0.9/32"),
            ("fd00::9", "fd00::9/64"),
            ("fd01::9", "fd01::9/128"),
        ] {
            let ip = HostAddress { inet: InetAddress { name: name.to_owned(), netmask: None }, ..ip(name) };
            given(ip).on(&host()).start().is_changed(&format!("added {added} to eth0, announced"));
        }
    }
}
