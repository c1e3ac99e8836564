//! Drivers and what the site allows them, as an operator asks: inspect, allow, deny, install, remove, compile.

mod consent;
mod file;
mod inspection;
mod mistakes;
mod reference;
mod users;
mod warm;

pub use file::PolicyChangeError;
