//! Where a daemon is asked: at its unix socket, or by TLS at an address.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::ClientError;
use crate::pinned::PinnedAuthority;

/// The port of a daemon, if an address names none.
const PORT: u16 = 1215;

/// A connection of either kind.
pub(crate) trait ClientStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ClientStream for T {}

/// How a daemon elsewhere is asked. The texts are PEM.
#[derive(Clone, Default)]
pub struct RemoteAccess {
    /// `https://HOST[:PORT]`.
    pub url: String,
    /// The certificate of the authority that the daemon must prove itself by.
    pub authority: String,
    /// The client certificate and its key, where the user is known by one.
    pub identity: Option<(String, String)>,
    /// The token, where the user is known by one.
    pub token: Option<String>,
    /// The SHA-256 of the authority's certificate, where that is all that is known of it.
    pub pinned: Option<[u8; 32]>,
}

impl fmt::Debug for RemoteAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteAccess").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Where a daemon is asked.
#[derive(Debug, Clone)]
pub(crate) enum DaemonServer {
    Socket(PathBuf),
    Tls(Arc<TlsServer>),
}

/// A daemon at an address.
pub(crate) struct TlsServer {
    url: String,
    host: String,
    port: u16,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    token: Option<String>,
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").field("url", &self.url).finish_non_exhaustive()
    }
}

impl DaemonServer {
    /// A daemon elsewhere.
    pub(crate) fn remote(access: &RemoteAccess) -> Result<DaemonServer, ClientError> {
        let refused = |reason: String| ClientError::Access { url: access.url.clone(), reason };
        let url = Url::parse(&access.url).map_err(|error| refused(error.to_string()))?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        // A path or a user in the address would be dropped without a word.
        let host = url.host().filter(|_| url.scheme() == "https" && is_bare);
        let host = host.ok_or_else(|| refused("expected https://HOST[:PORT]".to_owned()))?;
        let name = match host {
            Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|error| refused(error.to_string()))?,
            Host::Ipv4(ip) => ServerName::from(std::net::IpAddr::from(ip)),
            Host::Ipv6(ip) => ServerName::from(std::net::IpAddr::from(ip)),
        };
        let config = Arc::new(client_config(access).map_err(|error| refused(error.to_string()))?);
        // Without the brackets of an IPv6 address, which a resolver does not take.
        let host = match host {
            Host::Ipv6(ip) => ip.to_string(),
            other => other.to_string(),
        };
        // The port of https would be another program's.
        let port = url.port().unwrap_or(PORT);
        let (url, token) = (access.url.trim_end_matches('/').to_owned(), access.token.clone());
        Ok(DaemonServer::Tls(Arc::new(TlsServer { url, host, port, name, config, token })))
    }

    /// What a request names as its host.
    pub(crate) fn host(&self) -> String {
        match self {
            DaemonServer::Socket(_) => "daemon".to_owned(),
            DaemonServer::Tls(server) => format!("{}:{}", server.host, server.port),
        }
    }

    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            DaemonServer::Socket(_) => None,
            DaemonServer::Tls(server) => server.token.as_deref(),
        }
    }

    pub(crate) async fn connect(&self) -> Result<Box<dyn ClientStream>, ClientError> {
        match self {
            DaemonServer::Socket(socket) => Ok(Box::new(open(socket).await?)),
            DaemonServer::Tls(server) => {
                let tcp = TcpStream::connect((server.host.as_str(), server.port)).await;
                let tcp = tcp.map_err(|error| ClientError::Unreachable(server.url.clone(), error))?;
                let _ = tcp.set_nodelay(true);
                let connected = TlsConnector::from(Arc::clone(&server.config)).connect(server.name.clone(), tcp).await;
                Ok(Box::new(connected.map_err(|error| server.untrusted(error))?))
            }
        }
    }
}

impl fmt::Display for DaemonServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DaemonServer::Socket(socket) => write!(f, "{}", socket.display()),
            DaemonServer::Tls(server) => f.write_str(&server.url),
        }
    }
}

async fn open(socket: &Path) -> Result<UnixStream, ClientError> {
    UnixStream::connect(socket).await.map_err(|error| unopened(socket, error))
}

fn unopened(socket: &Path, error: io::Error) -> ClientError {
    match error.kind() {
        // A socket without a daemon behind it was left by one that was killed. One that ends resets the connections that it has
        // not accepted: no request was made on them.
        ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => ClientError::NotRunning,
        ErrorKind::PermissionDenied => ClientError::NoAccess(socket.to_owned()),
        _ => ClientError::Connect(socket.to_owned(), error),
    }
}

fn client_config(access: &RemoteAccess) -> Result<ClientConfig, Box<dyn Error>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    if let Some(digest) = access.pinned {
        let verifier = Arc::new(PinnedAuthority::new(digest, &provider));
        // A node that joins has no certificate yet, and is known by its token.
        return Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(access.authority.as_bytes()) {
        roots.add(certificate.map_err(|error| format!("the certificate of the authority: {error}"))?)?;
    }
    if roots.is_empty() {
        return Err("the certificate of its authority is missing: it is ca.pem of om daemon cert create".into());
    }
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let Some((certificate, key)) = &access.identity else { return Ok(builder.with_no_client_auth()) };
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| format!("the client certificate: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| format!("the key: {error}"))?;
    Ok(builder.with_client_auth_cert(chain, key)?)
}

impl TlsServer {
    /// Why the handshake failed.
    fn untrusted(&self, error: io::Error) -> ClientError {
        let url = self.url.clone();
        match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(reason)) => {
                let reason = match reason {
                    CertificateError::ApplicationVerificationFailure => {
                        "its authority is not the one of the token: is it a node of the cluster that made it?"
                            .to_owned()
                    }
                    CertificateError::UnknownIssuer => {
                        "its certificate is of another authority than this context's ca \
                        (ca.pem of om daemon cert create on that node)"
                            .to_owned()
                    }
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                        format!("its certificate is not for {} (see listener.alt_names of that node)", self.host)
                    }
                    other => format!("its certificate is refused: {other}"),
                };
                ClientError::Untrusted { url, reason }
            }
            Some(rustls::Error::InvalidMessage(_)) => {
                ClientError::Untrusted { url, reason: "what answers there does not speak TLS".to_owned() }
            }
            Some(rustls::Error::AlertReceived(alert)) => ClientError::Certificate { url, reason: alert_words(*alert) },
            _ => ClientError::Unreachable(url, error),
        }
    }
}

/// Why a connection ended within the conversation. With TLS 1.3 a client learns only then that its certificate was refused.
pub(crate) fn explained(server: &DaemonServer, error: hyper::Error) -> ClientError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(one) = cause {
        let inner = one.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(rustls::Error::AlertReceived(alert)) = inner.and_then(|inner| inner.downcast_ref()) {
            return ClientError::Certificate { url: server.to_string(), reason: alert_words(*alert) };
        }
        cause = one.source();
    }
    ClientError::HungUp(error)
}

fn alert_words(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnknownCA => "it is of another authority".to_owned(),
        AlertDescription::CertificateExpired => "it has expired".to_owned(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_ends_before_it_accepts_is_absent() {
        for kind in [ErrorKind::NotFound, ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset] {
            let error = unopened(Path::new("daemon.sock"), kind.into());
            assert!(error.is_absence() && !error.is_doubtful(), "{kind}: {error}");
        }
        assert!(!unopened(Path::new("daemon.sock"), ErrorKind::PermissionDenied.into()).is_absence());
    }
}
