//! Grants for people: what a driver may do, in words, and policy files with lines added or taken away.

pub mod consent;
mod effective;

pub use effective::{EffectiveGrant, GrantSentence, GrantStatus};
