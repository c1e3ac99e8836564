//! The configuration of a node: what objects may refer to of it, and the check of the file itself.

pub(crate) mod data;
pub(crate) mod file;
