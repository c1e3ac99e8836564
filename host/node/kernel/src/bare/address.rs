//! An address, removed from a link by a message to rtnetlink(7).

use std::ffi::CStr;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use nix::sched::{CloneFlags, setns};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

const DELETE_ADDRESS: u16 = libc::RTM_DELADDR;
const REQUEST: u16 = libc::NLM_F_REQUEST as u16 | libc::NLM_F_ACK as u16;
const ERROR: u16 = libc::NLMSG_ERROR as u16;
const LOCAL: u16 = 2;
const ADDRESS: u16 = 1;

/// Where an address is.
#[derive(Debug, Clone, Copy)]
pub struct AddressPlace<'a> {
    /// The namespace, if it is not that of this process: its path, and the device and the inode that identify it.
    pub netns: Option<(&'a CStr, (u64, u64))>,
    /// The number of the link.
    pub index: u32,
    pub address: IpAddr,
    pub prefix: u8,
}

/// Removes an address. False if it was not there, or if its link or its namespace is gone: asked twice, this is the proof that it is
/// gone.
///
/// The calling thread enters the namespace and comes back.
pub fn remove_address(place: AddressPlace<'_>) -> Result<bool, Errno> {
    let socket = match place.netns {
        None => open_socket()?,
        Some((path, identity)) => match socket_within(path, identity)? {
            Some(socket) => socket,
            None => return Ok(false),
        },
    };
    let mut message = [0_u8; 64];
    let length = write_message(&mut message, place);
    send(&socket, &message[..length], SendFlags::empty())?;
    match acknowledgement(&socket) {
        Err(Errno::ADDRNOTAVAIL | Errno::NODEV) => Ok(false),
        answer => answer.map(|()| true),
    }
}

fn open_socket() -> Result<OwnedFd, Errno> {
    // NETLINK_ROUTE is protocol 0, the default.
    socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)
}

/// A socket in the namespace. None if it is not at its path any more: it ended with the processes in it.
fn socket_within(path: &CStr, identity: (u64, u64)) -> Result<Option<OwnedFd>, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let namespace = match open(path, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::SRCH) => return Ok(None),
        opened => opened?,
    };
    let seen = fstat(&namespace)?;
    if (seen.st_dev, seen.st_ino) != identity {
        return Ok(None);
    }
    let own = open(c"/proc/thread-self/ns/net", flags, Mode::empty())?;
    enter(&namespace)?;
    let socket = open_socket();
    enter(&own)?;
    socket.map(Some)
}

fn enter(namespace: &OwnedFd) -> Result<(), Errno> {
    setns(namespace, CloneFlags::CLONE_NEWNET).map_err(|errno| Errno::from_raw_os_error(errno as i32))
}

/// `nlmsghdr`, `ifaddrmsg`, and the address twice: with IFA_LOCAL alone the kernel takes the first IPv4 address like that, whatever
/// its prefix.
fn write_message(to: &mut [u8; 64], place: AddressPlace<'_>) -> usize {
    let (family, octets, size): (u8, [u8; 16], usize) = match place.address {
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&address.octets());
            (libc::AF_INET as u8, octets, 4)
        }
        IpAddr::V6(address) => (libc::AF_INET6 as u8, address.octets(), 16),
    };
    let length = 24 + 2 * (4 + size);
    let attribute = u16::try_from(4 + size).unwrap_or_default();
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        to[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(&u32::try_from(length).unwrap_or_default().to_ne_bytes());
    put(&DELETE_ADDRESS.to_ne_bytes());
    put(&REQUEST.to_ne_bytes());
    put(&[1, 0, 0, 0, 0, 0, 0, 0]);
    put(&[family, place.prefix, 0, 0]);
    put(&place.index.to_ne_bytes());
    for kind in [LOCAL, ADDRESS] {
        put(&attribute.to_ne_bytes());
        put(&kind.to_ne_bytes());
        put(&octets[..size]);
    }
    length
}

/// What the kernel answered.
fn acknowledgement(socket: &OwnedFd) -> Result<(), Errno> {
    let mut answer = [0_u8; 256];
    // The answer is there when the request has returned.
    let (length, _) = recv(socket, &mut answer, RecvFlags::DONTWAIT)?;
    let kind = u16::from_ne_bytes([answer[4], answer[5]]);
    if length < 20 || kind != ERROR {
        return Err(Errno::BADMSG);
    }
    match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
        0 => Ok(()),
        code => Err(Errno::from_raw_os_error(code.saturating_abs())),
    }
}
