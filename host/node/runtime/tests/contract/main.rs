//! What every driver owes the agent, and the agent every driver: now, and to those compiled long ago.

mod manifest;
mod museum;
mod verbs;

#[path = "../support/mod.rs"]
mod support;
