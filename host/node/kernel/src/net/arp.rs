//! ARP for address conflicts, RFC 5227: builds and reads frames. No I/O.

use std::net::Ipv4Addr;

/// ETH_P_ARP.
pub(super) const ETHERTYPE: u16 = 0x0806;

const BROADCAST: [u8; 6] = [0xff; 6];
/// Ethernet, IPv4, and their address lengths.
const PREAMBLE: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// A frame that asks which host has `target`. It claims nothing: its sender address is unspecified.
pub(super) fn probe(mac: [u8; 6], target: Ipv4Addr) -> [u8; 42] {
    frame(mac, REQUEST, Ipv4Addr::UNSPECIFIED, [0; 6], target)
}

/// Two frames that announce that `address` is at `mac`: a request and a reply, because some hosts listen to one kind only.
pub(super) fn announcements(mac: [u8; 6], address: Ipv4Addr) -> [[u8; 42]; 2] {
    [frame(mac, REQUEST, address, [0; 6], address), frame(mac, REPLY, address, BROADCAST, address)]
}

/// The host other than `mac` that has `address` or is about to take it, according to the frame (RFC 5227 §2.1.1).
pub(super) fn claimant(frame: &[u8], mac: [u8; 6], address: Ipv4Addr) -> Option<[u8; 6]> {
    let arp = frame.get(14..42)?;
    let is_arp = frame[12..14] == ETHERTYPE.to_be_bytes() && arp[..6] == PREAMBLE;
    let theirs: [u8; 6] = arp[8..14].try_into().ok()?;
    if !is_arp || theirs == mac {
        return None;
    }
    let (sender, target) = (&arp[14..18], &arp[24..28]);
    let is_request = arp[6..8] == REQUEST.to_be_bytes();
    let wanted = address.octets();
    // A request with an unspecified sender is a probe: that host is about to take the address, and so are we.
    let claims = sender == wanted || (is_request && sender == Ipv4Addr::UNSPECIFIED.octets() && target == wanted);
    claims.then_some(theirs)
}

fn frame(mac: [u8; 6], operation: u16, sender: Ipv4Addr, target_mac: [u8; 6], target: Ipv4Addr) -> [u8; 42] {
    let mut frame = [0; 42];
    frame[..6].copy_from_slice(&BROADCAST);
    frame[6..12].copy_from_slice(&mac);
    frame[12..14].copy_from_slice(&ETHERTYPE.to_be_bytes());
    frame[14..20].copy_from_slice(&PREAMBLE);
    frame[20..22].copy_from_slice(&operation.to_be_bytes());
    frame[22..28].copy_from_slice(&mac);
    frame[28..32].copy_from_slice(&sender.octets());
    frame[32..38].copy_from_slice(&target_mac);
    frame[38..].copy_from_slice(&target.octets());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const THEIRS: [u8; 6] = [2, 0, 0, 0, 0, 2];
    const WANTED: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
    const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 8);

    #[test]
    fn a_probe_is_the_frame_of_rfc_5227() {
        let expected =
            "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 00000000 000000000000 0a000009";
        let hex: String = probe(OURS, WANTED).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected.replace(' ', ""));
    }

    #[test]
    fn an_address_is_claimed_by_its_holder_and_by_a_host_that_probes_for_it() {
        let reply = frame(THEIRS, REPLY, WANTED, OURS, Ipv4Addr::UNSPECIFIED);
        let ask = |sender, target| frame(THEIRS, REQUEST, sender, [0; 6], target);
        for (name, frame, expected) in [
            ("its holder answers", reply, true),
            ("its holder asks for another", ask(WANTED, OTHER), true),
            ("another probes for it", probe(THEIRS, WANTED), true),
            ("another asks for it to use it", ask(OTHER, WANTED), false),
            ("another probes for something else", probe(THEIRS, OTHER), false),
            ("our own probe comes back", probe(OURS, WANTED), false),
        ] {
            assert_eq!(claimant(&frame, OURS, WANTED), expected.then_some(THEIRS), "{name}");
            assert_eq!(claimant(&frame[..41], OURS, WANTED), None, "{name}, cut short");
        }
    }
}
