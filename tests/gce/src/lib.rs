//! An emulator of the parts of Google's Compute API and metadata server that the drivers `disk.gce`, `ip.gce` and
//! `container.gce` use. For tests only.
//!
//! ```text
//!  HTTP ──▶ server ──▶ gateway ──▶ discovery, check: does the API have this method, and does the request match its schema?
//!                         │
//!                         ├──▶ metadata: the token, and the instance's project and zone
//!                         └──▶ cloud: disks, instances, routes, snapshots; operations that take time; faults
//!                                │
//!                                └──▶ device: an attached disk is a loop device under the name that Linux gives it
//! ```
//!
//! The methods and schemas of the API are read from Google's own discovery document (`discovery/`), so a request that the real
//! service would not understand fails here too, and so does a response of the emulator that does not match its schema.
//! [`ApiGateway`] is the emulator without a socket, for a driver's tests on fakes; `gce-emulator` is the program, see
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
