//! Google's Compute API, for the drivers that speak it.
//!
//! ```text
//!   Cloud (keywords) ──▶ Client ──▶ metadata server: the token, the project, the zone
//!                          │
//!                          └──▶ Compute API: a request, tried again while that makes sense; an operation, until it is done
//! ```
//!
//! The token is that of the instance's service account. It is kept for the length of a call, and renewed when it is about to
//! expire or when the API does not take it any more; nothing of it is written anywhere. A request that changes something
//! carries a `requestId`, so that one whose answer was lost can be sent again without being done twice.
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

/// The grants of a driver that speaks the Compute API: what it names itself, and those of the API and the metadata server.
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
