//! Why a call about files, mounts or block devices failed.

use std::path::PathBuf;

use rustix::io::Errno;

/// Why a call about files, mounts or block devices failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// What was asked makes no sense, or leads through a place that others control.
    #[error("{0}")]
    Invalid(String),
    /// What was named is not there.
    #[error("{} does not exist", .0.display())]
    NotFound(PathBuf),
    /// The kernel refused.
    #[error("cannot {doing}")]
    Os {
        /// What was being done, after "cannot".
        doing: String,
        /// The kernel's answer.
        #[source]
        errno: Errno,
    },
    /// The kernel refused, and we know better than errno(3) why.
    #[error("cannot {doing}: {why}")]
    Refused {
        /// What was being done, after "cannot".
        doing: String,
        /// Why it could not be.
        why: String,
        /// The kernel's answer.
        errno: Errno,
    },
}

impl KernelError {
    /// For `map_err`: what was being done when the kernel refused.
    pub(crate) fn os(doing: impl Into<String>) -> impl FnOnce(Errno) -> KernelError {
        move |errno| KernelError::Os { doing: doing.into(), errno }
    }

    /// The kernel's answer, where it was the kernel that refused.
    pub fn errno(&self) -> Option<i32> {
        match self {
            KernelError::Os { errno, .. } | KernelError::Refused { errno, .. } => Some(errno.raw_os_error()),
            KernelError::Invalid(_) | KernelError::NotFound(_) => None,
        }
    }

    /// Everything in one line, for those who do not walk the chain of sources.
    pub fn sentence(&self) -> String {
        match self {
            KernelError::Os { errno, .. } => format!("{self}: {}", strerror(*errno)),
            _ => self.to_string(),
        }
    }
}

/// The kernel's words for an errno, in lower case: `no space left on device`.
fn strerror(errno: Errno) -> String {
    let text = nix::errno::Errno::from_raw(errno.raw_os_error()).desc();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}
