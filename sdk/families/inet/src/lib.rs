//! Addresses and routes, for the drivers that add them.
//!
//! [`InetAddress`] has the keywords of an address: the address or a host name, with or without a netmask. [`held`](held()),
//! [`stop`] and [`adopt`] know what was added by the record of holdings: a stop removes that, whatever the keywords or the
//! resolver say by now, and what another program added is left alone.

mod held;

use std::net::IpAddr;

pub use held::{adopt, dev_now, differences, held, not_ours, release_all, renamed, stop};
use hostler_sdk::cidr::{prefix_len, prefix_that_holds};
use hostler_sdk::net::{Address, Holder};
use hostler_sdk::{Error, Keywords, Problem, Result, net};

/// The address of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Keywords)]
pub struct InetAddress {
    /// The address, or a host name that resolves to it. Stop removes the address that start added, whatever the name resolves to
    /// by then.
    #[keyword(alias = "ipname", example = "10.0.0.9")]
    pub name: String,
    /// The prefix length, or the mask. The default is that of the network on the interface that contains the address; if there
    /// is none, the prefix is the address alone: 32 or 128.
    #[keyword(example = "24")]
    pub netmask: Option<String>,
}

impl InetAddress {
    /// The problems of the keywords.
    pub fn problems(&self) -> Vec<Problem> {
        let most = match self.name.parse() {
            Ok(IpAddr::V4(_)) => 32,
            _ => 128,
        };
        let bad = self.netmask.as_ref().filter(|netmask| prefix_len(netmask).is_none_or(|len| len > most));
        let problem = |netmask: &String| Problem {
            keyword: "netmask".to_owned(),
            text: format!("{netmask} is not a netmask: expected a length such as 24, or 255.255.255.0"),
        };
        self.problem_of_name().into_iter().chain(bad.map(problem)).collect()
    }

    fn problem_of_name(&self) -> Option<Problem> {
        let digits = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let text = match self.name.split_once('/') {
            // A netmask in the name would silently override the keyword netmask.
            Some((address, len)) => format!("expected an address alone: name = {address} and netmask = {len}"),
            // Digits and dots that do not parse are a mistyped address: the resolver would look for a host of that name.
            None if self.name.bytes().all(digits) && self.name.parse::<IpAddr>().is_err() => {
                format!("{} is not an address", self.name)
            }
            None => return None,
        };
        Some(Problem::new("name", text))
    }

    /// The address of `name`. If a host name has several, it is the first, because a resolver lists the preferred one first.
    pub fn address(&self) -> Result<IpAddr> {
        if let Ok(address) = self.name.parse() {
            return Ok(address);
        }
        let addresses = net::resolve(&self.name)?;
        let first = addresses.iter().find_map(|address| address.parse().ok());
        first.ok_or_else(|| Error::retryable(format!("{} resolves to no address", self.name)))
    }

    /// The address, if `name` is one. Nobody is asked.
    pub fn literal(&self) -> Option<IpAddr> {
        self.name.parse().ok()
    }

    /// The prefix length that `netmask` asks for.
    pub fn prefix(&self) -> Option<u8> {
        prefix_len(self.netmask.as_deref()?)
    }

    /// The address with its prefix length: that of `netmask`, else that of the network on the interface that contains the
    /// address, else 32 or 128.
    pub fn cidr(&self, address: IpAddr, there: &[Address]) -> Result<String> {
        if let Some(netmask) = &self.netmask {
            let len =
                prefix_len(netmask).ok_or_else(|| Error::invalid_config(format!("{netmask} is not a netmask")))?;
            return Ok(format!("{address}/{len}"));
        }
        let network = there.iter().find_map(|found| len_of_network(&found.cidr, address));
        Ok(format!("{address}/{}", network.unwrap_or(if address.is_ipv4() { 32 } else { 128 })))
    }
}

/// The error for an address on `dev` that is already in use, and what to do about it.
pub fn conflict(address: IpAddr, dev: &str, holder: &Holder) -> Error {
    let Holder { mac, dev: own } = holder;
    Error::failed(match own {
        Some(own) => format!(
            "the node itself has {address} on {own}: remove it there, give this resource another one, or say --force to have both"
        ),
        None => format!(
            "another host has {address} on {dev}, the one with the hardware address {mac}: free it there, or give this resource \
             another one"
        ),
    })
}

/// The state of an address that is there, as its flags tell: what makes it useless, and what will pass.
pub fn doubt(cidr: &str, flags: &[String]) -> Option<AddressDoubt> {
    let has = |name: &str| flags.iter().any(|flag| flag == name);
    // The kernel asks for an IPv6 address only once, when it is added (RFC 4862 §5.4): this does not pass by itself.
    if has("dadfailed") {
        let text =
            format!("another host has {cidr}, too: the kernel found it and does not use the address (dadfailed)");
        return Some(AddressDoubt::Useless(text));
    }
    has("tentative")
        .then(|| AddressDoubt::Passing(format!("the kernel still looks for another host that has {cidr} (tentative)")))
}

/// Why an address that is there cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressDoubt {
    /// For as long as nobody does something about it.
    Useless(String),
    /// For about a second.
    Passing(String),
}

/// The error for an IPv6 address where the kernel takes none. `ipv6` is the attribute of the link or of the namespace.
pub fn refuse_ipv6(address: IpAddr, ipv6: Option<&str>, place: &str, setting: &str) -> Result<()> {
    match (address, ipv6) {
        (IpAddr::V6(_), Some("disabled")) => Err(Error::failed(format!(
            "IPv6 is switched off {place}, so the kernel would not take {address}: set the sysctl net.ipv6.conf.{setting}.disable_ipv6 to 0"
        ))),
        _ => Ok(()),
    }
}

/// The prefix length of the network, if it contains the address and other addresses too.
fn len_of_network(cidr: &str, address: IpAddr) -> Option<u8> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    prefix_that_holds(cidr, address).filter(|len| *len < most)
}
