//! Where logs go besides their files: the journal of systemd, and syslog.

use std::path::PathBuf;
use std::str::FromStr;

/// The socket of the journal.
const JOURNAL: &str = "/run/systemd/journal/socket";
/// The socket of the local syslog.
const SYSLOG: &str = "/dev/log";
/// The ports that RFC 5426 and RFC 6587 name.
const UDP_PORT: u16 = 514;
const TCP_PORT: u16 = 601;

/// The journal that logs go to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum JournalTarget {
    #[default]
    None,
    Socket(PathBuf),
}

/// The syslog that logs go to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum SyslogTarget {
    #[default]
    None,
    Socket(PathBuf),
    Udp(HostPort),
    Tcp(HostPort),
}

/// A host, by name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

/// A text that names no journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected true, false or the path of a socket")]
pub struct InvalidJournal;

/// A text that names no syslog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected true, false, the path of a socket, udp://HOST[:PORT] or tcp://HOST[:PORT]")]
pub struct InvalidSyslog;

impl FromStr for JournalTarget {
    type Err = InvalidJournal;

    fn from_str(text: &str) -> Result<JournalTarget, InvalidJournal> {
        match socket(text, JOURNAL) {
            Some(Some(socket)) => Ok(JournalTarget::Socket(socket)),
            Some(None) => Ok(JournalTarget::None),
            None => Err(InvalidJournal),
        }
    }
}

impl FromStr for SyslogTarget {
    type Err = InvalidSyslog;

    fn from_str(text: &str) -> Result<SyslogTarget, InvalidSyslog> {
        let remote = |rest: &str, port| host_port(rest, port).ok_or(InvalidSyslog);
        if let Some(rest) = text.strip_prefix("udp://") {
            return remote(rest, UDP_PORT).map(SyslogTarget::Udp);
        }
        if let Some(rest) = text.strip_prefix("tcp://") {
            return remote(rest, TCP_PORT).map(SyslogTarget::Tcp);
        }
        match socket(text, SYSLOG) {
            Some(Some(socket)) => Ok(SyslogTarget::Socket(socket)),
            Some(None) => Ok(SyslogTarget::None),
            None => Err(InvalidSyslog),
        }
    }
}

/// The socket that a text names, if it names one or none at all.
fn socket(text: &str, usual: &str) -> Option<Option<PathBuf>> {
    match crate::convert::convert(crate::keyword::ValueKind::Boolean, text) {
        Ok(values) if values == ["true"] => Some(Some(usual.into())),
        Ok(_) => Some(None),
        Err(_) => text.starts_with('/').then(|| Some(text.into())),
    }
}

/// `logs.example.com`, `10.0.0.1:514`, `[::1]:514`.
fn host_port(text: &str, usual: u16) -> Option<HostPort> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Some(usual), |port| port.parse().ok().filter(|port| *port > 0))?;
    let is_host = !host.is_empty() && !host.contains(['/', ' ', '@']);
    is_host.then(|| HostPort { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syslog_is_a_socket_or_a_host() {
        let check = |text: &str, expected: SyslogTarget| assert_eq!(text.parse(), Ok(expected), "{text}");
        let at = |host: &str, port| HostPort { host: host.to_owned(), port };
        check("false", SyslogTarget::None);
        check("true", SyslogTarget::Socket("/dev/log".into()));
        check("/run/log", SyslogTarget::Socket("/run/log".into()));
        check("udp://logs", SyslogTarget::Udp(at("logs", 514)));
        check("tcp://10.0.0.1:6514", SyslogTarget::Tcp(at("10.0.0.1", 6514)));
        check("tcp://[::1]", SyslogTarget::Tcp(at("::1", 601)));
        check("udp://[::1]:99", SyslogTarget::Udp(at("::1", 99)));
        for wrong in ["", "logs", "udp://", "tcp://a:0", "tcp://a:b", "udp://[::1", "http://a", "udp://a/b"] {
            assert_eq!(wrong.parse::<SyslogTarget>(), Err(InvalidSyslog), "{wrong}");
        }
    }

    #[test]
    fn a_journal_is_a_socket() {
        assert_eq!("true".parse(), Ok(JournalTarget::Socket(JOURNAL.into())));
        assert_eq!("no".parse(), Ok(JournalTarget::None));
        assert_eq!("/tmp/socket".parse(), Ok(JournalTarget::Socket("/tmp/socket".into())));
        assert_eq!("maybe".parse::<JournalTarget>(), Err(InvalidJournal));
    }
}
