//! Grants for people: what a driver may do, in words, and policy files with lines added or taken away.

pub mod consent;
mod effective;
mod suggestion;
mod wide;

pub use suggestion::suggested_request;

pub use effective::{EffectiveGrant, GrantSentence, GrantStatus};
pub use wide::WideGrants;
