//! `om demo`: a service from nothing to nothing, on the real kernel, and nothing of it is left.
//!
//! ```text
//! ladder ──▶ om demo --inside DIR     one process a rung: it enters its namespaces before it has any thread,
//!               │                      and says so if it cannot
//!               ├─ enter              namespaces, a tmpfs on DIR, lo
//!               └─ play ──▶ stage     each command as a user would type it, run by this very program, and checked
//!                    │
//!                    └─ om demo --serve / --fetch   the service's application, and its customer
//! ```

mod enter;
mod interrupt;
mod ladder;
mod play;
mod service;
mod stage;
mod web;

pub(crate) use ladder::run;
