//! From resolved values to the object, with every problem of its configuration.

mod build;
mod check;
mod cycle;
mod fields;
pub(crate) mod load;
mod requires;
