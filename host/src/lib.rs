//! The agent's front: the command line, later the daemon and its API. Wires the crates below, holds no policy.

pub mod cli;
