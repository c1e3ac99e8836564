//! The address of a link, as packet(7) takes it.

#![expect(unsafe_code, reason = "no library makes a sockaddr_ll")]

use std::mem::size_of;

use socket2::{SockAddr, SockAddrStorage};

/// The address of all frames of one ethertype on the link with that number.
pub(super) fn link_address(index: u32, ethertype: u16) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: a sockaddr_ll fits into any sockaddr_storage, has no invalid bit patterns and the alignment of one.
    let address: &mut libc::sockaddr_ll = unsafe { storage.view_as() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = ethertype.to_be();
    address.sll_ifindex = index as i32;
    // SAFETY: the storage was filled as a sockaddr_ll above.
    unsafe { SockAddr::new(storage, size_of::<libc::sockaddr_ll>() as u32) }
}
