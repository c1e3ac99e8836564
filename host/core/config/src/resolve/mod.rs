//! From written keys to values: scopes are chosen, references resolved, defaults filled in, texts converted.

pub(crate) mod dereference;
pub(crate) mod keyword_set;
pub(crate) mod mentions;
pub(crate) mod outline;
pub(crate) mod reader;
pub(crate) mod resolver;
pub(crate) mod section_type;
mod typed;
mod volumes;
