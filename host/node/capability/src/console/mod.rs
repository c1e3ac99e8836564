//! `wit/console.wit`: the operator's terminal, connected to what a driver described.
//!
//! The description is checked like any other call of the driver. From then on bytes go between the terminal and the resource
//! directly, and none of them crosses the sandbox.

mod connect;
mod demux;
mod session;
mod stage;

pub use connect::connect;
