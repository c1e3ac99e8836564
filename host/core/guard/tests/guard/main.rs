//! The requests that the guard lets through, and those that it refuses.

mod containers;
mod create;
mod every_use;
mod harness;
mod held;
mod other;
mod properties;
