//! A client of Google's Compute API, for the drivers of Google's cloud.
//!
//! ```text
//!   CloudKeywords ──▶ ComputeClient ──▶ metadata server: the token, the project, the zone
//!                          │
//!                          └──▶ Compute API: requests, with retries; operations, until they are done
//! ```
//!
//! The token is that of the instance's service account. It is kept for one call of the driver, and renewed when it is about to
//! expire or when the API refuses it; it is never written anywhere. A request that changes something has a `requestId`, so that
//! it can be sent again if its response was lost, without being executed twice.
//!
//! A driver flattens [`CloudKeywords`] into its keywords and takes its grants from [`gce_grants!`](crate::gce_grants).

mod client;
mod fault;
mod keywords;
mod operation;
mod place;
mod token;

pub use client::ComputeClient;
pub use fault::{ComputeError, ComputeResult, failed};
pub use keywords::CloudKeywords;
pub use place::{InstanceRef, check_name, name_of, path_of};

/// The grants of a driver of Google's cloud: its own, and those for the Compute API and the metadata server.
#[macro_export]
macro_rules! gce_grants {
    ($($own:literal),* $(,)?) => {
        &[
            $($own,)*
            "http = GET,POST,DELETE https://compute.googleapis.com/compute/v1/projects/**",
            "http = GET,POST,DELETE {kw:gce_endpoint}/projects/**",
            "http = GET http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token",
            "http = GET http://169.254.169.254/computeMetadata/v1/instance/zone",
            "http = GET http://169.254.169.254/computeMetadata/v1/project/project-id",
            "http = GET {kw:gce_metadata}/instance/service-accounts/default/token",
            "http = GET {kw:gce_metadata}/instance/zone",
            "http = GET {kw:gce_metadata}/project/project-id",
        ]
    };
}
