//! The operator's terminal: its size, its raw mode, and what the operator types.

mod tty;
mod window;

pub use tty::{RawTerminal, TerminalInput, TerminalSize, size};
