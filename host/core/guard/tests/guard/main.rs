//! What the guard lets through, and what it does not.

mod containers;
mod create;
mod harness;
mod other;
mod properties;
