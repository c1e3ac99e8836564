//! Connections for HTTP: to an address that was checked, or to a unix socket that was pinned.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use grant::op::FetchUnix;
use kernel::path::{LastLink, PinnedPath, descriptor_path, resolve};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::{CallContext, CapabilityError};

/// A connection of any kind.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Connects to the host of `url`. Its name is resolved once, so that the address that was checked is the one that is used.
pub(crate) async fn dial_url(url: &Url) -> Result<Box<dyn ByteStream>, CapabilityError> {
    let host = url.host().ok_or_else(|| CapabilityError::Invalid(format!("{url} has no host")))?;
    let port = url.port_or_known_default().unwrap_or(80);
    let tcp = connect(&addresses(&host, port).await?).await.map_err(|error| unreachable(url, &error))?;
    if url.scheme() == "http" {
        return Ok(Box::new(tcp));
    }
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.to_owned())
            .map_err(|_| CapabilityError::Invalid(format!("{name:?} is not a host name")))?,
        Host::Ipv4(ip) => ServerName::from(IpAddr::from(ip)),
        Host::Ipv6(ip) => ServerName::from(IpAddr::from(ip)),
    };
    let connector = TlsConnector::from(tls().await?);
    let stream = connector.connect(name, tcp).await.map_err(|error| unreachable(url, &error))?;
    Ok(Box::new(stream))
}

/// Connects to a unix socket for a driver: the place to which the links in its path lead must be allowed as well.
pub(crate) async fn dial_granted(
    context: &CallContext,
    op: &FetchUnix,
) -> Result<Box<dyn ByteStream>, CapabilityError> {
    connect_to(&op.socket, &judged_socket(context, op)?).await
}

/// Connects to a unix socket for the host itself. A link is followed only if no other user could have put it there.
pub(super) async fn dial_unix(socket: &Path) -> Result<Box<dyn ByteStream>, CapabilityError> {
    connect_to(socket, &resolve(socket, LastLink::Follow)?).await
}

/// Pins a socket, and judges the request again at the place where it is.
pub(super) fn judged_socket(context: &CallContext, op: &FetchUnix) -> Result<PinnedPath, CapabilityError> {
    let place = resolve(&op.socket, LastLink::Follow)?;
    if place.path() != op.socket {
        context.judge_place(&FetchUnix { socket: place.path().to_owned(), ..op.clone() })?;
    }
    Ok(place)
}

async fn connect_to(asked: &Path, place: &PinnedPath) -> Result<Box<dyn ByteStream>, CapabilityError> {
    // Through /proc, to connect to the socket that was found even if another one has taken its name.
    let stream = UnixStream::connect(descriptor_path(place.existing()?)).await;
    let stream =
        stream.map_err(|error| CapabilityError::io(&format!("cannot connect to {}", asked.display()), &error))?;
    Ok(Box::new(stream))
}

/// The addresses of a host. A name may lead to far addresses only, because neither the driver nor the grant controls what it
/// resolves to: else a name could be made to reach services of this machine. An address in the URL stands in the grant too, as no
/// star means one.
async fn addresses(host: &Host<&str>, port: u16) -> Result<Vec<SocketAddr>, CapabilityError> {
    let name = match host {
        Host::Ipv4(ip) => return Ok(vec![SocketAddr::new((*ip).into(), port)]),
        Host::Ipv6(ip) => return Ok(vec![SocketAddr::new((*ip).into(), port)]),
        Host::Domain(name) => *name,
    };
    let found = tokio::net::lookup_host((name, port)).await;
    let found = found.map_err(|error| CapabilityError::Other(format!("cannot resolve {name}: {error}")))?;
    let (far, near): (Vec<_>, Vec<_>) = found.partition(|address| is_far(address.ip()));
    match near.first() {
        // Refused only if no far address is left: a name may have both, and the near ones are simply not used.
        Some(address) if far.is_empty() => Err(CapabilityError::Denied(format!(
            "{name} is {}: reaching it needs a grant that names this address",
            address.ip()
        ))),
        _ => Ok(far),
    }
}

/// The servers from which clouds give a machine its secrets, beside those on the link.
const METADATA: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether an address is neither this machine's nor link-local, and no cloud's metadata server.
fn is_far(address: IpAddr) -> bool {
    // Canonical first: ::ffff:127.0.0.1 is this machine as well.
    let address = address.to_canonical();
    if METADATA.contains(&address) {
        return false;
    }
    match address {
        IpAddr::V4(ip) => {
            !(ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.is_broadcast() || ip.octets()[0] == 0)
        }
        IpAddr::V6(ip) => {
            let is_near = ip.is_loopback() || ip.is_unicast_link_local() || ip.is_multicast() || ip.is_unspecified();
            !is_near && carried(ip).is_none_or(|carried| is_far(IpAddr::V4(carried)))
        }
    }
}

/// The IPv4 address to which a translator or a tunnel of the network would pass what is sent to this one: NAT64, 6to4, and the
/// "compatible" addresses of old.
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let word = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match ip.segments() {
        // RFC 6052, 2.1, and RFC 4291, 2.5.5.1.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] => Some(word(high, low)),
        // RFC 3056, 2.
        [0x2002, high, low, ..] => Some(word(high, low)),
        _ => None,
    }
}

async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    // In the order of the resolver, which sorts them by preference (RFC 6724).
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn unreachable(url: &Url, error: &io::Error) -> CapabilityError {
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    CapabilityError::io(&format!("cannot connect to {host}"), error)
}

/// The TLS configuration with the machine's own trust roots. Read once: they are hundreds of small files on some systems.
async fn tls() -> Result<Arc<ClientConfig>, CapabilityError> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    // Two first calls may both read them. The first to finish is kept.
    let made = tokio::task::spawn_blocking(make_tls).await;
    let config = made.map_err(|_| CapabilityError::Other("reading the trust roots crashed".to_owned()))??;
    Ok(CONFIG.get_or_init(|| config).clone())
}

fn make_tls() -> Result<Arc<ClientConfig>, CapabilityError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(CapabilityError::Other("this machine has no trust roots: https cannot be checked".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| CapabilityError::Other(format!("cannot set up TLS: {error}")))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reaches_no_address_of_this_machine_or_its_link() {
        for (address, expected) in [
            ("192.0.2.1", true),
            ("10.0.0.1", true),
            ("2001:db8::1", true),
            ("127.0.0.1", false),
            ("127.8.8.8", false),
            ("0.0.0.0", false),
            ("169.254.169.254", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("::ffff:127.0.0.1", false),
            ("100.64.0.1", true),
            ("100.100.100.200", false),
            ("168.63.129.16", false),
            ("fd00::1", true),
            ("fd00:ec2::254", false),
            ("::ffff:100.100.100.200", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("64:ff9b::c000:201", true),
            ("2002:7f00:1::", false),
            ("2002:c000:201::1", true),
            ("::127.0.0.1", false),
        ] {
            assert_eq!(is_far(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[tokio::test]
    async fn localhost_is_denied_by_name_and_reached_by_address() {
        let url = |text: &str| Url::parse(text).unwrap();
        let denied = dial_url(&url("http://localhost:1/")).await.err();
        assert!(matches!(denied, Some(CapabilityError::Denied(_))), "{denied:?}");
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        assert!(dial_url(&url(&format!("http://127.0.0.1:{port}/"))).await.is_ok());
    }
}
