//! The command line: words → options → the agent → text. One module for each family of commands.
//!
//! ```text
//! argv ─▶ words ─▶ command (clap) ─▶ object, config, driver, node … ─▶ the agent ─▶ render ─▶ terminal
//! ```

mod command;
mod completion;
mod config;
mod demo;
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
mod words;

pub use run::main;
