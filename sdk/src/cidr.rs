//! Addresses and networks as the capabilities `net` and `netns` write them: `10.0.0.9/24`, `10.0.0.0/24`, `default`.

use std::net::IpAddr;

/// The length of the prefix that is written as `24` or as `255.255.255.0`.
pub fn prefix_len(netmask: &str) -> Option<u8> {
    if let Ok(len) = netmask.parse::<u8>() {
        // A netmask does not say which family it is for, so the longer addresses set the limit.
        return (len <= 128).then_some(len);
    }
    let mask = u32::from(netmask.parse::<std::net::Ipv4Addr>().ok()?);
    // A mask has its ones first: leading ones and trailing zeros must cover all bits.
    (mask.leading_ones() + mask.trailing_zeros() == 32).then(|| mask.count_ones() as u8)
}

/// The address of `10.0.0.9/24`, without its prefix length.
pub fn ip_of(cidr: &str) -> Option<IpAddr> {
    cidr.split('/').next()?.parse().ok()
}

/// Whether the network, written as one of its addresses with its prefix, holds the address.
pub fn holds(network: &str, address: IpAddr) -> bool {
    prefix_that_holds(network, address).is_some()
}

/// The destination of a route as the kernel writes it: `10.1.0.0/16` for `10.1.2.3/16`, `10.1.2.3/32` for `10.1.2.3`,
/// `0.0.0.0/0` for `default`, or `::/0` if the gateway is of IPv6.
pub fn destination(text: &str, gateway: Option<IpAddr>) -> Option<String> {
    if text == "default" {
        let is_ipv6 = gateway.is_some_and(|gateway| gateway.is_ipv6());
        return Some(if is_ipv6 { "::/0" } else { "0.0.0.0/0" }.to_owned());
    }
    let (network, len) = match text.split_once('/') {
        Some((network, len)) => (network.parse().ok()?, Some(len.parse::<u32>().ok()?)),
        None => (text.parse().ok()?, None),
    };
    let bits = if matches!(network, IpAddr::V4(_)) { 32 } else { 128 };
    let len = len.unwrap_or(bits);
    // None for a prefix that is longer than the address.
    let host_bits = bits.checked_sub(len)?;
    // A shift by all bits, for the prefix 0, would panic.
    let network: IpAddr = match network {
        IpAddr::V4(network) => {
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            std::net::Ipv4Addr::from(u32::from(network) & mask).into()
        }
        IpAddr::V6(network) => {
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
            std::net::Ipv6Addr::from(u128::from(network) & mask).into()
        }
    };
    Some(format!("{network}/{len}"))
}

/// The prefix length of the network, written as one of its addresses with its prefix, if it holds the address.
pub fn prefix_that_holds(cidr: &str, address: IpAddr) -> Option<u8> {
    let (network, len) = cidr.split_once('/')?;
    let len: u8 = len.parse().ok()?;
    let (own, asked, bits) = match (network.parse().ok()?, address) {
        (IpAddr::V4(own), IpAddr::V4(asked)) => (u128::from(u32::from(own)), u128::from(u32::from(asked)), 32),
        (IpAddr::V6(own), IpAddr::V6(asked)) => (u128::from(own), u128::from(asked), 128),
        _ => return None,
    };
    let host_bits = u32::from(bits - len.min(bits));
    // checked_shr returns None for a shift by all bits: both sides are None then, and every address is in the network.
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
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("10.1.2.3/0", Some("0.0.0.0/0")),
            ("::/0", Some("::/0")),
            ("default", Some("0.0.0.0/0")),
            ("fd00::1/64", Some("fd00::/64")),
            ("10.1.2.3/33", None),
            ("everywhere", None),
        ] {
            assert_eq!(destination(written, None).as_deref(), expected, "{written}");
        }
        assert_eq!(destination("default", "fe80::1".parse().ok()).as_deref(), Some("::/0"));
    }
}
