//! Asks the neighbours on a link whether an address is in use, and announces to them where it is now.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::time::{Instant, timeout_at};

use crate::KernelError;
use crate::net::packet::PacketSocket;
use crate::net::{NetworkLink, NetworkNamespace, arp, ndp};

/// PROBE_NUM of RFC 5227: several, because a frame may get lost.
const PROBES: u32 = 3;

/// ANNOUNCE_INTERVAL of RFC 5227.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);

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
///
/// Frames get lost, for example in a switch whose port has just come up. So the announcement is repeated after two seconds,
/// as RFC 5227 has it, and nobody waits for that: if this process ends before, it is repeated then.
pub async fn announce(
    within: Option<&NetworkNamespace>,
    link: &NetworkLink,
    address: IpAddr,
) -> Result<(), KernelError> {
    let Some(mac) = ethernet(link) else { return Ok(()) };
    let socket = PacketSocket::open(within, link, ethertype(address))?;
    let frames: Vec<Vec<u8>> = match address {
        IpAddr::V4(address) => arp::announcements(mac, address).into_iter().map(Vec::from).collect(),
        IpAddr::V6(address) => vec![ndp::announcement(mac, address)],
    };
    frames.iter().try_for_each(|frame| socket.send(frame))?;
    let again = Repetition { socket, frames, bound_to: bindable(within, link, address)? };
    tokio::spawn(async move {
        tokio::time::sleep(ANNOUNCE_INTERVAL).await;
        drop(again);
    });
    Ok(())
}

/// An announcement that is sent once more when it is dropped, after its time or with the runtime.
struct Repetition {
    socket: PacketSocket,
    frames: Vec<Vec<u8>>,
    bound_to: (Socket, SockAddr),
}

impl Drop for Repetition {
    fn drop(&mut self) {
        // Another host may have the address by now. Only an address of this namespace can be bound.
        if self.bound_to.0.bind(&self.bound_to.1).is_ok() {
            for frame in &self.frames {
                // The first announcement was sent, and nobody is there any more to hear that this one was not.
                let _ = self.socket.send(frame);
            }
        }
    }
}

/// A socket in the namespace, and the address for it to bind.
fn bindable(
    within: Option<&NetworkNamespace>,
    link: &NetworkLink,
    address: IpAddr,
) -> Result<(Socket, SockAddr), KernelError> {
    let (domain, address): (_, SocketAddr) = match address {
        IpAddr::V4(address) => (Domain::IPV4, (address, 0).into()),
        IpAddr::V6(address) => (Domain::IPV6, SocketAddrV6::new(address, 0, 0, link.index).into()),
    };
    let make = || Socket::new(domain, Type::DGRAM.cloexec(), None);
    let socket = match within {
        Some(namespace) => namespace.within(make)?,
        None => make(),
    };
    let socket = socket.map_err(|error| KernelError::Os {
        doing: format!("open a socket for {}", address.ip()),
        errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
    })?;
    Ok((socket, address.into()))
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
