//! `wit/net.wit`: links, addresses and routes in the network namespace of the node.

mod address;
mod argument;
mod entry;
mod holder;
mod link;
mod route;
mod term;

pub use address::{add_address, announce, remove_address};
pub(crate) use address::{address_holding, noted, own_address, tell_of_others};
pub(crate) use argument::{ip, network_of};
pub use entry::{AddressEntry, AddressHolder, LinkEntry, RouteEntry};
pub(crate) use entry::{link_attributes, mac_text, no_ipv6};
pub use holder::find_holder;
pub(crate) use holder::{LinkPlace, holder};
pub use link::{find_link, resolve, set_up};
pub use route::{add_route, remove_route, routes_to};
pub(crate) use route::{changed_route, noted_route, route_holding};
pub use term::{TERM_LOCK, refresh_terms};
pub(crate) use term::{TermLock, add_in_term};
