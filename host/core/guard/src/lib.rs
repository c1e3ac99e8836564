//! The guard of a container engine's socket: reads each request that a driver sends there, and says what becomes of it.
//!
//! Whoever may talk to an engine freely is root. So a grant of its socket that names this guard lets through only what is
//! about the resource's own containers, and makes no container but one made of the resource's own keywords. It is the host's
//! one piece of knowledge of the engines' API (docker and podman speak the same), and it is pure: what it must know of the
//! engine it asks its caller to look up.
//!
//! ```text
//! request ──▶ target   one spelling of a path, known parameters   ┐
//!         ──▶ json     no duplicate members                       ├─▶ judge ─▶ let through, rewritten
//! keywords ─▶ Allowance  what the container may be                │        ─▶ look this up first
//! labels   ─▶ Known      whose container it is                    ┘        ─▶ answered here, or denied and why
//! ```
//!
//! What is let through is written anew from what was read, so that the engine cannot read it in another way. Members, paths,
//! parameters and headers that are not known are denied.

mod allowance;
mod body;
mod container;
mod create;
mod exec;
mod host_config;
mod image;
mod json;
mod judge;
mod known;
mod listing;
mod mode;
mod mount;
mod refusal;
mod resource;
mod sentence;
mod target;

pub use judge::{EngineRequest, ForwardedRequest, GuardVerdict, RequestedBy, TerminalStream, judge};
pub use known::{EngineFacts, EngineLookup, LookupResult, UnreadableAnswer};
pub use refusal::GuardRefusal;
pub use resource::{ContainerKeyword, ContainerLabels, ContainerResource, NamespaceRights};
pub use sentence::sentences;
