//! The operator's terminal: its size, its raw mode, and what the operator types.

mod pseudo;
mod tty;
mod window;

pub use pseudo::{PseudoTerminal, is_terminal, resize};
pub use tty::{RawTerminal, TerminalInput, TerminalSize, size};
