//! Where log lines go besides the object's file: the journal of systemd and syslog, as node.conf says at the moment.
//!
//! The file is written first and by itself. What takes a line here never waits: a sink that is away, full or slow loses lines, and
//! says later how many.

mod journal;
mod remote;
mod syslog;
#[cfg(test)]
mod tests;

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use config::NodeData;
use driver::LogSeverity;
use jiff::Timestamp;
use model::log_target::{JournalTarget, SyslogTarget};
use model::{NodeName, ObjectPath, Rid};

/// The name of the program in the journal and in syslog.
const IDENTIFIER: &str = "hostler";

/// A message for the sinks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SinkMessage<'m> {
    pub(crate) at: Timestamp,
    pub(crate) level: LogSeverity,
    /// The object that it is about. None: the node.
    pub(crate) object: Option<&'m ObjectPath>,
    pub(crate) rid: Option<&'m Rid>,
    pub(crate) text: &'m str,
}

/// The sinks of a node.
#[derive(Debug)]
pub(crate) struct LogSinks {
    node: NodeName,
    journal: JournalTarget,
    syslog: SyslogTarget,
    /// Of no address, and never waiting. None: nothing goes to a socket of this machine.
    socket: Option<UnixDatagram>,
}

impl LogSinks {
    /// The sinks that node.conf names. What it says wrongly is without effect, and `om node validate` shows it.
    pub(crate) fn of(node: &NodeData) -> LogSinks {
        let value = |keyword: &str| node.keywords.get(keyword).map(String::as_str).unwrap_or_default();
        let journal: JournalTarget = value("journald").parse().unwrap_or_default();
        let syslog: SyslogTarget = value("syslog").parse().unwrap_or_default();
        let is_local = matches!(journal, JournalTarget::Socket(_)) || matches!(syslog, SyslogTarget::Socket(_));
        let socket = is_local.then(local_socket).flatten();
        LogSinks { node: node.name.clone(), journal, syslog, socket }
    }

    /// Sends a message to all of them.
    pub(crate) fn send(&self, message: &SinkMessage<'_>) {
        if let (JournalTarget::Socket(path), Some(socket)) = (&self.journal, &self.socket) {
            journal::send(socket, path, &journal::entry(&self.node, message));
        }
        match &self.syslog {
            SyslogTarget::None => {}
            SyslogTarget::Socket(path) => self.to_socket(path, message),
            SyslogTarget::Udp(_) | SyslogTarget::Tcp(_) => {
                let lines = syslog::messages(&self.node, message);
                lines.into_iter().for_each(|line| remote::send(&self.syslog, line));
            }
        }
    }

    fn to_socket(&self, path: &PathBuf, message: &SinkMessage<'_>) {
        let Some(socket) = &self.socket else { return };
        for line in syslog::messages(&self.node, message) {
            // Lost if nothing listens, or if what listens is slow: the file has it.
            let _ = socket.send_to(line.as_bytes(), path);
        }
    }
}

fn local_socket() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

/// Waits until what is on its way to another host has left, but not longer than that, and not for a host that does not answer.
pub fn flush_sinks(limit: Duration) {
    remote::flush(limit);
}

/// The level as syslog and the journal number it.
fn priority(level: LogSeverity) -> u8 {
    match level {
        LogSeverity::Error => 3,
        LogSeverity::Warn => 4,
        LogSeverity::Info => 6,
        LogSeverity::Debug | LogSeverity::Trace => 7,
    }
}
