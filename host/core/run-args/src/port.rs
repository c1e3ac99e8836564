//! Ports of a container, and the ports of the node that lead to them: `-p`, `--expose`.

use crate::value::ParseResult;

const EXPECTED: &str = "[ADDRESS:][PORT:]PORT[/tcp|udp|sctp], each port a number or a range such as 8000-8010";

/// A port of the container, and the one of the node that leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortMapping {
    /// The address of the node; empty: all of them.
    pub host_ip: String,
    /// The port of the node, or a range; empty: any free port.
    pub host_port: String,
    /// The port of the container.
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// `[address:][port:]port[/protocol]`, one for each port of a range.
pub(crate) fn publish(text: &str) -> ParseResult<Vec<PortMapping>> {
    let (text, protocol) = split_protocol(text)?;
    let (front, container) = text.rsplit_once(':').map_or((None, text), |(front, port)| (Some(front), port));
    let (host_ip, host) = front.map_or(Ok(("", "")), host_part)?;
    let container = range(container)?;
    let host = if host.is_empty() { None } else { Some(range(host)?) };
    let ports = |(first, last): (u16, u16)| usize::from(last - first);
    // A range for a single port is allowed: the engine takes the first free one.
    if host.is_some_and(|host| ports(host) != ports(container)) && container.0 != container.1 {
        return Err("as many ports of the node as of the container");
    }
    Ok((container.0..=container.1)
        .map(|port| PortMapping {
            host_ip: host_ip.to_owned(),
            host_port: host_port(host, container, port),
            container_port: port,
            protocol: protocol.to_owned(),
        })
        .collect())
}

/// The port of the node for one port of the container. From a range for a single port the engine chooses.
fn host_port(host: Option<(u16, u16)>, container: (u16, u16), port: u16) -> String {
    match host {
        None => String::new(),
        Some((first, last)) if first != last && container.0 == container.1 => format!("{first}-{last}"),
        Some((first, _)) => (first + (port - container.0)).to_string(),
    }
}

/// `80[/tcp]`, or a range, each port as the engine writes it.
pub(crate) fn expose(text: &str) -> ParseResult<Vec<String>> {
    let (text, protocol) = split_protocol(text)?;
    let (first, last) = range(text)?;
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

fn split_protocol(text: &str) -> ParseResult<(&str, &str)> {
    match text.rsplit_once('/') {
        None => Ok((text, "tcp")),
        Some((text, protocol @ ("tcp" | "udp" | "sctp"))) => Ok((text, protocol)),
        Some(_) => Err(EXPECTED),
    }
}

/// `port`, or `address:[port]`, a version 6 address in brackets.
fn host_part(text: &str) -> ParseResult<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(EXPECTED)?;
        let port = if port.is_empty() { "" } else { port.strip_prefix(':').ok_or(EXPECTED)? };
        address.parse::<std::net::Ipv6Addr>().map_err(|_| EXPECTED)?;
        return Ok((address, port));
    }
    let Some((address, port)) = text.split_once(':') else {
        let is_address = text.parse::<std::net::Ipv4Addr>().is_ok();
        return Ok(if is_address { (text, "") } else { ("", text) });
    };
    address.parse::<std::net::Ipv4Addr>().map_err(|_| EXPECTED)?;
    Ok((address, port))
}

fn range(text: &str) -> ParseResult<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or(EXPECTED);
    let (first, last) = (port(first)?, port(last)?);
    if first > last { Err(EXPECTED) } else { Ok((first, last)) }
}
