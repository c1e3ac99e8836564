//! Addresses and prefixes that a driver wrote.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::CapabilityError;

/// The prefix that a destination means. `default` is that of the gateway's family, and of IPv4 without a gateway.
pub(super) fn prefix_of(destination: &str, gateway: Option<IpAddr>) -> Result<IpNet, CapabilityError> {
    match (destination, gateway) {
        ("default", Some(IpAddr::V6(_))) => Ok(IpNet::V6(ipnet::Ipv6Net::default())),
        ("default", _) => Ok(IpNet::V4(ipnet::Ipv4Net::default())),
        _ => destination.parse().map_err(|_| expected("a prefix or `default`", destination)),
    }
}

pub(crate) fn ip(text: &str) -> Result<IpAddr, CapabilityError> {
    text.parse().map_err(|_| expected("an address", text))
}

pub(crate) fn network_of(text: &str) -> Result<IpNet, CapabilityError> {
    text.parse().map_err(|_| expected("an address with the length of its prefix", text))
}

fn expected(what: &str, found: &str) -> CapabilityError {
    CapabilityError::Invalid(format!("{found:?} is not {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_of_the_gateways_family_or_of_ipv4() {
        let check = |destination, gateway: Option<&str>, expected: &str| {
            let gateway = gateway.map(|gateway| gateway.parse().unwrap());
            assert_eq!(prefix_of(destination, gateway).unwrap().to_string(), expected);
        };
        check("default", None, "0.0.0.0/0");
        check("default", Some("10.0.0.1"), "0.0.0.0/0");
        check("default", Some("fd00::1"), "::/0");
        check("::/0", None, "::/0");
        check("10.1.0.0/16", Some("10.0.0.1"), "10.1.0.0/16");
        assert!(prefix_of("10.1.0.0", None).is_err());
    }
}
