//! Links, addresses and routes by rtnetlink(7), neighbours by ARP and NDP: of the calling thread's network namespace, or of
//! a [`Namespace`] that was opened.

mod address;
mod arp;
mod link;
mod mark;
mod namespace;
mod ndp;
mod neighbour;
mod netlink;
mod packet;
mod plug;
mod route;
mod sockaddr;

pub use address::{Address, NetworkRoute};
pub use link::Link;
pub use mark::Mark;
pub use namespace::Namespace;
pub use neighbour::{announce, claimant};
pub use netlink::Netlink;
pub use plug::{Plug, PlugMode, Wanted};
pub use route::Route;
