//! Files and locks that survive a crash: a file is replaced whole or not at all, and a lock dies with its holder.

pub(crate) mod cache;
pub mod durable;
pub mod lock;
pub mod text;
