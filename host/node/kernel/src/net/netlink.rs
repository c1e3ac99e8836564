//! A connection to rtnetlink(7).

use rtnetlink::Handle;
use rustix::io::Errno;

use crate::KernelError;

/// A connection to rtnetlink(7). Dropping it closes the socket.
#[derive(Debug)]
pub struct Netlink {
    pub(super) handle: Handle,
}

impl Netlink {
    /// Connects to the kernel, in the network namespace of this thread. Needs a tokio runtime.
    ///
    /// The kernel checks the requests strictly. Only then it filters lists by the link or the table that is asked for.
    pub fn open() -> Result<Netlink, KernelError> {
        let (connection, handle, _) =
            rtnetlink::new_connection_with_strict_check().map_err(|error| KernelError::Os {
                doing: "open a netlink socket".to_owned(),
                errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
            })?;
        tokio::spawn(connection);
        Ok(Netlink { handle })
    }
}

/// The kernel's answer. None if the request did not get that far.
pub(super) fn errno_of(error: &rtnetlink::Error) -> Option<Errno> {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.code.map(|code| Errno::from_raw_os_error(code.get().abs())),
        _ => None,
    }
}

/// For `map_err`: adds the operation to the error of a request.
pub(super) fn failed(doing: impl Into<String>) -> impl FnOnce(rtnetlink::Error) -> KernelError {
    move |error| match errno_of(&error) {
        Some(errno) => KernelError::Os { doing: doing.into(), errno },
        None => KernelError::Refused { doing: doing.into(), why: error.to_string(), errno: Errno::IO },
    }
}
