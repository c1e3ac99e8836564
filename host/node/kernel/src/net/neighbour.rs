//! Asks the neighbours on a link whether an address is in use, and announces to them where it is now.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::KernelError;
use crate::net::packet::PacketSocket;
use crate::net::{NetworkLink, NetworkNamespace, arp, ndp};

/// PROBE_NUM of RFC 5227: several, because a frame may get lost.
const PROBES: u32 = 3;

/// Asks for another host that has the address, and returns its hardware address. The neighbours have `timeout` to answer.
/// A link without neighbours is not asked. `within` is the namespace of the link, if it is not the one of this thread.
pub async fn claimant(
    within: Option<&NetworkNamespace>,
    link: &NetworkLink,
    address: IpAddr,
    timeout: Duration,
) -> Result<Option<[u8; 6]>, KernelError> {
    let Some(mac) = ethernet(link) else { return Ok(None) };
    let socket = PacketSocket::open(within, link, ethertype(address))?;
    let start = Instant::now();
    for round in 1..=PROBES {
        match address {
            IpAddr::V4(address) => socket.send(&arp::probe(mac, address))?,
            IpAddr::V6(address) => socket.send(&ndp::probe(mac, address))?,
        }
        // The probes are spread evenly over the whole time.
        let answer = timeout_at(start + timeout * round / PROBES, claim(&socket, mac, address)).await;
        if let Ok(answer) = answer {
            return answer.map(Some);
        }
    }
    Ok(None)
}

/// Announces to all neighbours that the address is at this link. Does nothing on a link without neighbours. `within` is the
/// namespace of the link, if it is not the one of this thread.
pub async fn announce(
    within: Option<&NetworkNamespace>,
    link: &NetworkLink,
    address: IpAddr,
) -> Result<(), KernelError> {
    let Some(mac) = ethernet(link) else { return Ok(()) };
    let socket = PacketSocket::open(within, link, ethertype(address))?;
    match address {
        IpAddr::V4(address) => arp::announcements(mac, address).iter().try_for_each(|frame| socket.send(frame)),
        IpAddr::V6(address) => socket.send(&ndp::announcement(mac, address)),
    }
}

/// Waits for the first frame that claims the address, and returns the hardware address of its sender.
async fn claim(socket: &PacketSocket, mac: [u8; 6], address: IpAddr) -> Result<[u8; 6], KernelError> {
    loop {
        let frame = socket.receive().await?;
        let claimant = match address {
            IpAddr::V4(address) => arp::claimant(&frame, mac, address),
            IpAddr::V6(address) => ndp::claimant(&frame, mac, address),
        };
        if let Some(claimant) = claimant {
            return Ok(claimant);
        }
    }
}

/// The hardware address of a link. None if it has no neighbours.
fn ethernet(link: &NetworkLink) -> Option<[u8; 6]> {
    link.neighbours.then(|| link.mac.as_slice().try_into().ok()).flatten()
}

fn ethertype(address: IpAddr) -> u16 {
    match address {
        IpAddr::V4(_) => arp::ETHERTYPE,
        IpAddr::V6(_) => ndp::ETHERTYPE,
    }
}
