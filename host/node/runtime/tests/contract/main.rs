//! The contract between the agent and every driver, including those that were compiled long ago.

mod manifest;
mod museum;
mod verbs;

#[path = "../support/mod.rs"]
mod support;
