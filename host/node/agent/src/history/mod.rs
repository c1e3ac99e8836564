//! The history of configurations: each version with its digest, when it was written, by whom and by what command.
//!
//! A change is written down before it is made, under the lock of the configuration. What an editor or another program changed
//! is noticed later, by the daemon or by the next command that reads the new text, and then becomes a version of an unknown
//! author. A history belongs to its object: it begins with the object and goes with it.
//!
//! ```text
//!  ObjectFiles, node.conf ──a change──▶ HistoryFile ──▶ VAR/svc/web/history, one line a version
//!  Agent: config_history, config_diff, config_version ◀──┘
//! ```

mod author;
mod cover;
mod diff;
mod file;
mod mask;
mod record;
mod request;

pub use author::ChangeAuthor;
pub(crate) use cover::{covered_in, secrets_of};
pub(crate) use file::HistoryFile;
pub use file::{ConfigVersion, VersionList};
pub(crate) use record::note_present;
pub use request::HistoryError;
