//! Programs, network and HTTP through the grants, on the running kernel.

mod harness;
mod http;
mod memory;
mod network;
mod programs;
mod spellings;
