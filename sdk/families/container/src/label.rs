//! The labels that identify the container of a resource. The host's guard of the socket checks them.

/// The object's path.
pub const OBJECT: &str = "hostler.object";
/// The resource's id.
pub const RID: &str = "hostler.rid";
/// The node that created the container.
pub const NODE: &str = "hostler.node";
/// A digest of the configuration that the container was created from, to detect later changes.
pub const CONFIG: &str = "hostler.config";
