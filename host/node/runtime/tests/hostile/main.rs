//! A hostile driver in the sandbox: its effects on the host, and the things that it can reach.

mod bounds;
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
