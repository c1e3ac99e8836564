//! `om driver …`: what drivers are, what they may do, and what they did; and the package of a new one.

pub(crate) mod allow;
pub(crate) mod audit;
pub(crate) mod component;
pub(crate) mod deny;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod scaffold;
mod sentences;
pub(crate) mod warm;
