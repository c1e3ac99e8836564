//! Links, addresses and routes by rtnetlink(7), and neighbours by ARP and NDP, in the network namespace of the calling
//! thread or in a [`NetworkNamespace`] that was opened.

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

pub use address::{LinkAddress, PrefixRoute};
pub use link::NetworkLink;
pub use mark::LinkMark;
pub use namespace::NetworkNamespace;
pub use neighbour::{announce, claimant};
pub use netlink::Netlink;
pub use plug::{LinkPlug, PlugMode, PlugOptions};
pub use route::KernelRoute;
