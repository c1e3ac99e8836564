//! The operator's terminal: its size, its raw mode, and what the operator types.

mod pipe;
mod pseudo;
mod tty;
mod window;

pub use pipe::reader_is_gone;
pub use pseudo::{PseudoTerminal, is_terminal, resize};
pub use tty::{RawTerminal, TerminalInput, TerminalSize, size};
