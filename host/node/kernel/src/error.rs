//! The error of this crate's functions.

use std::path::PathBuf;

use rustix::io::Errno;

/// A system call, or a check before it, that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// An argument makes no sense, or a path leads through a directory that other users control.
    #[error("{0}")]
    Invalid(String),
    /// The named file or link does not exist.
    #[error("{} does not exist", .0.display())]
    NotFound(PathBuf),
    /// The kernel refused a system call.
    #[error("cannot {doing}")]
    Os {
        /// The operation that failed, as it stands after "cannot".
        doing: String,
        /// The kernel's answer.
        #[source]
        errno: Errno,
    },
    /// The kernel refused a system call, and the cause is known better than errno(3) says.
    #[error("cannot {doing}: {why}")]
    Refused {
        /// The operation that failed, as it stands after "cannot".
        doing: String,
        /// The cause.
        why: String,
        /// The kernel's answer.
        errno: Errno,
    },
}

impl KernelError {
    /// For `map_err`: adds the operation to the kernel's answer.
    pub(crate) fn os(doing: impl Into<String>) -> impl FnOnce(Errno) -> KernelError {
        move |errno| KernelError::Os { doing: doing.into(), errno }
    }

    /// The kernel's answer. None if the kernel was not asked.
    pub fn errno(&self) -> Option<i32> {
        match self {
            KernelError::Os { errno, .. } | KernelError::Refused { errno, .. } => Some(errno.raw_os_error()),
            KernelError::Invalid(_) | KernelError::NotFound(_) => None,
        }
    }

    /// The error and its cause in one line, for callers that do not print the chain of sources.
    pub fn sentence(&self) -> String {
        match self {
            KernelError::Os { errno, .. } => format!("{self}: {}", strerror(*errno)),
            _ => self.to_string(),
        }
    }
}

/// The words of strerror(3), in lower case: `no space left on device`.
fn strerror(errno: Errno) -> String {
    let text = nix::errno::Errno::from_raw(errno.raw_os_error()).desc();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}
