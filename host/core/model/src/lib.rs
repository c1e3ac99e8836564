//! The object model: what an object, an instance and a resource are, in the field's words.
//!
//! Pure: no tokio, no clock, no input or output. What comes from disk or from the network is parsed at the edges and
//! enters here as text.

mod access;
pub mod convert;
pub mod datastore;
pub mod keyword;
pub mod log_target;
mod node;
pub mod object;
pub mod path;
pub mod rid;
mod secret;
pub mod select;
pub mod status;
mod subset;
pub mod text;
mod verb;

pub use access::{AccessRole, InvalidGrant, RoleGrant, RoleGrants};
pub use node::{InvalidNodeName, NodeName};
pub use path::{ObjectKind, ObjectPath};
pub use rid::{DriverName, Group, Rid};
pub use secret::{is_secret_name, is_secret_option};
pub use subset::{InvalidSubsetName, SubsetName};
pub use verb::Verb;
