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
mod removal;
mod route;
mod route_message;
mod sockaddr;

pub use address::{AddressOptions, LinkAddress, OWN_PROTOCOL, PrefixRoute, is_link_local, notes_makers};
pub use link::NetworkLink;
pub use mark::LinkMark;
pub use namespace::NetworkNamespace;
pub use neighbour::{announce, claimant};
pub use netlink::Netlink;
pub use plug::{LinkPlug, PlugMode, PlugOptions};
pub use removal::AddressRemoval;
pub use route::{KernelRoute, RouteAddition, RouteOrigin};
