//! A client of the Docker Engine API: the requests that the drivers make, what they read of the answers, and why one fails.

mod client;
mod containers;
mod credentials;
mod error;
mod info;
mod reference;
mod wire;

pub use client::EngineClient;
pub(crate) use client::EngineResult;
pub(crate) use credentials::RegistryCredentials;
pub use error::EngineError;
pub(crate) use info::ContainerPhase;
pub use info::{ContainerInfo, ContainerState};
pub use reference::{is_reference, is_tagged};
