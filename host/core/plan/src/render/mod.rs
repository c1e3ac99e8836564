//! A plan for people and for programs.

mod dot;
mod json;
mod text;

pub use dot::dot;
pub(crate) use json::fingerprint;
pub use json::json;
pub use text::text;
