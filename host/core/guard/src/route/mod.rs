//! The requests that the guard knows, one file per part of the engine's API.

pub(crate) mod container;
pub(crate) mod create;
pub(crate) mod exec;
pub(crate) mod image;
pub(crate) mod listing;
pub(crate) mod policy;
