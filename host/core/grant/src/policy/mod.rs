//! The policies of the site and of a namespace: `allow` and `deny` lines, read from files and bound to a resource.

mod allow_deny;
pub(crate) mod bound;
mod digest;
mod file;
mod limits;
mod site;

pub use allow_deny::Policy;
pub use digest::{ComponentDigest, DigestError};
pub use file::PolicyError;
pub use limits::SandboxLimits;
pub use site::{DriverTrust, SitePolicy};
