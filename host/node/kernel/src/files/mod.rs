//! Files and directories: their content, their owners and modes, and whether they are held in memory.

mod directory;
mod file;
mod in_memory;
pub mod ownership;

pub use directory::{list_directory, make_directory, remove, remove_tree};
pub use file::{FileKind, FileLifetime, FileStat, PERMISSIONS, SET_ID, allocate, read, real_path, stat, write};
pub(crate) use file::{io_error, stat_of};
pub use in_memory::{is_in_memory, stays_within};
