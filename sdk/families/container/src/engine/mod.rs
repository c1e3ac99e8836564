//! A client of the Docker Engine API: the requests that the drivers make, what they read of the answers, and why one fails.

mod client;
mod credentials;
mod error;
mod reference;
mod wire;

pub use client::EngineClient;
pub(crate) use credentials::RegistryCredentials;
pub use error::EngineError;
pub use reference::{is_reference, is_tagged};
pub use wire::{ContainerInfo, ContainerState};
