//! Paths, walked one component at a time and then used by descriptor.
//!
//! A user who can write in a directory can put a symbolic link there, and so send root anywhere. So a link is followed
//! only by the rule of sshd's StrictModes: every directory up to it, and the link itself, must belong to root (or to the
//! agent's own user), and no other user may write there. That accepts `/dev/vg/lv` and `/bin`, and refuses links below
//! `/tmp` or a home directory. The result is pinned by descriptors: renaming a directory after the walk redirects
//! nothing.
//!
//! openat2(2) can refuse all links or follow all of them, but cannot distinguish these two kinds. So the first attempt
//! lets it refuse all of them, which is one system call; only a path with links is walked.

mod judge;
mod named;
mod pinned;
mod program;
mod strict;
#[cfg(test)]
mod tests;
mod trust;
mod walk;

pub use judge::{LinkJudge, judging_links};
pub use named::{NamedFile, denied_place, place_of_user};
pub use pinned::{LastLink, PinnedPath, descriptor_path};
pub use program::place_in_program;
pub use strict::{check_above, check_directory, check_entry, check_ours, identities_above, identity, open_ours};
pub(crate) use trust::is_ours;
pub(crate) use walk::{open_node, resolve_any};
pub use walk::{place_of_root, real_place, resolve};
