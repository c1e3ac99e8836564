//! The command line: words → options → the agent, by a backend → text. One module for each family of commands.
//!
//! ```text
//! argv ─▶ words ─▶ command (clap) ─▶ object, config, driver, node … ─▶ backend ─▶ render ─▶ terminal
//! ```

mod backend;
mod command;
mod completion;
mod config;
mod driver;
mod each;
mod exit;
mod man;
mod node;
mod object;
mod process_group;
mod render;
mod run;
mod session;
mod subsystem;
mod terminal;
mod words;

pub use run::main;
