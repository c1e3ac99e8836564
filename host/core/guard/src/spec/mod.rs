//! The container that the resource's keywords allow.

pub(crate) mod allowed_spec;
pub(crate) mod container_mount;
pub(crate) mod image_reference;
pub(crate) mod namespace_mode;
pub(crate) mod resource;
