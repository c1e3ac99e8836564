//! Paths, walked one component at a time and then used by descriptor.
//!
//! Whoever can write in a directory can put a symbolic link there, and so send root wherever they like. So a link is
//! followed only by the rule of sshd's StrictModes: every directory up to it, and the link itself, must belong to root
//! (or to the agent's own user) and be writable by nobody else. That lets `/dev/vg/lv` and `/bin` through, and nothing
//! below `/tmp` or a home. What was found stays pinned: renaming a directory after the walk redirects nothing.
//!
//! openat2(2) can refuse all links or follow all of them, but cannot tell these two kinds apart. So it is asked first, to refuse
//! all; only where there are some, the path is walked.

mod pinned;
#[cfg(test)]
mod tests;
mod trust;
mod walk;

pub use pinned::{LastLink, PinnedPath, descriptor_path};
pub(crate) use trust::is_ours;
pub use walk::resolve;
