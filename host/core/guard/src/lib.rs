//! The guard of a container engine's socket: reads each request that a driver sends there, and decides what becomes of it.
//!
//! A client that may send anything to an engine is root. So a grant of its socket that names this guard lets through only
//! requests about the resource's own containers, and creates no container except one made of the resource's own keywords.
//! This is the only place in the host that knows the engines' API (docker and podman speak the same), and it is pure: its
//! caller looks up for it what it must know of the engine.
//!
//! ```text
//! request ─▶ request::target       one spelling of a path, known parameters  ┐
//!         ─▶ request::strict_json  no member twice                           ├─▶ route::* ─▶ forwarded, rewritten
//! keywords ─▶ spec::allowed_spec   what the container may be                 │           ─▶ look this up first
//! labels   ─▶ engine_facts         whose container it is                     ┘           ─▶ answered here, or denied and why
//! ```
//!
//! A forwarded request is written again from what was read, so that the engine cannot read it in another way. Members, paths,
//! parameters and headers that the guard does not know are denied.

#![allow(missing_docs, reason = "fields of plain data are left to their names")]

mod case;
mod engine_facts;
mod judge;
mod refusal;
mod request;
mod route;
mod sentence;
mod spec;
mod verdict;

pub use engine_facts::{
    ContainerVolume, EngineFacts, EngineLookup, LookupResult, UnreadableAnswer, first_process, has_own_pids, whole_id,
};
pub use judge::judge;
pub use refusal::GuardRefusal;
pub use request::engine_request::{EngineRequest, RequestedBy};
pub use sentence::sentences;
pub use spec::resource::{ContainerKeyword, ContainerLabels, ContainerResource, NamespaceRights};
pub use verdict::{ContainerEffect, ForwardedRequest, GuardVerdict, TerminalStream};
