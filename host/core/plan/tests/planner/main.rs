//! The planner, from its requests to what an operator sees.

mod golden;
mod migrate;
mod order;
mod properties;
mod support;
