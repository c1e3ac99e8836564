//! Container engines that speak the Docker Engine API over a unix socket: docker, and podman's service.
//!
//! ```text
//!   container.docker container.podman container.oci task.docker
//!        │
//!        │ ContainerResource: drivers whose containers keep running            resource.rs
//!        ▼
//!   ContainerLife: status start stop provision unprovision, run, consoles      life/service.rs, run.rs, inside.rs
//!        │ ContainerSpec: the keywords of the container                        life/keywords.rs, describe.rs (the body)
//!        ▼
//!   EngineLocation: the node's engine, or the object's own                     place/mod.rs, place/own.rs
//!        │
//!        ▼
//!   EngineClient: the requests that the drivers need                           engine/
//! ```
//!
//! Podman sends null where docker sends an empty list, and omits members that it does not know: every member that is read may
//! be missing.

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
