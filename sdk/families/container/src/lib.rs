//! Container engines that speak the Docker Engine API over a unix socket: docker, and podman's service.
//!
//! ```text
//!   container.docker container.podman container.oci task.docker
//!        │
//!        │ the drivers of containers that live: ContainerResource      resource.rs
//!        ▼
//!   Service: status start stop provision unprovision, run, consoles    life/service.rs, run.rs, inside.rs
//!        │ what the container is to be: Container                      life/keywords.rs, describe.rs (its body)
//!        ▼
//!   Place: where the engine is, the node's or the object's own         place/mod.rs, place/own.rs
//!        │
//!        ▼
//!   Engine: the few calls that are needed                              engine/
//! ```
//!
//! Podman answers null where docker answers an empty list, and leaves out what it does not know: every member that is read
//! may be missing.

mod engine;
#[cfg(not(target_arch = "wasm32"))]
pub mod fake;
pub mod grant;
pub mod label;
mod life;
mod place;
mod resource;

pub use engine::{ContainerInfo, ContainerState, EngineClient, EngineError, is_reference, is_tagged};
pub use life::{ContainerLife, ContainerSpec};
pub use place::{EngineDeparture, EngineLocation, EnginePlace, OwnEngine};
pub use resource::{ContainerResource, refuse_own_engine};
