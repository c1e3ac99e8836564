//! The labels by which a container is known to be a resource's. The host's guard of the socket goes by them.

/// The object's path.
pub const OBJECT: &str = "hostler.object";
/// The resource's id.
pub const RID: &str = "hostler.rid";
/// The node that made it.
pub const NODE: &str = "hostler.node";
/// A mark of all that was asked for, to see whether a container is what the keywords say today.
pub const CONFIG: &str = "hostler.config";
