//! Container engines that speak the Docker Engine API over a unix socket: docker, and podman's service.
//!
//! ```text
//!   container.docker container.podman container.oci task.docker
//!        │
//!        │ the drivers of containers that live: ContainerResource    resource.rs
//!        ▼
//!   Service: status start stop provision unprovision        service.rs, run.rs, inside.rs; run to the end   run.rs
//!        │ what the container is to be: Container           keywords.rs, describe.rs (the body of its creation)
//!        ▼
//!   Place: where the engine is ── the node's, or the object's own, which is started and ended   place.rs, own.rs
//!        │
//!        ▼
//!   Engine: the few calls that are needed                   client.rs, credentials.rs, wire.rs, error.rs
//! ```
//!
//! Podman answers null where docker answers an empty list, and leaves out what it does not know: every member that is read
//! may be missing.

mod client;
pub mod credentials;
mod describe;
mod error;
mod inside;
mod keywords;
pub mod own;
mod place;
mod reference;
mod resource;
mod run;
mod service;
mod wire;

pub use client::Engine;
pub use error::EngineError;
pub use keywords::Container;
pub use own::{Left, OwnEngine};
pub use place::Place;
pub use reference::{is_reference, is_tagged};
pub use resource::{ContainerResource, refuse_own_engine};
pub use service::Service;
pub use wire::{ContainerState, Found};

/// The labels by which a container is known to be a resource's. The host's guard of the socket goes by them.
pub mod label {
    /// The object's path.
    pub const OBJECT: &str = "hostler.object";
    /// The resource's id.
    pub const RID: &str = "hostler.rid";
    /// The node that made it.
    pub const NODE: &str = "hostler.node";
    /// A mark of all that was asked for, to see whether a container is what the keywords say today.
    pub const CONFIG: &str = "hostler.config";
}
