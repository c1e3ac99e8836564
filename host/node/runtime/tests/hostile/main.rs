//! A hostile driver in the sandbox: what it does to the host, and what it gets at.

mod engine;
mod faults;
mod guest;
mod interrupted;
mod namespaces;
mod race;
mod reach;
mod socket;
mod waste;
mod words;

#[path = "../support/guest_namespace.rs"]
mod guest_namespace;
#[path = "../support/mod.rs"]
mod support;
