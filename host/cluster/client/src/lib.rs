//! Asks a daemon over its unix socket, or by TLS on another node: one function for each route of the API.
//!
//! A daemon that is not there, one that does not answer, and one that speaks another version are three different errors, each
//! with what to do about it. Each request has a connection of its own, so a daemon that was started again in between is no
//! special case.

mod ask;
mod client;
mod command;
mod error;
mod events;
mod pinned;
mod received;
mod server;

pub use client::DaemonClient;
pub use command::CommandStream;
pub use error::ClientError;
pub use events::{EventStream, EventWish, TraceStream, TraceWish};
pub use server::RemoteAccess;
