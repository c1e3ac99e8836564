//! The objects on disk: which there are, what their configurations say, and which version of a configuration is in use.

mod catalogue;
mod configuration;
mod files;
mod latest;
mod scan;

pub use catalogue::ConfigurationCatalogue;
pub use configuration::{ActiveObject, NoResource, NoUsableConfiguration, ObjectConfiguration};
pub use files::{ObjectError, ObjectFiles};
pub(crate) use latest::LatestConfiguration;
pub use scan::ObjectScan;
