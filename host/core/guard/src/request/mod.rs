//! A request as the driver sent it, read in the only way in which the engine can read it.

pub(crate) mod engine_request;
pub(crate) mod members;
pub(crate) mod strict_json;
pub(crate) mod target;
