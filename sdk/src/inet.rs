//! An address as the drivers of the group `ip` take it: by itself or by a host name, with a netmask or without.

use std::net::IpAddr;

use crate::net::Holder;
use crate::{Error, Keywords, Problem, Result, net};

/// The address of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Keywords)]
pub struct Inet {
    /// The address, or a host name that stands for it. A name must stand for the same address for as long as the resource is
    /// up, so that stop finds it again.
    #[keyword(alias = "ipname", example = "10.0.0.9")]
    pub name: String,
    /// The length of the address's prefix, or the mask itself. By default that of the network on the interface which the
    /// address is in, else the address stands alone: 32 or 128.
    #[keyword(example = "24")]
    pub netmask: Option<String>,
}

impl Inet {
    /// What is wrong with the keywords.
    pub fn problems(&self) -> Vec<Problem> {
        let most = match self.name.parse() {
            Ok(IpAddr::V4(_)) => 32,
            _ => 128,
        };
        let bad = self.netmask.as_ref().filter(|netmask| prefix_len(netmask).is_none_or(|len| len > most));
        let problem = |netmask: &String| Problem {
            keyword: "netmask".to_owned(),
            text: format!("{netmask} is no netmask: expected a length such as 24, or 255.255.255.0"),
        };
        self.problem_of_name().into_iter().chain(bad.map(problem)).collect()
    }

    fn problem_of_name(&self) -> Option<Problem> {
        let digits = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let text = match self.name.split_once('/') {
            Some((address, len)) => format!("expected an address alone: name = {address} and netmask = {len}"),
            None if self.name.bytes().all(digits) && self.name.parse::<IpAddr>().is_err() => {
                format!("{} is no address", self.name)
            }
            None => return None,
        };
        Some(Problem { keyword: "name".to_owned(), text })
    }

    /// The address that `name` is or stands for. Of several, the first: a resolver lists the one to prefer first.
    pub fn address(&self) -> Result<IpAddr> {
        if let Ok(address) = self.name.parse() {
            return Ok(address);
        }
        let addresses = net::resolve(&self.name)?;
        let first = addresses.iter().find_map(|address| address.parse().ok());
        first.ok_or_else(|| Error::retryable(format!("{} stands for no address", self.name)))
    }

    /// The address with the length of its prefix: that of `netmask`, else that of the network on the node's interface which
    /// it is in, else none but its own.
    pub fn cidr(&self, address: IpAddr, dev: &str) -> Result<String> {
        if let Some(netmask) = &self.netmask {
            let len = prefix_len(netmask).ok_or_else(|| Error::invalid_config(format!("{netmask} is no netmask")))?;
            return Ok(format!("{address}/{len}"));
        }
        let addresses = net::addresses(dev)?.unwrap_or_default();
        let network = addresses.iter().find_map(|found| len_of_network(&found.cidr, address));
        Ok(format!("{address}/{}", network.unwrap_or(if address.is_ipv4() { 32 } else { 128 })))
    }
}

/// Why an address cannot be taken on `dev`, and what to do about it.
pub fn conflict(address: IpAddr, dev: &str, holder: &Holder) -> Error {
    let Holder { mac, dev: own } = holder;
    Error::failed(match own {
        Some(own) => format!(
            "the node itself has {address} on {own}: remove it there, give this resource another one, or say --force to have both"
        ),
        None => format!(
            "another host has {address} on {dev}, the one with the hardware address {mac}: free it there, or give this resource \
             another one"
        ),
    })
}

/// `24`, or `255.255.255.0`.
pub fn prefix_len(netmask: &str) -> Option<u8> {
    if let Ok(len) = netmask.parse::<u8>() {
        return (len <= 128).then_some(len);
    }
    let mask = u32::from(netmask.parse::<std::net::Ipv4Addr>().ok()?);
    (mask.leading_ones() + mask.trailing_zeros() == 32).then(|| mask.count_ones() as u8)
}

/// The address of an address with its prefix.
pub fn ip_of(cidr: &str) -> Option<IpAddr> {
    cidr.split('/').next()?.parse().ok()
}

/// Whether the network, written as one of its addresses with its prefix, holds the address.
pub fn holds(network: &str, address: IpAddr) -> bool {
    prefix_that_holds(network, address).is_some()
}

/// The destination of a route as the kernel says it: `10.1.0.0/16` for `10.1.2.3/16`, `10.1.2.3/32` for `10.1.2.3`, `default` for everything.
pub fn destination(text: &str) -> Option<String> {
    if text == "default" {
        return Some("default".to_owned());
    }
    let (network, len) = match text.split_once('/') {
        Some((network, len)) => (network.parse().ok()?, Some(len.parse::<u32>().ok()?)),
        None => (text.parse().ok()?, None),
    };
    let bits = if matches!(network, IpAddr::V4(_)) { 32 } else { 128 };
    let len = len.unwrap_or(bits);
    let host_bits = bits.checked_sub(len)?;
    if len == 0 {
        return Some("default".to_owned());
    }
    let network: IpAddr = match network {
        IpAddr::V4(network) => std::net::Ipv4Addr::from(u32::from(network) >> host_bits << host_bits).into(),
        IpAddr::V6(network) => std::net::Ipv6Addr::from(u128::from(network) >> host_bits << host_bits).into(),
    };
    Some(format!("{network}/{len}"))
}

/// The length of the prefix, if the network holds the address and more than one.
fn len_of_network(cidr: &str, address: IpAddr) -> Option<u8> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    prefix_that_holds(cidr, address).filter(|len| *len < most)
}

fn prefix_that_holds(cidr: &str, address: IpAddr) -> Option<u8> {
    let (network, len) = cidr.split_once('/')?;
    let len: u8 = len.parse().ok()?;
    let (own, asked, bits) = match (network.parse().ok()?, address) {
        (IpAddr::V4(own), IpAddr::V4(asked)) => (u128::from(u32::from(own)), u128::from(u32::from(asked)), 32),
        (IpAddr::V6(own), IpAddr::V6(asked)) => (u128::from(own), u128::from(asked), 128),
        _ => return None,
    };
    let host_bits = u32::from(bits - len.min(bits));
    // A shift by all bits is none to checked_shr: nothing is left to compare.
    (own.checked_shr(host_bits) == asked.checked_shr(host_bits)).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netmasks_are_lengths_or_masks() {
        for (netmask, expected) in [
            ("24", Some(24)),
            ("255.255.255.0", Some(24)),
            ("255.255.255.255", Some(32)),
            ("0.0.0.0", Some(0)),
            ("255.0.255.0", None),
            ("129", None),
            ("x", None),
        ] {
            assert_eq!(prefix_len(netmask), expected, "{netmask}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses() {
        for (network, address, expected) in [
            ("10.0.0.1/24", "10.0.0.9", true),
            ("10.0.0.1/24", "10.0.1.9", false),
            ("10.0.0.1/32", "10.0.0.1", true),
            ("10.0.0.1/0", "192.0.2.1", true),
            ("fd00::1/64", "fd00::9", true),
            ("::/0", "fd00::9", true),
            ("::/0", "10.0.0.9", false),
        ] {
            assert_eq!(holds(network, address.parse().unwrap()), expected, "{address} in {network}");
        }
    }

    #[test]
    fn destinations_are_written_as_the_kernel_does() {
        for (written, expected) in [
            ("10.1.2.3/16", Some("10.1.0.0/16")),
            ("10.1.2.3", Some("10.1.2.3/32")),
            ("0.0.0.0/0", Some("default")),
            ("::/0", Some("default")),
            ("fd00::1/64", Some("fd00::/64")),
            ("10.1.2.3/33", None),
            ("everywhere", None),
        ] {
            assert_eq!(destination(written).as_deref(), expected, "{written}");
        }
    }
}
