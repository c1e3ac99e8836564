//! A stand-in for Google's Compute API and metadata server: as much of them as the drivers of `disk.gce`, `ip.gce` and
//! `container.gce` call. For tests alone.
//!
//! ```text
//!  HTTP ──▶ server ──▶ gateway ──▶ discovery, check: is it a call that the API knows, and does it fit its schema?
//!                         │
//!                         ├──▶ metadata: the token, what an instance is told of itself
//!                         └──▶ cloud: disks, instances, routes, snapshots; operations that take their time; faults
//!                                │
//!                                └──▶ device: an attached disk is a loop device under the name that Linux gives it
//! ```
//!
//! What the API knows is not written here: it is read from Google's own discovery document (`discovery/`), so a request that
//! the real service would not understand fails here too, and so does an answer of the stand-in's own that does not fit.
//! [`ApiGateway`] is the whole of it without a socket, for a driver's tests on fakes; `gce-emulator` is the program:
//! `gce-emulator --help`.

pub mod check;
pub mod cloud;
pub mod control;
pub mod device;
pub mod discovery;
pub mod error;
pub mod gateway;
pub mod metadata;
pub mod on_fakes;
pub mod options;
pub mod server;

pub use device::{DeviceBackend, LoopDevices, NoDevices};
pub use error::ApiError;
pub use gateway::{ApiGateway, GatewayRequest, GatewayResponse};
pub use options::EmulatorOptions;
pub use server::HttpServer;
