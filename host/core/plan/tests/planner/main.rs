//! The planner, from its requests to what an operator sees.

mod follow;
mod golden;
mod migrate;
mod order;
mod properties;
mod support;
