//! Raw Ethernet frames of one link, see packet(7).

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::KernelError;
use crate::net::sockaddr::link_address;
use crate::net::{NetworkLink, NetworkNamespace};
use crate::ready::when_readable;

/// The longest frame that is received.
const MAX_FRAME: usize = 1514;

/// A socket for the frames of one link and one ethertype.
pub(super) struct PacketSocket {
    socket: AsyncFd<OwnedFd>,
    dev: String,
}

impl PacketSocket {
    /// Opens and binds the socket. It is made for no protocol, and gets its protocol when it is bound: else frames of
    /// other links would queue up in between.
    pub(super) fn open(
        within: Option<&NetworkNamespace>,
        link: &NetworkLink,
        ethertype: u16,
    ) -> Result<PacketSocket, KernelError> {
        let failed = |error: io::Error| KernelError::Os {
            doing: format!("open a packet socket on {}", link.name),
            errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
        };
        let make = || Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None::<Protocol>);
        let socket = match within {
            Some(namespace) => namespace.within(make)?,
            None => make(),
        };
        let socket = socket.map_err(failed)?;
        socket.bind(&link_address(link.index, ethertype)).map_err(failed)?;
        Ok(PacketSocket { socket: when_readable(socket.into()).map_err(failed)?, dev: link.name.clone() })
    }

    /// Sends a whole frame.
    pub(super) fn send(&self, frame: &[u8]) -> Result<(), KernelError> {
        let sent = rustix::net::send(self.socket.get_ref(), frame, SendFlags::empty());
        sent.map(drop).map_err(|errno| self.failed("send a frame on", &errno.into()))
    }

    /// Waits for the next frame.
    pub(super) async fn receive(&self) -> Result<Vec<u8>, KernelError> {
        let receive = |socket: &OwnedFd| {
            let mut buffer = [0; MAX_FRAME];
            let (length, _) = rustix::net::recv(socket, &mut buffer, RecvFlags::empty())?;
            Ok(buffer[..length].to_vec())
        };
        let received = self.socket.async_io(Interest::READABLE, receive).await;
        received.map_err(|error| self.failed("receive a frame on", &error))
    }

    fn failed(&self, verb: &str, error: &io::Error) -> KernelError {
        KernelError::Os {
            doing: format!("{verb} {}", self.dev),
            errno: Errno::from_io_error(error).unwrap_or(Errno::IO),
        }
    }
}
