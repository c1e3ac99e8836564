//! The journal's own protocol: an entry is a datagram of fields, or a sealed file in memory if it is too large for a datagram.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use model::NodeName;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::{IDENTIFIER, SinkMessage, priority};

/// An entry with the fields that a message has.
pub(super) fn entry(node: &NodeName, message: &SinkMessage<'_>) -> Vec<u8> {
    let mut entry = Vec::new();
    let mut field = |name: &str, value: &str| append(&mut entry, name, value);
    field("MESSAGE", message.text.trim_end());
    field("PRIORITY", &priority(message.level).to_string());
    field("SYSLOG_IDENTIFIER", IDENTIFIER);
    field("NODE", node.as_str());
    if let Some(object) = message.object {
        field("OBJECT_PATH", &object.to_string());
    }
    if let Some(rid) = message.rid {
        field("RID", &rid.to_string());
    }
    entry
}

/// `NAME=value`, or with its length if the value has several lines.
fn append(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend(name.as_bytes());
    // The native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL) ends a field at a line feed, unless its length of 64
    // bits stands before it.
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend((value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend(value.as_bytes());
    entry.push(b'\n');
}

/// Sends an entry. It is lost if no journal listens, or if the journal is slow.
pub(super) fn send(socket: &UnixDatagram, journal: &Path, entry: &[u8]) {
    let sent = socket.send_to(entry, journal);
    if sent.is_err_and(|error| is_too_large(&error)) {
        let _ = send_file(journal, entry);
    }
}

fn is_too_large(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    // The kernel says ENOBUFS where the datagram alone would fill the buffer. libsystemd
    // tries the file after both, too.
    code == Some(rustix::io::Errno::MSGSIZE.raw_os_error()) || code == Some(rustix::io::Errno::NOBUFS.raw_os_error())
}

/// The journal takes a file only if nobody can change it any more.
fn send_file(journal: &Path, entry: &[u8]) -> io::Result<()> {
    let file = memfd_create("hostler-log", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = File::from(file);
    file.write_all(entry)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
    let file = OwnedFd::from(file);
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(journal)?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [file.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    // The protocol wants an empty datagram with one descriptor: all fields are in the file.
    sendmsg(&socket, &[IoSlice::new(&[])], &mut ancillary, SendFlags::empty())?;
    Ok(())
}
