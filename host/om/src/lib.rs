//! The command line: words → options → the agent, by a backend → text. One module for each family of commands.
//!
//! ```text
//! argv ─▶ words ─▶ command (clap) ─▶ object, config, driver, node, daemon, mon … ─▶ backend ─▶ render ─▶ terminal
//! ```

mod backend;
mod cluster;
mod command;
mod completion;
mod config;
mod daemon;
mod driver;
mod each;
mod exit;
mod man;
mod mon;
mod node;
mod object;
mod pool;
mod process_group;
mod render;
mod run;
mod session;
mod subsystem;
mod terminal;
mod words;

pub use run::main;
