//! The command line: words → options → the agent → text. One file a family of commands.

mod audit;
mod command;
mod completion;
mod config;
mod config_file;
mod console;
mod create;
mod delete;
mod demo;
mod doc;
mod driver;
mod edit;
mod engine;
mod exec;
mod exit;
mod file;
mod flags;
mod keys;
mod life;
mod list;
mod logs;
mod man;
mod node;
mod object;
mod render;
mod run;
mod session;
mod status;
mod subsystem;
mod sync;
mod words;

pub use run::main;
