//! Neighbour discovery for address conflicts, RFC 4862 §5.4 and RFC 4861 §7.2.6: builds and reads frames. No I/O.

use std::net::Ipv6Addr;

/// ETH_P_IPV6.
pub(super) const ETHERTYPE: u16 = 0x86dd;

const ICMPV6: u8 = 58;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// The hop limit of these frames, the largest there is. A router would lower it, so a frame with less comes from another
/// network and is forged.
const HOPS: u8 = 255;
const OVERRIDE: u8 = 0x20;
const TARGET_LINK_ADDRESS: [u8; 2] = [2, 1];

/// A frame that asks which host has `target`. It claims nothing: its sender address is unspecified.
pub(super) fn probe(mac: [u8; 6], target: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = target.octets();
    // The solicited-node group of the address, so that only hosts with the same last three bytes are woken.
    let group = Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
    frame(mac, Ipv6Addr::UNSPECIFIED, group, &message(SOLICITATION, 0, target, &[]))
}

/// A frame that announces that `address` is at `mac`.
pub(super) fn announcement(mac: [u8; 6], address: Ipv6Addr) -> Vec<u8> {
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let option = [&TARGET_LINK_ADDRESS[..], &mac].concat();
    frame(mac, address, all_nodes, &message(ADVERTISEMENT, OVERRIDE, address, &option))
}

/// The host other than `mac` that has `address` or is about to take it, according to the frame.
pub(super) fn claimant(frame: &[u8], mac: [u8; 6], address: Ipv6Addr) -> Option<[u8; 6]> {
    let (header, icmp) = (frame.get(14..54)?, frame.get(54..78)?);
    // A frame with extension headers is not looked into: neighbours send none.
    let is_icmp = frame[12..14] == ETHERTYPE.to_be_bytes() && header[6] == ICMPV6 && header[7] == HOPS;
    let theirs: [u8; 6] = frame[6..12].try_into().ok()?;
    if !is_icmp || theirs == mac || icmp[8..24] != address.octets() {
        return None;
    }
    // A solicitation with an unspecified sender is a probe: that host is about to take the address, and so are we.
    let claims = match icmp[0] {
        ADVERTISEMENT => true,
        SOLICITATION => header[8..24] == Ipv6Addr::UNSPECIFIED.octets(),
        _ => false,
    };
    claims.then_some(theirs)
}

fn message(kind: u8, flags: u8, target: Ipv6Addr, option: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0, flags, 0, 0, 0];
    message.extend(target.octets());
    message.extend(option);
    message
}

fn frame(mac: [u8; 6], source: Ipv6Addr, group: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let [.., a, b, c, d] = group.octets();
    // The Ethernet address of an IPv6 group, RFC 2464.
    let mut frame = vec![0x33, 0x33, a, b, c, d];
    frame.extend(mac);
    frame.extend(ETHERTYPE.to_be_bytes());
    frame.extend([0x60, 0, 0, 0, 0, message.len() as u8, ICMPV6, HOPS]);
    frame.extend(source.octets());
    frame.extend(group.octets());
    frame.extend(message);
    let sum = checksum(source, group, message).to_be_bytes();
    frame[56..58].copy_from_slice(&sum);
    frame
}

/// The checksum over the pseudo-header of RFC 8200 §8.1 and the message, whose own checksum field is 0.
fn checksum(source: Ipv6Addr, group: Ipv6Addr, message: &[u8]) -> u16 {
    let trailer = [0, 0, 0, message.len() as u8, 0, 0, 0, ICMPV6];
    let bytes = [&source.octets()[..], &group.octets(), &trailer, message].concat();
    let mut sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const THEIRS: [u8; 6] = [2, 0, 0, 0, 0, 2];

    fn ip(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    #[test]
    fn a_probe_goes_to_the_solicited_node_group_from_the_unspecified_address() {
        let probe = probe(OURS, ip("fd00::1:2:3"));
        assert_eq!(probe.len(), 78);
        assert_eq!(probe[..6], [0x33, 0x33, 0xff, 2, 0, 3]);
        assert_eq!(probe[22..38], [0; 16]);
        assert_eq!(probe[38..54], ip("ff02::1:ff02:3").octets());
    }

    /// The sum over a message that holds its own checksum is all ones.
    #[test]
    fn checksums_add_up() {
        for frame in [probe(OURS, ip("fd00::9")), announcement(OURS, ip("fd00::9"))] {
            let address = |range: std::ops::Range<usize>| Ipv6Addr::from(<[u8; 16]>::try_from(&frame[range]).unwrap());
            assert_eq!(checksum(address(22..38), address(38..54), &frame[54..]), 0);
        }
    }

    #[test]
    fn an_address_is_claimed_by_its_holder_and_by_a_host_that_probes_for_it() {
        let wanted = ip("fd00::9");
        let mut routed = announcement(THEIRS, wanted);
        routed[21] = 254;
        for (name, frame, expected) in [
            ("its holder answers", announcement(THEIRS, wanted), true),
            ("another probes for it", probe(THEIRS, wanted), true),
            ("another probes for something else", probe(THEIRS, ip("fd00::8")), false),
            ("our own probe comes back", probe(OURS, wanted), false),
            ("an answer from beyond a router", routed, false),
        ] {
            assert_eq!(claimant(&frame, OURS, wanted), expected.then_some(THEIRS), "{name}");
            assert_eq!(claimant(&frame[..77], OURS, wanted), None, "{name}, cut short");
        }
    }
}
