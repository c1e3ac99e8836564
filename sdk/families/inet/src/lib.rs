//! An address as the drivers of the group `ip` take it: by itself or by a host name, with a netmask or without.

use std::net::IpAddr;

use hostler_sdk::cidr::{prefix_len, prefix_that_holds};
use hostler_sdk::net::Holder;
use hostler_sdk::{Error, Keywords, Problem, Result, net};

/// The address of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Keywords)]
pub struct Inet {
    /// The address, or a host name that stands for it. A name must stand for the same address for as long as the resource is
    /// up, so that stop finds it again.
    #[keyword(alias = "ipname", example = "10.0.0.9")]
    pub name: String,
    /// The length of the address's prefix, or the mask itself. By default that of the network on the interface which the
    /// address is in, else the address stands alone: 32 or 128.
    #[keyword(example = "24")]
    pub netmask: Option<String>,
}

impl Inet {
    /// What is wrong with the keywords.
    pub fn problems(&self) -> Vec<Problem> {
        let most = match self.name.parse() {
            Ok(IpAddr::V4(_)) => 32,
            _ => 128,
        };
        let bad = self.netmask.as_ref().filter(|netmask| prefix_len(netmask).is_none_or(|len| len > most));
        let problem = |netmask: &String| Problem {
            keyword: "netmask".to_owned(),
            text: format!("{netmask} is no netmask: expected a length such as 24, or 255.255.255.0"),
        };
        self.problem_of_name().into_iter().chain(bad.map(problem)).collect()
    }

    fn problem_of_name(&self) -> Option<Problem> {
        let digits = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let text = match self.name.split_once('/') {
            Some((address, len)) => format!("expected an address alone: name = {address} and netmask = {len}"),
            None if self.name.bytes().all(digits) && self.name.parse::<IpAddr>().is_err() => {
                format!("{} is no address", self.name)
            }
            None => return None,
        };
        Some(Problem::new("name", text))
    }

    /// The address that `name` is or stands for. Of several, the first: a resolver lists the one to prefer first.
    pub fn address(&self) -> Result<IpAddr> {
        if let Ok(address) = self.name.parse() {
            return Ok(address);
        }
        let addresses = net::resolve(&self.name)?;
        let first = addresses.iter().find_map(|address| address.parse().ok());
        first.ok_or_else(|| Error::retryable(format!("{} stands for no address", self.name)))
    }

    /// The address with the length of its prefix: that of `netmask`, else that of the network on the node's interface which
    /// it is in, else none but its own.
    pub fn cidr(&self, address: IpAddr, dev: &str) -> Result<String> {
        if let Some(netmask) = &self.netmask {
            let len = prefix_len(netmask).ok_or_else(|| Error::invalid_config(format!("{netmask} is no netmask")))?;
            return Ok(format!("{address}/{len}"));
        }
        let addresses = net::addresses(dev)?.unwrap_or_default();
        let network = addresses.iter().find_map(|found| len_of_network(&found.cidr, address));
        Ok(format!("{address}/{}", network.unwrap_or(if address.is_ipv4() { 32 } else { 128 })))
    }
}

/// Why an address cannot be taken on `dev`, and what to do about it.
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

/// The length of the prefix, if the network holds the address and more than one.
fn len_of_network(cidr: &str, address: IpAddr) -> Option<u8> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    prefix_that_holds(cidr, address).filter(|len| *len < most)
}
